#include "protocol/core/list_planner.hpp"

#include <algorithm>
#include <utility>

#include "protocol/model/defect.hpp"

namespace zonesync {
namespace {

/// One read of a state is consistent, however much the log forgets meanwhile: reads that come too
/// late grow up to this.
constexpr std::size_t kReadBytesMax = 64u << 20;

}  // namespace

ListPlanner::ListPlanner(const ChangeSource& source, std::size_t page_bytes)
    : source_(source), page_bytes_(page_bytes), read_bytes_(page_bytes) {}

void ListPlanner::begin(View view, Answer answer) {
  scanned_ = answer.from ? Position::end_of(*answer.from) : Position::start();
  tombstone_floor_ = answer.tombstone_floor;
  not_before_ = answer.not_before;
  full_ = !answer.from;
  held_ = answer.held && answer.held->id() != view.id() ? std::move(answer.held) : std::nullopt;
  view_ = std::move(view);
  confirm_ = true;
  open_ = false;
  read_bytes_ = page_bytes_;
  pending_.clear();
  current_.reset();
}

/// V1-02: every type in which anything changed since the last cut, up to the head, whose state and
/// digests the cut then shows.
Status ListPlanner::find_changed() {
  const auto wanted = [&](const Class& cls) {
    return view_->admits(cls) || (held_ && held_->admits(cls));
  };
  for (;;) {
    while (!full_ && scanned_ < Position::end_of(source_.head())) {
      auto page = source_.scan_classes(scanned_, wanted, page_bytes_);
      if (!page) return fail(page.error());
      if (page->tombstone_floor > tombstone_floor_ &&
          scanned_ < Position::end_of(page->tombstone_floor)) {
        return fail(ErrorCode::unavailable,
                    "leaves behind the receiver's position are trimmed; it must be repaired");
      }
      for (const LogEntry& entry : page->entries) {
        if (ZONESYNC_DEFECT(81) && entry.change.kind == ChangeKind::leave) continue;
        pending_.insert(entry.change.key.type);
      }
      scanned_ = page->next;
    }
    at_ = full_ ? source_.head() : scanned_.revision;
    auto digests = source_.type_digests_at(at_, *view_);
    if (!digests) continue;  // the head moved on meanwhile
    digests_ = std::move(*digests);
    if (held_ && !ZONESYNC_DEFECT(82)) {  // VIEW-04: whatever the views differ in is listed
      for (const auto& [type, digest] : digests_) pending_.insert(type);
      for (const Class& cls : source_.classes_now(wanted)) pending_.insert(cls.type);
    }
    scanned_ = Position::end_of(at_);
    return {};
  }
}

Result<bool> ListPlanner::open_cut() {
  if (source_.head() < not_before_) return false;
  if (!full_ && !confirm_ && scanned_ >= Position::end_of(source_.head())) return false;
  if (auto status = find_changed(); !status) return fail(status.error());
  if (full_) {
    for (const auto& [type, digest] : digests_) pending_.insert(type);
  }
  open_ = true;
  return true;
}

/// V1-05: the log trimmed entries that the state at `at_` needs. The open list and all types that
/// changed since are listed anew, at the head; larger reads make sure that this ends.
Status ListPlanner::restart() {
  read_bytes_ = std::min(read_bytes_ * 4, kReadBytesMax);
  const bool full = std::exchange(full_, false);
  auto status = find_changed();
  full_ = full;
  std::string type = std::move(current_->list.type);
  pending_.erase(type);
  begin_list(std::move(type));
  return status;
}

void ListPlanner::begin_list(std::string type) {
  current_ = Current{};
  current_->list.digest = digests_[type];
  current_->list.type = std::move(type);
  current_->list.version = at_;
  current_->list.nonce = ++nonce_;
}

/// False when the list has no further entry; true = current_step() is the next step.
Result<bool> ListPlanner::fill_page() {
  Current& list = *current_;
  while (list.sent >= list.page.entries.size()) {
    if (list.last_page) return false;
    auto page = source_.state_at(at_, list.list.type, list.after, *view_, read_bytes_);
    if (!page) return fail(page.error());
    if (page->forgotten) {
      if (auto status = restart(); !status) return fail(status.error());
      return true;
    }
    list.sent = 0;
    list.last_page = !page->next;
    list.after = page->next;
    list.page = std::move(*page);
  }
  return true;
}

ListPlanner::Step ListPlanner::current_step() const {
  Step step;
  if (!current_->announced) {
    step.kind = Step::Kind::list;
    step.list = &current_->list;
  } else {
    step.kind = Step::Kind::entry;
    step.entry = &current_->page.entries[current_->sent];
  }
  return step;
}

Result<ListPlanner::Step> ListPlanner::next() {
  if (!open_) {
    auto opened = open_cut();
    if (!opened) return fail(opened.error());
    if (!*opened) return Step{};
  }
  for (;;) {
    if (current_) {
      if (!current_->announced) return current_step();
      auto more = fill_page();
      if (!more) return fail(more.error());
      if (*more) return current_step();
      current_.reset();
    } else if (!pending_.empty()) {
      begin_list(std::move(pending_.extract(pending_.begin()).value()));
    } else {
      Step step;
      step.kind = Step::Kind::mark;
      step.to = at_;
      for (const auto& [type, digest] : digests_) step.digest += digest;
      return step;
    }
  }
}

void ListPlanner::pop() {
  if (!current_) {
    open_ = confirm_ = full_ = false;
    held_.reset();
    read_bytes_ = page_bytes_;
  } else if (!current_->announced) {
    current_->announced = true;
  } else {
    ++current_->sent;
  }
}

}  // namespace zonesync

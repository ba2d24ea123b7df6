#include "protocol/core/view_change.hpp"

#include <algorithm>

#include "protocol/model/assert.hpp"

namespace zonesync {
namespace {

constexpr unsigned kRestartsMax = 3;

}  // namespace

Status CutSink::drop(const Class&) {
  return fail(ErrorCode::protocol, "the view of this flow does not change", "VIEW-02");
}

Position ViewChange::begin(const ChangeSource& source, const View& held, View next, Revision base,
                           Position until) {
  held_.push_back(held);
  next_ = std::move(next);
  until_ = until;
  tombstone_floor_ = source.state().tombstone_floor;
  dropped_.clear();
  for (const Class& cls : begun_) drop(cls);
  begun_.clear();
  // Only classes that had content while the receiver was entitled to it may be named (VIEW-05).
  auto left = source.classes_between(base, until, [this](const Class& c) { return stale(c); });
  find_stale_ = !left.has_value();
  if (left) {
    for (const Class& cls : *left) drop(cls);
  }
  const bool enter =
      !source.classes_now([this](const Class& cls) { return enters(cls); }).empty();
  reading_back_ = (enter || find_stale_) && until > Position::start();
  return reading_back_ ? Position::start() : until_;
}

bool ViewChange::restart_for(Revision tombstone_floor, Position read) {
  if (tombstone_floor <= tombstone_floor_) return false;
  tombstone_floor_ = tombstone_floor;
  if (read >= Position::end_of(tombstone_floor) || ++restarts_ > kRestartsMax) return false;
  for (const Class& cls : begun_) {
    dropped_.erase(cls);
    drop(cls);
  }
  begun_.clear();
  return true;
}

void ViewChange::end() {
  ZS_ASSERT(drops_.empty() && !reading_back_);
  *this = ViewChange();
}

bool ViewChange::kept(const Class& cls) const {
  return next_->admits(cls) && std::all_of(held_.begin(), held_.end(),
                                           [&](const View& view) { return view.admits(cls); });
}

bool ViewChange::enters(const Class& cls) const { return next_->admits(cls) && !kept(cls); }

bool ViewChange::stale(const Class& cls) const {
  return !kept(cls) && std::any_of(held_.begin(), held_.end(),
                                   [&](const View& view) { return view.admits(cls); });
}

void ViewChange::drop(const Class& cls) {
  if (dropped_.insert(cls).second) drops_.push_back(cls);
}

Result<ScanPage> ViewChange::read_back(const ChangeSource& source, Position after,
                                       std::size_t max_bytes) {
  const auto wanted = [this](const Class& cls) {
    return enters(cls) || (find_stale_ && stale(cls));
  };
  auto page = source.scan_classes(after, wanted, max_bytes);
  if (!page) return page;
  std::erase_if(page->entries, [&](const LogEntry& entry) {
    if (entry.position > until_) return true;
    const Class& cls = entry.change.cls;
    if (!enters(cls)) {
      drop(cls);
      return true;
    }
    if (begun_.insert(cls).second) drop(cls);  // what the receiver has of it is none or stale
    return false;
  });
  page->next = std::min(page->next, until_);
  return page;
}

}  // namespace zonesync

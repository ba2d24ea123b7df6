#include "storage/log_table.hpp"

#include <algorithm>
#include <limits>
#include <mutex>
#include <utility>

#include "protocol/model/assert.hpp"
#include "protocol/model/defect.hpp"

namespace zonesync {

using log_rules::Slot;

LogTable::LogTable(Id128 log_id, bool complete, AsideRule aside) : aside_(std::move(aside)) {
  state_.log_id = log_id;
  state_.complete = complete;
  segment_ends_.insert(Revision{0});
}

LogState LogTable::state() const {
  const std::shared_lock lock(mutex_);
  return state_;
}

Result<ScanPage> LogTable::scan(Position after, const ScanOptions& options) const {
  const std::shared_lock lock(mutex_);
  ScanPage page;
  page.trim_floor = options.viewed_only ? floors_.highest_viewed(aside_) : state_.trim_floor;
  page.tombstone_floor = std::min(state_.tombstone_floor, page.trim_floor);
  page.next = after;
  log_rules::PageLimit limit(options);
  auto it = entries_.upper_bound(after);
  for (; it != entries_.end() && limit.may_visit(); ++it) {
    const LogEntry& entry = it->second;
    if (options.viewed_only && is_aside(entry.change.cls)) continue;
    if (limit.admits(entry.change.cls)) {
      if (!limit.may_take(entry.change.payload.size())) break;
      limit.taken(entry.change.payload.size());
      page.entries.push_back(entry);
    }
    limit.visited();
    page.next = entry.position;
  }
  std::optional<Revision> next_entry;
  if (it != entries_.end()) next_entry = it->first.revision;
  auto end = next_entry ? segment_ends_.lower_bound(*next_entry) : segment_ends_.end();
  std::optional<Revision> segment_end;
  if (end != segment_ends_.begin()) segment_end = *std::prev(end);
  if (segment_end && *segment_end < page.trim_floor && !ZONESYNC_DEFECT(6)) {
    segment_end = Revision{0};  // a state that never was: of no use
  }
  log_rules::finish_page(page, after, next_entry, state_.head, segment_end);
  return page;
}

std::vector<LatestEntry> LogTable::newest_of(const ResourceKey& key) const {
  std::vector<LatestEntry> found;
  for (auto it = latest_.lower_bound(Slot{key, {}}); it != latest_.end() && it->first.key == key;
       ++it) {
    found.push_back(it->second);
  }
  return found;
}

std::optional<LatestEntry> LogTable::latest(const ResourceKey& key) const {
  const std::shared_lock lock(mutex_);
  return log_rules::prefer(newest_of(key));
}

Result<LogEntry> LogTable::read_locked(Position position) const {
  const auto it = entries_.find(position);
  if (it == entries_.end()) {
    return fail(ErrorCode::not_found, "no log entry at revision " +
                                          std::to_string(position.revision.value) + ", index " +
                                          std::to_string(position.index));
  }
  return it->second;
}

Result<LogEntry> LogTable::read(Position position) const {
  const std::shared_lock lock(mutex_);
  return read_locked(position);
}

Result<std::vector<LogEntry>> LogTable::history(const ResourceKey& key, std::size_t limit) const {
  const std::shared_lock lock(mutex_);
  return log_rules::merge_history(newest_of(key), limit,
                                  [this](Position position) { return read_locked(position); });
}

Result<std::optional<LogEntry>> LogTable::entry_at(const ResourceKey& key,
                                                   Revision revision) const {
  const std::shared_lock lock(mutex_);
  return log_rules::entry_at(newest_of(key), revision,
                             [this](Position position) { return read_locked(position); });
}

Result<ListPage> LogTable::list(const ListFilter& filter, const std::optional<ResourceKey>& after,
                                std::size_t limit) const {
  if (Status status = log_rules::check_filter(filter); !status) return fail(status.error());
  const std::shared_lock lock(mutex_);
  ListPage page;
  log_rules::ListBuilder builder(filter, limit, page,
                                 [this](Position position) { return read_locked(position); });
  Slot from;
  if (!filter.all_types) from.key.type = filter.type;
  if (after && *after > from.key) from.key = *after;
  for (auto it = latest_.lower_bound(from); it != latest_.end(); ++it) {
    const LatestEntry& entry = it->second;
    if (!filter.all_types && entry.key.type != filter.type) break;
    if (after && entry.key <= *after) continue;
    if (!builder.take(entry)) break;
  }
  if (Status status = builder.take_status(); !status) return fail(status.error());
  return page;
}

ChangeLog::DigestsAt LogTable::digests() const {
  const std::shared_lock lock(mutex_);
  return ChangeLog::DigestsAt{state_.head, digests_};
}

Result<log_rules::SegmentPlan> LogTable::plan(Segment segment) const {
  const std::shared_lock lock(mutex_);
  const auto lookup = [this](const Class& cls,
                             const ResourceKey& key) -> Result<std::optional<LatestEntry>> {
    const auto it = latest_.find(log_rules::slot_of(cls, key));
    if (it == latest_.end()) return std::nullopt;
    return it->second;
  };
  return log_rules::plan_segment(std::move(segment), state_.head, lookup);
}

void LogTable::take(LogEntry entry) {
  LatestEntry latest = log_rules::latest_from(entry);
  latest_.insert_or_assign(log_rules::slot_of(latest.cls, latest.key), latest);
  entries_.insert_or_assign(latest.position, std::move(entry));
}

void LogTable::apply(log_rules::SegmentPlan plan) {
  const std::unique_lock lock(mutex_);
  ZS_ASSERT(plan.end > state_.head);
  for (LogEntry& entry : plan.entries) take(std::move(entry));
  log_rules::add_deltas(digests_, plan.digest_deltas);
  state_.head = plan.end;
  segment_ends_.insert(plan.end);
}

void LogTable::add_era(EraRecord era) {
  if (ZONESYNC_DEFECT(28) && !state_.eras.empty()) return;
  const std::unique_lock lock(mutex_);
  log_rules::push_era(state_.eras, era);
}

void LogTable::set_complete() {
  const std::unique_lock lock(mutex_);
  state_.complete = true;
}

void LogTable::trim(Revision floor) {
  TrimRequest request;
  request.floor = floor;
  request.max_visited = std::numeric_limits<std::size_t>::max();
  const auto progress = trim(request);
  ZS_ASSERT(progress && progress->done);
}

Result<TrimProgress> LogTable::trim(const TrimRequest& request) {
  const std::unique_lock lock(mutex_);
  if (Status status = log_rules::check_trim(request, state_); !status) {
    return fail(std::move(status.error()));
  }
  floors_.raise(request);
  publish_floors();
  TrimProgress progress;
  progress.done = floors_.each_group([&](const GroupType& type, TrimGroup& group) {
    return sweep_superseded(type, group, request.max_visited, progress) &&
           sweep_tombstones(type, group, request.max_visited, progress);
  });
  const Revision lowest = floors_.lowest();
  if (lowest > Revision{0} && !ZONESYNC_DEFECT(6)) {  // 0 would be an inverted range
    segment_ends_.erase(segment_ends_.upper_bound(Revision{0}),
                        segment_ends_.lower_bound(lowest));
  }
  return progress;
}

void LogTable::publish_floors() {
  state_.trim_floor = floors_.highest();
  state_.tombstone_floor = floors_.tombstone_floor;
}

Revision LogTable::trim_floor_of(std::string_view type) const {
  const std::shared_lock lock(mutex_);
  return floors_.floor_of(type);
}

Revision LogTable::viewed_floor() const {
  const std::shared_lock lock(mutex_);
  return floors_.highest_viewed(aside_);
}

bool LogTable::sweep_superseded(const GroupType& type, TrimGroup& group, std::size_t max_visited,
                                TrimProgress& progress) {
  const Position end = Position::end_of(group.floor);
  for (auto it = entries_.upper_bound(group.swept); it != entries_.end() && it->first <= end;
       ++it) {
    if (progress.visited >= max_visited) return false;
    ++progress.visited;
    const bool ours = floors_.in_group(it->second.change.key.type, type);
    if (ours && it->second.previous) {
      progress.removed += entries_.erase(it->second.previous->position);
    }
    group.swept = it->first;
  }
  group.swept = std::max(group.swept, end);
  return true;
}

// Behind the first sweep: a leave that is not the newest of its (class, key) has its successor
// above the floor, and that sweep takes it one day.
bool LogTable::sweep_tombstones(const GroupType& type, TrimGroup& group, std::size_t max_visited,
                                TrimProgress& progress) {
  const Position end =
      Position::end_of(ZONESYNC_DEFECT(27) ? group.floor : floors_.tombstones_of(group));
  auto it = entries_.upper_bound(group.tombstones_swept);
  while (it != entries_.end() && it->first <= end) {
    if (progress.visited >= max_visited) return false;
    ++progress.visited;
    group.tombstones_swept = it->first;
    const Change& change = it->second.change;
    const auto latest = latest_.find(log_rules::slot_of(change.cls, change.key));
    const bool gone = change.kind == ChangeKind::leave && latest != latest_.end() &&
                      latest->second.position == it->first &&
                      floors_.in_group(change.key.type, type);
    if (!gone) {
      ++it;
      continue;
    }
    latest_.erase(latest);
    it = entries_.erase(it);
    ++progress.removed;
  }
  group.tombstones_swept = std::max(group.tombstones_swept, end);
  return true;
}

void LogTable::recompute_digests() {
  digests_.clear();
  for (const auto& [slot, entry] : latest_) {
    if (entry.kind != ChangeKind::upsert) continue;
    digests_[entry.cls].add(fingerprint(entry.key), entry.hash);
  }
}

void LogTable::rewind_to(Revision revision) {
  const std::unique_lock lock(mutex_);
  if (revision >= state_.head) return;
  entries_.erase(entries_.upper_bound(Position::end_of(revision)), entries_.end());
  segment_ends_.erase(segment_ends_.upper_bound(revision), segment_ends_.end());
  segment_ends_.insert(revision);
  while (state_.eras.size() > 1 && state_.eras.back().start > revision) {
    PROBE(era_popped);
    state_.eras.pop_back();
  }
  state_.head = revision;
  floors_.rewind_to(revision);
  publish_floors();
  Entries kept = std::exchange(entries_, {});
  latest_.clear();
  for (auto& [position, entry] : kept) take(std::move(entry));
  recompute_digests();
}

void LogTable::restore(std::vector<LogEntry> entries, Revision head, Revision trim_floor) {
  const std::unique_lock lock(mutex_);
  ZS_ASSERT(entries_.empty() && state_.head == Revision{0});
  for (LogEntry& entry : entries) take(std::move(entry));
  recompute_digests();
  state_.head = head;
  floors_.rest.floor = trim_floor;
  floors_.rest.swept = Position::end_of(trim_floor);
  publish_floors();
  segment_ends_.insert(head);
}

std::vector<LogEntry> LogTable::newest() const {
  const std::shared_lock lock(mutex_);
  std::set<Position> positions;
  for (const auto& [slot, entry] : latest_) positions.insert(entry.position);
  std::vector<LogEntry> entries;
  entries.reserve(positions.size());
  for (const Position& position : positions) entries.push_back(entries_.at(position));
  return entries;
}

}  // namespace zonesync

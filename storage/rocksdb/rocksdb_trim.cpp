// Forgetting, in bounded steps: floors first, then what they allow to go.
//
//   raise_floors (synced, visible) ─► superseded entries ─► tombstones ─► segment ends
//
// Every step is one batch that removes and says how far it came, so that a crash anywhere leaves a
// step done or not done. Plain deletes: many range deletes slow down iterators in RocksDB 7.8.
#include <algorithm>
#include <utility>

#include <rocksdb/write_batch.h>

#include "storage/entry_codec.hpp"
#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/key_codec.hpp"
#include "storage/rocksdb/log_ranges.hpp"
#include "storage/rocksdb/rocksdb_change_log.hpp"

namespace zonesync {

using namespace rocksdb_store;

namespace {

/// One step: collects what goes, and how far it looked. Reads what the writer sees.
class Sweep {
 public:
  Sweep(Database& database, const AsideMarks& marks, TrimState& trim, std::size_t max_visited)
      : database_(database), marks_(marks), trim_(trim), max_visited_(max_visited) {}

  Status run() {
    Status status;
    trim_.floors.each_group([&](const GroupType& type, TrimGroup& group) {
      status = superseded(type, group);
      if (status && !full_) status = tombstones(type, group);
      return status && !full_;
    });
    if (status && !full_) status = segment_ends();
    progress.done = !full_;
    if (status && !readable_) {
      return fail(ErrorCode::storage_corrupt, "trimming met an unreadable entry; verify the store",
                  database_.path());
    }
    return status;
  }

  TrimProgress progress;
  rocksdb::WriteBatch batch;

 private:
  using GroupType = std::optional<std::string_view>;

  bool may_visit() {
    full_ = progress.visited >= max_visited_;
    if (!full_) ++progress.visited;
    return !full_;
  }

  /// Entries in (swept, floor] of the group's types: each makes its direct predecessor removable.
  Status superseded(const GroupType& type, TrimGroup& group) {
    const auto take = [&](const LogKey& key, const EntryView& entry) {
      group.swept = key.position;
      const Class cls = entry.cls();
      if (entry.previous && trim_.floors.in_group(cls.type, type)) {
        marks_.erase_previous(cls, entry.previous->position, database_, batch);
        ++progress.removed;
      }
      return Status();
    };
    Status status = each_entry(group.swept, group.floor, take);
    if (status && !full_) group.swept = std::max(group.swept, Position::end_of(group.floor));
    return status;
  }

  /// Leaves in (tombstones_swept, tombstone floor] that are the newest of their (class, key).
  Status tombstones(const GroupType& type, TrimGroup& group) {
    const auto take = [&](const LogKey& at, const EntryView& entry) -> Status {
      group.tombstones_swept = at.position;
      if (entry.kind != ChangeKind::leave) return {};
      const LogEntry whole = entry.entry(at.position);
      if (!trim_.floors.in_group(whole.change.key.type, type)) return {};
      const std::string key =
          latest_key(log_rules::slot_of(whole.change.cls, whole.change.key));
      auto value = database_.get(Family::latest, key, nullptr);
      if (!value) return fail(std::move(value.error()));
      const auto latest = *value ? parse_latest(key, **value) : std::nullopt;
      if (!latest || latest->position != at.position) return {};
      database_.erase(batch, Family::log, log_key(at.position, at.range));
      database_.erase(batch, Family::latest, key);
      ++progress.removed;
      return {};
    };
    const Revision floor = trim_.floors.tombstones_of(group);
    Status status = each_entry(group.tombstones_swept, floor, take);
    if (status && !full_) {
      group.tombstones_swept = std::max(group.tombstones_swept, Position::end_of(floor));
    }
    return status;
  }

  Status segment_ends() {
    const Revision floor = trim_.floors.lowest();
    const std::string from = numbered_key(kSegmentPrefix, trim_.segments_swept.value);
    const std::string end = numbered_key(kSegmentPrefix, floor.value);
    if (from >= end) return {};
    const auto take = [&](std::string_view key, std::string_view) {
      if (!may_visit()) return false;
      database_.erase(batch, Family::meta, key);
      trim_.segments_swept = Revision{parse_number(key, kSegmentPrefix).value_or(0)};
      return true;
    };
    Status status = database_.visit(Family::meta, from, end, nullptr, take);
    if (status && !full_) trim_.segments_swept = floor;
    return status;
  }

  template <class Take>
  Status each_entry(Position after, Revision floor, const Take& take) {
    if (after >= Position::end_of(floor)) return {};
    Status failed;
    const auto visit = [&](const LogKey& key, std::string_view value) {
      const auto entry = decode_stored_entry(value);
      readable_ = entry.has_value();
      if (!readable_ || !may_visit()) return false;
      failed = take(key, *entry);
      return failed.has_value();
    };
    Status status = visit_entries(database_, Ranges::both, after, floor, nullptr, visit);
    return status ? failed : status;
  }

  Database& database_;
  const AsideMarks& marks_;
  TrimState& trim_;
  const std::size_t max_visited_;
  bool full_ = false;
  bool readable_ = true;
};

}  // namespace

Error RocksDbChangeLog::stopped_error() const {
  return Error{ErrorCode::storage_io, "the log stopped after an error; restart to reopen it",
               database_->path()};
}

Result<TrimProgress> RocksDbChangeLog::trim(const TrimRequest& request) {
  if (stopped_) return fail(stopped_error());
  if (Status status = log_rules::check_trim(request, state_); !status) {
    return fail(std::move(status.error()));
  }
  if (Status status = raise_floors(request); !status) return fail(std::move(status.error()));
  auto progress = trim_step(request.max_visited);
  if (!progress && progress.error().code == ErrorCode::storage_io) stopped_ = true;
  return progress;
}

Status RocksDbChangeLog::raise_floors(const TrimRequest& request) {
  TrimState raised = *trim_;
  raised.floors.raise(request);
  if (raised == *trim_) return {};
  if (anchored_head_ < raised.floors.highest()) {
    const Status ignored = write_anchor();  // below the floor its running hash is not comparable
    static_cast<void>(ignored);
  }
  rocksdb::WriteBatch batch;
  database_->put(batch, Family::meta, kTrimKey, trim_value(raised));
  if (Status status = check_space(batch.GetDataSize(), Writer::hub); !status) return status;
  if (Status status = write_batch(batch, true); !status) return status;
  *trim_ = raised;
  publish_trim();
  return {};
}

Result<TrimProgress> RocksDbChangeLog::trim_step(std::size_t max_visited) {
  TrimState next = *trim_;
  Sweep sweep(*database_, *marks_, next, max_visited);
  if (Status status = sweep.run(); !status) return fail(std::move(status.error()));
  if (next == *trim_) return sweep.progress;
  database_->put(sweep.batch, Family::meta, kTrimKey, trim_value(next));
  // Not synced: a lost step is done again, and the floors that allow it are durable.
  Status status = check_space(sweep.batch.GetDataSize(), Writer::hub);
  if (status) status = write_batch(sweep.batch, false);
  if (!status) return fail(std::move(status.error()));
  *trim_ = next;
  publish_trim();
  return sweep.progress;
}

void RocksDbChangeLog::publish_trim() {
  auto snapshot = database_->snapshot();
  const std::lock_guard lock(mutex_);
  publish_floors(trim_->floors);
  std::swap(snapshot_, snapshot);  // the old one is released after the lock
}

void RocksDbChangeLog::publish_floors(TrimFloors floors) {
  state_.trim_floor = floors.highest();
  state_.tombstone_floor = floors.tombstone_floor;
  floors_ = std::make_shared<const TrimFloors>(std::move(floors));
}

}  // namespace zonesync

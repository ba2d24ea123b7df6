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
#include "storage/rocksdb/rocksdb_change_log.hpp"

namespace zonesync {

using namespace rocksdb_store;

namespace {

/// One step: collects what goes, and how far it looked. Reads what the writer sees.
class Sweep {
 public:
  Sweep(Database& database, TrimState& trim, std::size_t max_visited)
      : database_(database), trim_(trim), max_visited_(max_visited) {}

  Status run() {
    Status status = superseded();
    if (status && !full_) status = tombstones();
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
  bool may_visit() {
    full_ = progress.visited >= max_visited_;
    if (!full_) ++progress.visited;
    return !full_;
  }

  /// Entries in (swept, floor]: each makes its direct predecessor removable.
  Status superseded() {
    const auto take = [&](Position position, const EntryView& entry) {
      if (entry.previous) {
        database_.erase(batch, Family::log, log_key(entry.previous->position));
        ++progress.removed;
      }
      trim_.swept = position;
      return Status();
    };
    Status status = each_entry(trim_.swept, trim_.floor, take);
    if (status && !full_) trim_.swept = std::max(trim_.swept, Position::end_of(trim_.floor));
    return status;
  }

  /// Leaves in (tombstones_swept, tombstone_floor] that are the newest of their (class, key).
  Status tombstones() {
    const auto take = [&](Position position, const EntryView& entry) -> Status {
      trim_.tombstones_swept = position;
      if (entry.kind != ChangeKind::leave) return {};
      const LogEntry whole = entry.entry(position);
      const std::string key =
          latest_key(log_rules::slot_of(whole.change.cls, whole.change.key));
      auto value = database_.get(Family::latest, key, nullptr);
      if (!value) return fail(std::move(value.error()));
      const auto latest = *value ? parse_latest(key, **value) : std::nullopt;
      if (!latest || latest->position != position) return {};
      database_.erase(batch, Family::log, log_key(position));
      database_.erase(batch, Family::latest, key);
      ++progress.removed;
      return {};
    };
    Status status = each_entry(trim_.tombstones_swept, trim_.tombstone_floor, take);
    if (status && !full_) {
      trim_.tombstones_swept =
          std::max(trim_.tombstones_swept, Position::end_of(trim_.tombstone_floor));
    }
    return status;
  }

  Status segment_ends() {
    const std::string from = numbered_key(kSegmentPrefix, trim_.segments_swept.value);
    const std::string end = numbered_key(kSegmentPrefix, trim_.floor.value);
    if (from >= end) return {};
    const auto take = [&](std::string_view key, std::string_view) {
      if (!may_visit()) return false;
      database_.erase(batch, Family::meta, key);
      trim_.segments_swept = Revision{parse_number(key, kSegmentPrefix).value_or(0)};
      return true;
    };
    Status status = database_.visit(Family::meta, from, end, nullptr, take);
    if (status && !full_) trim_.segments_swept = trim_.floor;
    return status;
  }

  template <class Take>
  Status each_entry(Position after, Revision floor, const Take& take) {
    if (after >= Position::end_of(floor)) return {};
    Status failed;
    const auto visit = [&](std::string_view key, std::string_view value) {
      const auto position = parse_log_key(key);
      const auto entry = decode_stored_entry(value);
      readable_ = position && entry;
      if (!readable_) return false;
      if (*position <= after) return true;
      if (!may_visit()) return false;
      failed = take(*position, *entry);
      return failed.has_value();
    };
    Status status = database_.visit(Family::log, log_key(after),
                                    log_key(Position{floor.next(), 0}), nullptr, visit);
    return status ? failed : status;
  }

  Database& database_;
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
  if (!progress && progress.error().code != ErrorCode::storage_corrupt) {
    stopped_ = true;
    progress.error().code = ErrorCode::storage_io;
  }
  return progress;
}

Status RocksDbChangeLog::raise_floors(const TrimRequest& request) {
  TrimState raised = *trim_;
  raised.floor = std::max(raised.floor, request.floor);
  raised.tombstone_floor = std::max(raised.tombstone_floor, request.tombstone_floor);
  if (raised == *trim_) return {};
  if (anchored_head_ < raised.floor) {
    const Status ignored = write_anchor();  // below the floor its running hash is not comparable
    static_cast<void>(ignored);
  }
  rocksdb::WriteBatch batch;
  database_->put(batch, Family::meta, kTrimKey, trim_value(raised));
  if (Status status = database_->write(batch, true); !status) {
    stopped_ = true;
    status.error().code = ErrorCode::storage_io;
    return status;
  }
  *trim_ = raised;
  publish_trim();
  return {};
}

Result<TrimProgress> RocksDbChangeLog::trim_step(std::size_t max_visited) {
  TrimState next = *trim_;
  Sweep sweep(*database_, next, max_visited);
  if (Status status = sweep.run(); !status) return fail(std::move(status.error()));
  if (next == *trim_) return sweep.progress;
  database_->put(sweep.batch, Family::meta, kTrimKey, trim_value(next));
  // Not synced: a lost step is done again, and the floors that allow it are durable.
  if (Status status = database_->write(sweep.batch, false); !status) {
    return fail(std::move(status.error()));
  }
  *trim_ = next;
  publish_trim();
  return sweep.progress;
}

void RocksDbChangeLog::publish_trim() {
  auto snapshot = database_->snapshot();
  const std::lock_guard lock(mutex_);
  state_.trim_floor = trim_->floor;
  state_.tombstone_floor = trim_->tombstone_floor;
  std::swap(snapshot_, snapshot);  // the old one is released after the lock
}

}  // namespace zonesync

// The reader side of RocksDbChangeLog: any thread, only what was published.
#include <algorithm>
#include <utility>

#include "storage/entry_codec.hpp"
#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/key_codec.hpp"
#include "storage/rocksdb/log_ranges.hpp"
#include "storage/rocksdb/rocksdb_change_log.hpp"
#include "storage/rocksdb/seals.hpp"

namespace zonesync {

using namespace rocksdb_store;

LogState RocksDbChangeLog::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

ChangeLog::DigestsAt RocksDbChangeLog::digests() const {
  const std::lock_guard lock(mutex_);
  return DigestsAt{state_.head, digests_};
}

RocksDbChangeLog::Published RocksDbChangeLog::published() const {
  const std::lock_guard lock(mutex_);
  return Published{state_.head, floors_, snapshot_, marks_};
}

Revision RocksDbChangeLog::trim_floor_of(std::string_view type) const {
  return published().floors->floor_of(type);
}

// The rule is asked without the lock: it may take locks of its owner, who may hold them while it
// reads this log.
Revision RocksDbChangeLog::viewed_floor() const {
  const Published at = published();
  return at.marks->holds_viewed(options_.aside) ? at.floors->highest()
                                                : at.floors->highest_viewed(options_.aside);
}

Result<std::optional<Revision>> RocksDbChangeLog::segment_end_before(const Published& at,
                                                                     Revision floor,
                                                                     Revision revision) const {
  // Ends below the floor are of no use, and many may just have been removed: do not walk there.
  auto key = database_->last_before(Family::meta, numbered_key(kSegmentPrefix, floor.value),
                                    numbered_key(kSegmentPrefix, revision.value),
                                    at.snapshot.get());
  if (!key) return fail(std::move(key.error()));
  if (!*key) return Revision{0};  // the start of the log is a segment end too
  const auto number = parse_number(**key, kSegmentPrefix);
  if (!number) return fail(corrupt("a segment end is unreadable"));
  return Revision{*number};
}

Result<ScanPage> RocksDbChangeLog::scan(Position after, const ScanOptions& options) const {
  const Published at = published();
  const bool viewed = options.viewed_only && !at.marks->holds_viewed(options_.aside);
  ScanPage page;
  page.next = after;
  page.trim_floor = viewed ? at.floors->highest_viewed(options_.aside) : at.floors->highest();
  page.tombstone_floor = std::min(at.floors->tombstone_floor, page.trim_floor);
  log_rules::PageLimit limit(options);
  std::optional<Revision> next_entry;
  bool readable = true;
  std::optional<Error> closed;
  const auto take = [&](const LogKey& key, std::string_view value) {
    const auto view = decode_stored_entry(value);
    readable = view.has_value();
    if (!readable) return false;
    next_entry = key.position.revision;
    if (!limit.may_visit()) return false;
    if (limit.admits(view->cls())) {
      if (!limit.may_take(view->payload.size())) return false;
      auto entry = seals_->decode(*view, key.position);
      if (!entry) {
        closed = std::move(entry.error());
        return false;
      }
      limit.taken(view->payload.size());
      page.entries.push_back(std::move(*entry));
    }
    limit.visited();
    page.next = key.position;
    next_entry.reset();
    return true;
  };
  if (Status status = visit_entries(*database_, viewed ? Ranges::viewed : Ranges::both, after,
                                    at.head, at.snapshot.get(), take);
      !status) {
    return fail(std::move(status.error()));
  }
  if (closed) return fail(std::move(*closed));
  if (!readable) {
    return fail(corrupt("the entry after revision " + std::to_string(page.next.revision.value) +
                        " is unreadable"));
  }
  auto segment_end = segment_end_before(at, page.trim_floor, next_entry.value_or(at.head.next()));
  if (!segment_end) return fail(std::move(segment_end.error()));
  log_rules::finish_page(page, after, next_entry, at.head, *segment_end);
  return page;
}

Result<std::vector<LatestEntry>> RocksDbChangeLog::newest_of(const Published& at,
                                                             const ResourceKey& key) const {
  std::vector<LatestEntry> found;
  std::vector<std::size_t> sealed;  // their hash lies in the log entry
  bool readable = true;
  const std::string prefix = latest_prefix(key);
  const auto take = [&](std::string_view stored_key, std::string_view value) {
    auto entry = parse_latest(stored_key, value);
    readable = entry.has_value();
    if (!readable) return false;
    if (is_sealed_latest(value)) sealed.push_back(found.size());
    found.push_back(std::move(*entry));
    return true;
  };
  if (Status status = database_->visit(Family::latest, prefix, prefix_end(prefix),
                                       at.snapshot.get(), take);
      !status) {
    return fail(std::move(status.error()));
  }
  if (!readable) return fail(corrupt("the newest entry of " + to_string(key) + " is unreadable"));
  for (const std::size_t index : sealed) {
    auto entry = read_at(at, found[index].position);
    if (!entry) return fail(std::move(entry.error()));
    found[index].hash = entry->change.hash;
  }
  return found;
}

Result<std::optional<LatestEntry>> RocksDbChangeLog::latest(const ResourceKey& key) const {
  auto found = newest_of(published(), key);
  if (!found) return fail(std::move(found.error()));
  return log_rules::prefer(std::move(*found));
}

Result<LogEntry> RocksDbChangeLog::read_at(const Published& at, Position position) const {
  const std::string where =
      "revision " + std::to_string(position.revision.value) + ", index " +
      std::to_string(position.index);
  auto value = get_entry(*database_, position, at.snapshot.get());
  if (!value) return fail(std::move(value.error()));
  if (!*value) return fail(ErrorCode::not_found, "no log entry at " + where);
  const auto view = decode_stored_entry(**value);
  if (!view) return fail(corrupt("the entry at " + where + " is unreadable"));
  return seals_->decode(*view, position);
}

Result<LogEntry> RocksDbChangeLog::read(Position position) const {
  return read_at(published(), position);
}

Result<std::vector<LogEntry>> RocksDbChangeLog::history(const ResourceKey& key,
                                                        std::size_t limit) const {
  const Published at = published();
  auto newest = newest_of(at, key);
  if (!newest) return fail(std::move(newest.error()));
  return log_rules::merge_history(
      *newest, limit, [&](Position position) { return read_at(at, position); });
}

Result<std::optional<LogEntry>> RocksDbChangeLog::entry_at(const ResourceKey& key,
                                                           Revision revision) const {
  const Published at = published();
  auto newest = newest_of(at, key);
  if (!newest) return fail(std::move(newest.error()));
  return log_rules::entry_at(*newest, revision,
                             [&](Position position) { return read_at(at, position); });
}

Result<ListPage> RocksDbChangeLog::list(const ListFilter& filter,
                                        const std::optional<ResourceKey>& after,
                                        std::size_t limit) const {
  if (Status status = log_rules::check_filter(filter); !status) return fail(status.error());
  const Published at = published();
  const std::string prefix = latest_prefix(filter);
  std::string from = prefix;
  if (after) from = std::max(from, prefix_end(latest_prefix(*after)));
  ListPage page;
  std::optional<Error> error;
  log_rules::ListBuilder builder(filter, limit, page,
                                 [&](Position position) { return read_at(at, position); });
  const auto take = [&](std::string_view key, std::string_view value) {
    const auto latest = parse_latest(key, value);
    if (!latest) {
      error = corrupt("an entry of the resource index is unreadable");
      return false;
    }
    return builder.take(*latest);
  };
  if (Status status = database_->visit(Family::latest, from, prefix_end(prefix), at.snapshot.get(),
                                       take);
      !status) {
    return fail(std::move(status.error()));
  }
  if (error) return fail(std::move(*error));
  if (Status status = builder.take_status(); !status) {
    if (status.error().code != ErrorCode::not_found) return fail(status.error());
    return fail(corrupt("the log entry of a resource is missing: " + status.error().message));
  }
  return page;
}

}  // namespace zonesync

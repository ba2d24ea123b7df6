// A change log's content in memory: what MemoryChangeLog is, and what the journal's outbox serves
// its readers from. Knows nothing of durability: callers apply a segment once it is durable.
//
// Thread rule: one writer thread; const functions from any thread (a shared lock per call; the
// `admits` of a scan runs under it and must not call back into the log's writer side).
#pragma once

#include <map>
#include <set>
#include <shared_mutex>

#include "storage/change_log.hpp"
#include "storage/log_rules.hpp"
#include "storage/trim_floors.hpp"

namespace zonesync {

class LogTable {
 public:
  LogTable(Id128 log_id, bool complete, AsideRule aside = {});

  // The reader side of ChangeLog, same contracts.
  [[nodiscard]] LogState state() const;
  [[nodiscard]] Result<ScanPage> scan(Position after, const ScanOptions& options) const;
  [[nodiscard]] std::optional<LatestEntry> latest(const ResourceKey& key) const;
  [[nodiscard]] Result<LogEntry> read(Position position) const;
  [[nodiscard]] Result<std::vector<LogEntry>> history(const ResourceKey& key,
                                                      std::size_t limit) const;
  [[nodiscard]] Result<std::optional<LogEntry>> entry_at(const ResourceKey& key,
                                                         Revision revision) const;
  [[nodiscard]] Result<ListPage> list(const ListFilter& filter,
                                      const std::optional<ResourceKey>& after,
                                      std::size_t limit) const;
  [[nodiscard]] ChangeLog::DigestsAt digests() const;
  [[nodiscard]] bool is_aside(const Class& cls) const { return aside_ && aside_(cls); }
  [[nodiscard]] Revision trim_floor_of(std::string_view type) const;
  [[nodiscard]] Revision viewed_floor() const;

  // Writer side.
  [[nodiscard]] Result<log_rules::SegmentPlan> plan(Segment segment) const;
  /// Makes a planned segment visible at once. The plan must be for the current head.
  void apply(log_rules::SegmentPlan plan);
  void add_era(EraRecord era);
  void set_complete();
  /// One step of ChangeLog::trim.
  [[nodiscard]] Result<TrimProgress> trim(const TrimRequest& request);
  /// All of it at once; the tombstone floor stays.
  void trim(Revision floor);
  /// Forgets everything after `revision` (and eras that started later).
  void rewind_to(Revision revision);
  /// Puts back entries of a trimmed log, oldest first, in the state a snapshot recorded. For
  /// recovery, on an empty table.
  void restore(std::vector<LogEntry> entries, Revision head, Revision trim_floor);
  /// The newest entry of every (class, key), in log order.
  [[nodiscard]] std::vector<LogEntry> newest() const;

 private:
  using Entries = std::map<Position, LogEntry>;
  using Latest = std::map<log_rules::Slot, LatestEntry>;

  void take(LogEntry entry);
  using GroupType = std::optional<std::string_view>;  // nothing = types without an own floor
  bool sweep_superseded(const GroupType& type, TrimGroup& group, std::size_t max_visited,
                        TrimProgress& progress);
  bool sweep_tombstones(const GroupType& type, TrimGroup& group, std::size_t max_visited,
                        TrimProgress& progress);
  void publish_floors();
  void recompute_digests();
  [[nodiscard]] Result<LogEntry> read_locked(Position position) const;
  [[nodiscard]] std::vector<LatestEntry> newest_of(const ResourceKey& key) const;

  mutable std::shared_mutex mutex_;
  LogState state_;
  Entries entries_;
  Latest latest_;
  std::set<Revision> segment_ends_;
  TrimFloors floors_;
  ClassDigests digests_;
  const AsideRule aside_;
};

}  // namespace zonesync

// A change log in memory: the reference implementation, and the simulator's disk.
//
// With `manual_sync` an append is "in the page cache" until sync(): it is neither answered nor
// visible. crash() loses what was not synced, reopen() is the next process start.
//
//   append(S1) append(S2) ── sync() ──► done(S1) done(S2)
//   append(S3) ── crash() ──► S3 gone, never answered ── reopen() ──► new era, appends again
//
// Thread rule: as in ChangeLog; sync, crash, reopen, rewind_to and fail_next belong to the writer.
#pragma once

#include <deque>
#include <optional>

#include "storage/change_log.hpp"
#include "storage/log_table.hpp"
#include "storage/random_id.hpp"

namespace zonesync {

struct MemoryChangeLogOptions {
  bool manual_sync = false;
  bool created_complete = false;
  IdSource ids = random_id;  // log and era ids; give a seeded one for deterministic runs
  AsideRule aside{};         // classes of the second range; empty = there is none
};

class MemoryChangeLog final : public ChangeLog {
 public:
  explicit MemoryChangeLog(MemoryChangeLogOptions options = {});

  [[nodiscard]] LogState state() const override { return table_.state(); }
  void append(Segment segment, AppendDone done) override;
  Status declare_complete() override;
  [[nodiscard]] Result<TrimProgress> trim(const TrimRequest& request) override;
  [[nodiscard]] Result<ScanPage> scan(Position after, const ScanOptions& options) const override {
    return table_.scan(after, options);
  }
  [[nodiscard]] Result<std::optional<LatestEntry>> latest(const ResourceKey& key) const override {
    return table_.latest(key);
  }
  [[nodiscard]] Result<LogEntry> read(Position position) const override {
    return table_.read(position);
  }
  [[nodiscard]] Result<std::vector<LogEntry>> history(const ResourceKey& key,
                                                      std::size_t limit) const override {
    return table_.history(key, limit);
  }
  [[nodiscard]] Result<std::optional<LogEntry>> entry_at(const ResourceKey& key,
                                                         Revision revision) const override {
    return table_.entry_at(key, revision);
  }
  [[nodiscard]] Result<ListPage> list(const ListFilter& filter,
                                      const std::optional<ResourceKey>& after,
                                      std::size_t limit) const override {
    return table_.list(filter, after, limit);
  }
  [[nodiscard]] DigestsAt digests() const override { return table_.digests(); }
  [[nodiscard]] bool is_aside(const Class& cls) const override { return table_.is_aside(cls); }
  [[nodiscard]] Revision trim_floor_of(std::string_view type) const override {
    return table_.trim_floor_of(type);
  }
  [[nodiscard]] Revision viewed_floor() const override { return table_.viewed_floor(); }

  /// Makes everything appended so far durable and answers it, in order.
  void sync();
  /// Appends that wait for sync().
  [[nodiscard]] std::size_t unsynced() const { return pending_.size(); }
  /// The process dies: unsynced segments are gone and never answered, except that the disk
  /// happened to keep the first `kept`. Every append is refused until reopen().
  void crash(std::size_t kept = 0);
  /// The next process start: clears a fail-stop, appends an era.
  void reopen();
  /// A rewound disk: everything after `revision` never happened. Call reopen() next.
  void rewind_to(Revision revision);
  /// The next append is answered with `error`; storage_io and storage_corrupt stop the log.
  void fail_next(Error error) { failure_ = std::move(error); }
  /// Trims superseded entries up to `floor`, all at once.
  void trim(Revision floor) { table_.trim(floor); }

 private:
  struct Pending {
    Segment segment;
    AppendDone done;
  };
  [[nodiscard]] Revision pending_head() const;
  [[nodiscard]] Status write(Segment segment);

  MemoryChangeLogOptions options_;
  LogTable table_;
  std::deque<Pending> pending_;
  std::optional<Error> failure_;
  bool stopped_ = false;
};

}  // namespace zonesync

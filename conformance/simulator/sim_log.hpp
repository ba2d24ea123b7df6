// A change log on a disk that crashes, seen by the oracle at the durable point.
//
//   append ── sync delay ──► durable: oracle.committed ──► done      crash: what waits is gone
//
// Life cycle: outlives the processes that use it. Thread rule: one thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conformance/simulator/environment.hpp"
#include "storage/memory/memory_change_log.hpp"

namespace zonesync::sim {

class SimLog final : public ChangeLog {
 public:
  struct Options {
    std::string node;
    bool complete = false;
    AsideRule aside{};                    // as MemoryChangeLogOptions
    bool fsync_lies = false;
    bool no_new_era_after_rewind = false;
  };
  SimLog(Environment& env, Options options);

  // -- ChangeLog ---------------------------------------------------------------------------------
  [[nodiscard]] LogState state() const override;
  void append(Segment segment, AppendDone done) override;
  Status declare_complete() override;
  [[nodiscard]] Result<ScanPage> scan(Position after, const ScanOptions& options) const override;
  [[nodiscard]] Result<std::optional<LatestEntry>> latest(const ResourceKey& key) const override {
    return log_.latest(key);
  }
  [[nodiscard]] Result<LogEntry> read(Position position) const override {
    return log_.read(position);
  }
  [[nodiscard]] Result<std::vector<LogEntry>> history(const ResourceKey& key,
                                                      std::size_t limit) const override {
    return log_.history(key, limit);
  }
  [[nodiscard]] Result<std::optional<LogEntry>> entry_at(const ResourceKey& key,
                                                         Revision revision) const override {
    return log_.entry_at(key, revision);
  }
  [[nodiscard]] Result<ListPage> list(const ListFilter& filter,
                                      const std::optional<ResourceKey>& after,
                                      std::size_t limit) const override {
    return log_.list(filter, after, limit);
  }
  [[nodiscard]] DigestsAt digests() const override { return log_.digests(); }
  [[nodiscard]] bool is_aside(const Class& cls) const override { return log_.is_aside(cls); }
  [[nodiscard]] Revision trim_floor_of(std::string_view type) const override {
    return log_.trim_floor_of(type);
  }
  [[nodiscard]] Revision viewed_floor() const override { return log_.viewed_floor(); }

  // -- the disk ----------------------------------------------------------------------------------
  /// The process is gone. `keep`: the disk happened to have the segment that was being synced.
  void crash(bool keep);
  /// A process starts: a new era, unless the disk is new. Checks that nothing durable is missing.
  void reopen();
  /// Goes back while no process runs; the oracle is told. Call reopen next.
  void rewind_to(Revision revision);
  void fail_next(Error error) { log_.fail_next(std::move(error)); }
  [[nodiscard]] Result<TrimProgress> trim(const TrimRequest& request) override {
    return log_.trim(request);
  }
  /// Called for each transaction at its durable point.
  void on_durable(std::function<void(const Transaction&)> callback) {
    on_durable_ = std::move(callback);
  }
  [[nodiscard]] std::size_t unsynced() const { return log_.unsynced(); }
  [[nodiscard]] Id128 id() const { return log_.state().log_id; }
  /// Live content as the disk has it.
  [[nodiscard]] oracle::Content live() const;
  void check() const;

 private:
  void append_lying(Segment segment, AppendDone done);
  void durable(const Segment& segment);
  void tell_opened();
  void schedule_sync();

  Environment& env_;
  Options options_;
  Rng rng_;
  MemoryChangeLog log_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // disks are replaced
  std::uint64_t epoch_ = 0;           // of the process that writes
  bool sync_due_ = false;
  bool fresh_ = true;                 // no process had it open before
  std::vector<Segment> waiting_;      // appended, not durable
  std::vector<std::function<void()>> answers_;
  Revision really_synced_;            // fsync_lies: what a crash leaves
  bool hide_next_era_ = false;        // no_new_era_after_rewind
  std::optional<EraId> hidden_era_;
  std::function<void(const Transaction&)> on_durable_;
};

}  // namespace zonesync::sim

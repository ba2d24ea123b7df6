// The single writer: judges, orders and commits everything that changes the hub's log.
//
//   submit ──► queue ──► pump: plan jobs into one group ──► log.append ──► durable:
//     publish to LogSource ──► finish every job (answers) ──► events.committed (wake sessions)
//
// One segment is in flight at a time. A storage error is fail-stop: everything that waits gets the
// error and events.fatal tells the shell to exit (74). A full disk refuses what waits in the group
// and the hub goes on.
//
// Life cycle: construct, load, then submit and pump. Thread rule: the writer thread, also the
// completions; values are carried in and out by the shell.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/flowlog/log_source.hpp"
#include "server/hub/commit_queue.hpp"
#include "server/hub/hub_api.hpp"
#include "server/hub/idempotency.hpp"
#include "server/hub/up_commit.hpp"
#include "server/hub/up_state.hpp"
#include "server/hub/v1_estimate.hpp"
#include "server/hub/views.hpp"
#include "server/hub/zone_table.hpp"

namespace zonesync::hub {

class HubCore {
 public:
  struct Options {
    CommitQueue::Limits queue;
    std::size_t group_max_changes = limits::kGroupCommitMaxChanges;
    std::size_t group_max_bytes = limits::kGroupCommitMaxBytes;
    std::size_t idempotency_keys_max = limits::kIdempotencyKeysMax;
  };
  struct Events {
    std::function<void(const Segment&)> committed;  // durable and published
    std::function<void(const Error&)> fatal;        // once; nothing is accepted after it
    std::function<std::int64_t()> now_ms;           // wall clock, for status only
  };

  /// `log`, `source` and `table` outlive the core.
  HubCore(Options options, ChangeLog& log, LogSource& source, ZoneTable& table,
          std::shared_ptr<const TypeRegistry> registry, Events events);
  ~HubCore();
  HubCore(const HubCore&) = delete;
  HubCore& operator=(const HubCore&) = delete;

  /// Reads the hub's own state from the log. Errors: storage_io, storage_corrupt.
  Status load();

  /// Errors through `done`: resource_exhausted (queue or disk full), precondition_failed, conflict
  /// (idempotency key with other content), unavailable (after a fatal error), storage_io.
  void submit(PreparedWrite write, WriteDone done);
  /// A full queue is a hold ("queue_full"), so is a full disk ("disk_full").
  void submit_up(UpCommit commit, UpDone done);
  /// Any other work of the hub itself; never refused for a full queue.
  void submit_job(const std::string& source, std::unique_ptr<Job> job);

  /// Commits what waits, unless a segment is in flight. Call after submitting.
  void pump();
  /// A bounded step of what a start leaves for later; false = nothing is left. For when the core is
  /// idle. Errors: storage_io, storage_corrupt.
  [[nodiscard]] Result<bool> late_work();
  [[nodiscard]] bool idle() const { return !in_flight_ && queue_.empty(); }

  [[nodiscard]] UpStates& up() { return up_; }
  [[nodiscard]] const V1Estimate& v1() const { return v1_; }
  [[nodiscard]] ZoneTable& table() { return table_; }
  [[nodiscard]] HubCounters& counters() { return counters_; }
  [[nodiscard]] const std::optional<Error>& fatal_error() const { return fatal_; }
  /// Writer thread: with types that wait to be durable.
  [[nodiscard]] const TypeRegistry& registry() const { return views_.planned_registry(); }
  [[nodiscard]] Views& views() { return views_; }
  [[nodiscard]] const Views& views() const { return views_; }
  /// Called after a group was refused by the log and the core reloaded its own state: whoever
  /// changed memory while planning reloads too.
  void on_rollback(std::function<void()> reload) { rollback_.push_back(std::move(reload)); }
  /// Lets the held up cut of a zone through once. Errors: not_found (no mass delete is held).
  Status approve_mass_delete(const std::string& zone);

  /// The queue's name for everything that must stay in order for one zone.
  [[nodiscard]] static std::string source_of(const std::string& zone) { return "zone/" + zone; }

 private:
  class WriteJob;
  class UpJob;
  void build_group(Group& group);
  void appended(const Status& status, const std::optional<Segment>& segment);
  void stop(const Error& error);
  void roll_back();

  Options options_;
  ChangeLog& log_;
  LogSource& source_;
  ZoneTable& table_;
  Events events_;
  CommitQueue queue_;
  UpStates up_;
  Views views_;
  IdempotencyTable idempotency_;
  V1Estimate v1_;
  HubCounters counters_;
  std::map<std::string, std::pair<SessionId, std::uint64_t>> refused_cuts_;  // newest, by zone
  std::vector<std::unique_ptr<Job>> group_jobs_;
  std::vector<std::function<void()>> rollback_;
  std::optional<Error> fatal_;
  bool in_flight_ = false;
  bool pumping_ = false;
};

}  // namespace zonesync::hub

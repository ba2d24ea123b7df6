// A zone: disks that outlive its processes, the process that runs now, and its application.
#pragma once

#include <functional>
#include <unordered_map>
#include <memory>
#include <optional>
#include <string>

#include "client-sdk/zone/zone_machine.hpp"
#include "conformance/simulator/connection.hpp"
#include "conformance/simulator/sim_log.hpp"
#include "conformance/simulator/sim_replica.hpp"
#include "storage/memory/memory_stage.hpp"

namespace zonesync::sim {

/// Life cycle: one per zone and duplicate; start, crash and start again. Thread rule: one thread.
class ZoneNode final : public ZonePort {
 public:
  struct Options {
    std::string node;       // unique
    std::string zone;       // what Hello says
    std::string identity;   // what the credential proves
    bool durable = true;
    bool older = false;     // built without the newest type
    bool newer = false;     // speaks only a version of the future
  };
  /// `dial` makes a connection for this node and attaches the hub's side; null = refused.
  using Dial = std::function<std::shared_ptr<Connection>(ZoneNode&)>;
  ZoneNode(Environment& env, Options options, Dial dial);
  ~ZoneNode() override;

  void start();
  /// Everything in memory is gone. `keep`: the disk happened to have what was being synced.
  void crash(bool keep, bool silent);
  /// While down: empty disks; the application publishes anew.
  void reinstall();
  /// While down: the disks go back.
  void rewind(std::size_t replica_steps, std::uint64_t outbox_revisions);
  [[nodiscard]] bool up() const { return process_ != nullptr; }

  void publish(std::vector<OutboxOp> ops);
  void publish_complete();
  void trim_outbox(std::uint64_t keep);
  void fail_replica() {
    replica_->fail_next(full_disk());
    if (stage_) stage_->fail_next(full_disk());
  }
  void fail_outbox() { outbox_log_->fail_next(full_disk()); }
  void hold_application(bool hold);
  /// Approves what the mass-delete guard holds; nothing when nothing is held.
  void approve();
  void reconnect_now();
  /// Once, at the `nth` message after which it holds a part of an unfinished cut.
  void on_staged(std::uint64_t nth, std::function<void()> happens);
  void barrier(std::function<bool(Id128 log, Revision)> committed_at_hub);
  /// Connects fail until then.
  void refuse_until(TimePoint until) { refused_until_ = until; }

  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] std::optional<ZoneStatus> status() const;
  [[nodiscard]] std::uint64_t unanswered() const { return unanswered_; }
  [[nodiscard]] SimReplica& replica() { return *replica_; }
  [[nodiscard]] SimLog& outbox_log() { return *outbox_log_; }
  [[nodiscard]] const std::shared_ptr<Connection>& connection() const { return connection_; }
  /// How many of its own resources the application knows to be refused by the hub.
  [[nodiscard]] std::size_t refused() const;
  /// What the application sees equals what the store says is active, and no poison is.
  void check_application() const;
  [[nodiscard]] std::string describe() const;

  // ZonePort
  [[nodiscard]] TimePoint now() const override { return env_.scheduler.now(); }
  [[nodiscard]] double random() override { return rng_.unit(); }
  void connect() override;
  void cancel_connect() override { ++connect_number_; }
  void wake() override;
  void schedule(std::optional<TimePoint> deadline) override;
  void cut_applied(AppliedCut cut) override;
  void status_changed() override;

 private:
  struct Process;
  [[nodiscard]] static Error full_disk() {
    return Error{ErrorCode::resource_exhausted, "no space left on device", ""};
  }
  void make_disks();
  void dialled(std::uint64_t number);
  void look_at(wire::Hello& hello) const;
  void check_staged();
  void check_order(const AppliedCut& cut) const;
  void check_status(const ZoneStatus& status) const;

  Environment& env_;
  const Options options_;
  Dial dial_;
  Rng rng_;
  std::uint64_t disks_ = 0;
  std::uint64_t unanswered_ = 0;   // publications of this process
  std::uint64_t processes_ = 0;
  std::uint64_t connect_number_ = 0;
  std::optional<SyncMode> last_mode_;
  std::uint64_t deadline_number_ = 0;
  TimePoint refused_until_{};
  std::unique_ptr<SimReplica> replica_;
  std::unique_ptr<MemoryStage> stage_;  // none = everything is staged in memory
  std::unique_ptr<SimLog> outbox_log_;
  std::unique_ptr<Process> process_;
  std::shared_ptr<Connection> connection_;
  std::unordered_map<ResourceKey, SharedBytes, oracle::KeyHash> application_;
  std::string held_;
  std::uint64_t staged_nth_ = 0;           // 0 = nobody waits
  std::function<void()> when_staged_;
};

}  // namespace zonesync::sim

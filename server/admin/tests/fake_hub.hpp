// HubApi over the real HubCore on a thread of its own, with zones as the test sets them.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "server/hub/mass_jobs.hpp"
#include "server/hub/testing/hub_harness.hpp"

namespace zonesync::admin::testing {

/// Thread rule: any thread; completions and listeners run on the hub's thread.
class FakeHub final : public hub::HubApi {
 public:
  FakeHub();
  ~FakeHub() override;

  // -- what the test sets ------------------------------------------------------------------------
  void set_zone(hub::ZoneStatus status);
  /// The zone acked `revision`; waits that are fulfilled are answered.
  void ack(const std::string& zone, Revision revision);
  void set_ready(bool ready, bool draining);
  void set_disk(bool writes_refused, std::uint64_t free_bytes);
  /// The next write, registration or deletion is answered with it.
  void fail_next(Error error);
  /// Writes are answered after release_writes() only.
  void hold_writes();
  void release_writes();
  [[nodiscard]] std::size_t held_writes() const;
  [[nodiscard]] std::size_t waits() const;
  /// Adds a resource of a zone to the log, as an up cut would.
  void publish(const Resource& resource);
  void write(std::vector<hub::WriteOp> ops);
  void trim(Revision floor, Revision tombstone_floor = {});

  // -- HubApi ------------------------------------------------------------------------------------
  [[nodiscard]] const ChangeLog& log() const override { return harness_.log; }
  [[nodiscard]] const LogSource& source() const override { return *harness_.source; }
  [[nodiscard]] std::shared_ptr<const TypeRegistry> registry() const override {
    return harness_.core->views().registry();
  }
  void change_zone(const std::string& name, hub::ZoneChange change, hub::StatusDone done) override;
  void resync_zone(const std::string& name, hub::StatusDone done) override;
  void drain_zone(const std::string& name, std::chrono::milliseconds retry_after,
                  hub::StatusDone done) override;
  void add_type(TypeInfo type, hub::StatusDone done) override;
  [[nodiscard]] std::optional<View> view_of(const std::string& zone) const override;
  [[nodiscard]] hub::HubInfo info() const override;
  [[nodiscard]] hub::HubCounters counters() const override;
  [[nodiscard]] std::vector<hub::ZoneStatus> zones() const override;
  [[nodiscard]] std::optional<hub::ZoneStatus> zone(const std::string& name) const override;
  void submit(hub::WriteRequest request, hub::WriteDone done) override;
  void register_zone(const std::string& name, hub::StatusDone done) override;
  void delete_zone(const std::string& name, bool force, hub::StatusDone done) override;
  void approve_mass_delete(const std::string& name, hub::StatusDone done) override;
  void set_zone_mode(const std::string& name, std::optional<SyncMode> mode,
                     std::chrono::milliseconds ttl, hub::StatusDone done) override;
  [[nodiscard]] std::vector<hub::JobStatus> jobs() const override { return jobs_.snapshot(); }
  void start_mesh_deletion(hub::JobRequest request, hub::JobDone done) override;
  void cancel_job(const std::string& id, hub::JobDone done) override;
  void wait_revision(std::vector<std::string> zones, Revision revision,
                     std::chrono::milliseconds timeout, hub::WaitDone done) override;
  void checkpoint(const std::string& name, hub::CheckpointDone done) override;
  void declare_complete(hub::StatusDone done) override;
  [[nodiscard]] hub::ListenerId listen(hub::Listener listener) override;
  void unlisten(hub::ListenerId id) override;

 private:
  struct Wait {
    std::vector<std::string> zones;
    Revision revision;
    hub::WaitDone done;
  };
  void post(std::function<void()> work);
  void post_and_wait(std::function<void()> work);
  void run();
  [[nodiscard]] hub::WaitResult judge(const Wait& wait) const;
  void run_write(hub::PreparedWrite write, hub::WriteDone done);
  void announce(hub::HubEvent event);
  [[nodiscard]] std::optional<Error> take_failure();

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<std::function<void()>> work_;
  bool stopping_ = false;
  bool ready_ = true;
  bool writes_refused_ = false;
  std::optional<std::uint64_t> disk_free_bytes_;
  bool draining_ = false;
  bool holding_ = false;
  std::deque<std::function<void()>> held_;
  std::optional<Error> failure_;
  std::map<std::string, hub::ZoneStatus> zones_;
  std::vector<Wait> waits_;

  std::mutex listeners_mutex_;
  std::map<hub::ListenerId, hub::Listener> listeners_;
  hub::ListenerId next_listener_ = 1;

  hub::testing::HubHarness harness_;  // its core only on the hub's thread
  hub::MassJobs jobs_{{}, *harness_.core, harness_.log};
  std::thread thread_;
};

}  // namespace zonesync::admin::testing

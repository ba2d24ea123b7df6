// A running hub inside this process: storage, writer thread, sync port. Used by `serve`, tests and
// demo.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "protocol/runtime/timer.hpp"
#include "server/cmd/event_hub.hpp"
#include "server/cmd/store_watch.hpp"
#include "server/cmd/sync_server.hpp"
#include "server/config/hub_config.hpp"
#include "server/hub/mass_jobs.hpp"

namespace zonesync {

/// Life cycle: start, use as HubApi, stop (graceful) or destroy (the same, in haste). A fatal
/// storage error calls `on_fatal` once, on the writer thread; the owner then exits with 74.
/// Thread rule: HubApi from any thread; start, stop and reload from the owner's, none of them on a
/// hub thread.
class HubProcess final : public hub::HubApi {
 public:
  struct Options {
    HubConfig config;
    std::shared_ptr<Logger> logger;               // null = none
    std::function<void(const Error&)> on_fatal;
    std::unique_ptr<ChangeLog> log;               // null = RocksDB at config.storage_dir
    auth::AttemptLimiter::Options attempts{.max_failures = 100};
  };

  /// Errors: those of the store (unavailable: another process has it), of credentials and
  /// certificates, unavailable (address cannot be bound).
  [[nodiscard]] static Result<std::unique_ptr<HubProcess>> start(Options options);
  ~HubProcess() override;

  /// Tells zones to come back later, waits for them up to `grace`, stops the threads. Idempotent.
  void stop(Duration grace = std::chrono::seconds(3));
  /// Certificates, keys and revocations again; a failure keeps the old ones. Errors name the file.
  Status reload();

  [[nodiscard]] std::uint16_t sync_port() const { return sync_->port(); }
  [[nodiscard]] TlsContextPtr tls() const { return tls_; }
  [[nodiscard]] std::shared_ptr<const auth::Credentials> credentials() const;

  // HubApi
  [[nodiscard]] const ChangeLog& log() const override { return *log_; }
  [[nodiscard]] const LogSource& source() const override { return *source_; }
  [[nodiscard]] std::shared_ptr<const TypeRegistry> registry() const override {
    return core_->views().registry();
  }
  [[nodiscard]] std::optional<View> view_of(const std::string& zone) const override {
    return core_->views().view_of(zone);
  }
  void change_zone(const std::string& name, hub::ZoneChange change, hub::StatusDone done) override;
  void resync_zone(const std::string& name, hub::StatusDone done) override;
  void drain_zone(const std::string& name, std::chrono::milliseconds retry_after,
                  hub::StatusDone done) override;
  void add_type(TypeInfo type, hub::StatusDone done) override;
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
  void wait_revision(std::vector<std::string> zones, Revision revision,
                     std::chrono::milliseconds timeout, hub::WaitDone done) override;
  void checkpoint(const std::string& name, hub::CheckpointDone done) override;
  void declare_complete(hub::StatusDone done) override;
  [[nodiscard]] std::vector<hub::JobStatus> jobs() const override { return jobs_->snapshot(); }
  void start_mesh_deletion(hub::JobRequest request, hub::JobDone done) override;
  void cancel_job(const std::string& id, hub::JobDone done) override;
  [[nodiscard]] hub::ListenerId listen(hub::Listener listener) override;
  void unlisten(hub::ListenerId id) override;

 private:
  explicit HubProcess(Options options);
  Status open_store();
  Status load_security();
  Status build_core();
  void build_sessions();
  void start_tick();
  void tick();
  void after_batch();
  void upkeep();
  void trim(bool more_to_do);
  void on_committed(const Segment& segment);
  void check_waits();
  void operate(std::function<void(const hub::StatusDone&)> work, hub::StatusDone done);
  [[nodiscard]] Result<SessionId> session_for(const std::string& name) const;
  [[nodiscard]] std::shared_ptr<const TypeRegistry> types_now() const;
  template <class Work, class Done>
  void on_writer(Work work, Done done);

  HubConfig config_;
  std::shared_ptr<Logger> logger_;
  std::function<void(const Error&)> on_fatal_;
  auth::AttemptLimiter::Options attempts_;
  std::int64_t started_at_ms_ = 0;

  std::unique_ptr<ChangeLog> log_;
  RocksDbChangeLog* store_ = nullptr;              // the same, when it lies on a disk
  StoreWatch watch_;                               // writer thread; its answers from any
  std::unique_ptr<LogSource> source_;
  TlsContextPtr tls_;
  mutable std::mutex mutex_;                       // guards the next two
  std::shared_ptr<const auth::Credentials> credentials_;
  hub::HubCounters counters_;

  EventHub events_;
  std::unique_ptr<IoPool> pool_;                   // outlives all that holds sockets and timers
  hub::ZoneTable table_;
  std::unique_ptr<hub::HubCore> core_;             // writer thread
  std::unique_ptr<hub::ZoneRegistry> registry_;    // writer thread
  std::unique_ptr<hub::MassJobs> jobs_;            // writer thread; its snapshot from any
  std::unique_ptr<SessionServices> services_;
  std::unique_ptr<SyncServer> sync_;
  std::unique_ptr<Timer> timer_;                   // on pool thread 0
  unsigned ticks_ = 0;                             // on pool thread 0
  std::atomic<std::size_t> waiting_writes_{0};     // submitted, not yet with the core
  std::atomic<std::size_t> waiting_bytes_{0};
  std::atomic<bool> ready_{false};
  std::atomic<bool> draining_{false};
  std::atomic<bool> stopped_{false};
  RetentionClock retention_clock_;                 // writer thread
  std::uint64_t appended_bytes_ = 0;               // writer thread
  RetentionClock::TypeBytes type_bytes_;           // writer thread; types with own retention
  std::atomic<bool> upkeep_waits_{false};          // posted, not yet run
  WriterThread writer_;                            // last: joined before anything else goes
};

}  // namespace zonesync

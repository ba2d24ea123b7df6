#include "server/cmd/hub_process.hpp"

#include <malloc.h>

#include <algorithm>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "server/cmd/checkpoints.hpp"
#include "server/cmd/encryption.hpp"
#include "server/cmd/log_report.hpp"
#include "server/hub/unviewed.hpp"
#include "storage/rocksdb/rocksdb_change_log.hpp"

namespace zonesync {
namespace {

constexpr auto kTick = std::chrono::milliseconds(100);
constexpr unsigned kTicksPerSecond = 10;
constexpr unsigned kTicksPerRevocationRead = 40;
constexpr unsigned kTicksPerMemoryTrim = 300;
constexpr auto kReturnSpread = std::chrono::seconds(2);

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// The listener takes numbers only.
std::string numeric(const std::string& host) { return host == "localhost" ? "127.0.0.1" : host; }

/// What retention counts: a wall clock may jump, and would then take all history for old.
std::int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

RetentionLimits limits_of(const HubConfig::Retention& config) {
  return {config.revisions, config.age_ms, config.bytes, config.tombstones_ms};
}

RetentionPolicy policy_of(const HubConfig& config) {
  RetentionPolicy policy{limits_of(config.retention), {}};
  for (const auto& [type, own] : config.type_retention) policy.types.emplace(type, limits_of(own));
  return policy;
}

}  // namespace

HubProcess::HubProcess(Options options)
    : config_(std::move(options.config)),
      logger_(options.logger ? std::move(options.logger) : null_logger()),
      on_fatal_(std::move(options.on_fatal)),
      attempts_(options.attempts),
      started_at_ms_(wall_ms()),
      log_(std::move(options.log)),
      watch_(logger_) {}

Result<std::unique_ptr<HubProcess>> HubProcess::start(Options options) {
  auto process = std::unique_ptr<HubProcess>(new HubProcess(std::move(options)));
  if (auto status = process->load_security(); !status) return fail(std::move(status.error()));
  if (auto status = process->open_store(); !status) return fail(std::move(status.error()));
  if (auto status = process->build_core(); !status) return fail(std::move(status.error()));
  HubProcess& hub = *process;
  hub.pool_ = std::make_unique<IoPool>(hub.config_.io_threads);
  hub.writer_.start([&hub] { hub.after_batch(); });
  hub.writer_.post([&hub] {
    hub.registry_->resume_deletions();
    hub.jobs_->resume();
  });
  if (auto status = hub.sync_->start(*hub.pool_); !status) {
    return fail(std::move(status.error()));
  }
  hub.start_tick();
  hub.ready_ = true;
  return process;
}

HubProcess::~HubProcess() { stop(Duration::zero()); }

// -- start ----------------------------------------------------------------------------------------

Status HubProcess::open_store() {
  if (!log_) {
    RocksDbOptions options;
    options.create = true;  // a new log is partial: nobody deletes on its word (protocol.md §4.9)
    options.sync = config_.storage_sync;
    options.ballast_bytes = config_.storage_ballast_bytes;
    auto sealing = sealing_of(config_);
    if (!sealing) return fail(std::move(sealing.error()));
    options.sealing = std::move(*sealing);
    // Types may be registered while the hub runs: they count like those of the configuration.
    options.sealing.sensitive = [this](std::string_view type) {
      const TypeInfo* info = types_now()->find(type);
      return info != nullptr && info->sensitive;
    };
    options.aside = [this](const Class& cls) { return hub::is_unviewed(*types_now(), cls); };
    auto opened = RocksDbChangeLog::open(config_.storage_dir.string(), options);
    if (!opened) return fail(std::move(opened.error()));
    log_what_was_opened(**opened, *logger_);
    store_ = opened->get();
    log_ = std::move(*opened);
  }
  source_ = std::make_unique<LogSource>(*log_, limits::kHotTailBytes);
  return {};
}

std::shared_ptr<const TypeRegistry> HubProcess::types_now() const {
  return core_ ? core_->views().registry() : config_.registry;
}

Status HubProcess::load_security() {
  TlsServerOptions tls;
  tls.certificate_file = config_.tls_cert_file.string();
  tls.key_file = config_.tls_key_file.string();
  auto context = TlsContext::server(tls);
  if (!context) return fail(std::move(context.error()));
  tls_ = std::move(*context);
  auto credentials = auth::Credentials::load(
      {config_.zone_keys_dir, config_.api_keys_dir, config_.audience});
  if (!credentials) return fail(std::move(credentials.error()));
  credentials_ = std::make_shared<const auth::Credentials>(std::move(*credentials));
  return {};
}

Status HubProcess::build_core() {
  hub::HubCore::Events core_events;
  core_events.committed = [this](const Segment& segment) { on_committed(segment); };
  core_events.fatal = [this](const Error& error) {
    ready_ = false;
    logger_->log({LogLevel::error,
                  "hub.storage.fatal",
                  "the store failed; the hub stops so that nothing is acknowledged and lost",
                  {{"reason", describe(error)}}});
    if (on_fatal_) on_fatal_(error);
  };
  core_events.now_ms = wall_ms;
  core_ = std::make_unique<hub::HubCore>(hub::HubCore::Options{}, *log_, *source_, table_,
                                         config_.registry, std::move(core_events));
  hub::ZoneRegistry::Events zone_events;
  zone_events.close_session = [this](SessionId session, std::uint16_t code, std::string reason) {
    sync_->close_session(session, code, reason);
  };
  zone_events.fall_back = [this](SessionId session, Duration ttl) {
    sync_->fall_back(session, ttl);
  };
  zone_events.duplicate = [this](const std::string& zone) {
    logger_->log({LogLevel::error, "zone.duplicate", "several agents claim one zone",
                  {{"zone", zone}}});
  };
  zone_events.changed = [this](const std::string& zone) {
    events_.notify({hub::HubEvent::Kind::zone, zone, source_->head()});
  };
  hub::ZoneRegistry::Options zone_options;
  zone_options.auto_register = config_.zones_auto_register;
  registry_ = std::make_unique<hub::ZoneRegistry>(zone_options, *core_, std::move(zone_events));
  if (auto status = core_->load(); !status) return status;
  for (const auto& [type, own] : config_.type_retention) type_bytes_.emplace(type, 0);
  if (auto status = registry_->load(*log_); !status) return status;
  hub::MassJobs::Options job_options;
  job_options.now_ms = wall_ms;
  jobs_ = std::make_unique<hub::MassJobs>(std::move(job_options), *core_, *log_);
  if (auto status = jobs_->load(); !status) return status;
  core_->on_rollback([this] {
    auto status = registry_->load(*log_);
    if (status) status = jobs_->load();
    if (!status && on_fatal_) on_fatal_(status.error());
  });
  build_sessions();
  return {};
}

void HubProcess::build_sessions() {
  SessionServices services{writer_, *core_, *registry_, table_, *source_, logger_,
                            log_->state().log_id, wall_ms, {}, {}, {}};
  services.up_window = [this]() -> std::uint64_t {
    const std::uint64_t sessions = std::max<std::size_t>(sync_->sessions(), 1);
    return std::clamp<std::uint64_t>(limits::kUpCreditPoolBytes / sessions,
                                     limits::kUpFirstGrantBytes, limits::kFlowWindowBytes);
  };
  services.progress = [this](const std::string& zone, Revision revision) {
    events_.notify({hub::HubEvent::Kind::progress, zone, revision});
    check_waits();
  };
  services.ended = [this](SessionId session) { sync_->forget(session); };
  services.compression = config_.sync_compression;
  services_ = std::make_unique<SessionServices>(std::move(services));
  SyncServer::Options sync;
  sync.address = numeric(config_.listen_sync.host);
  sync.port = config_.listen_sync.port;
  sync.tls = tls_;
  sync.delta_enabled = config_.delta_enabled;
  sync.attempts = attempts_;
  sync_ = std::make_unique<SyncServer>(std::move(sync), *services_,
                                       [this] { return credentials(); });
}

// -- running --------------------------------------------------------------------------------------

void HubProcess::start_tick() {
  timer_ = std::make_unique<Timer>(pool_->at(0));
  pool_->post(0, [this] { tick(); });
}

void HubProcess::tick() {
  check_waits();
  ++ticks_;
  if (ticks_ % kTicksPerSecond == 0) sync_->tick_all();
  if (ticks_ % kTicksPerSecond == 0 && !upkeep_waits_.exchange(true)) {
    writer_.post([this] { upkeep(); });
  }
  // A burst leaves its memory with the allocator, in many arenas: give it back to the system.
  if (ticks_ % kTicksPerMemoryTrim == 0) ::malloc_trim(0);
  if (ticks_ % kTicksPerRevocationRead == 0) {
    if (auto status = credentials()->reload_revocations(); !status) {
      logger_->log({LogLevel::error, "auth.revocations.unreadable",
                    "the list of revoked tokens cannot be read; the old one stays",
                    {{"reason", describe(status.error())}}});
    }
  }
  timer_->arm_after(kTick, [this] { tick(); });
}

void HubProcess::after_batch() {
  core_->pump();
  const std::lock_guard lock(mutex_);
  counters_ = core_->counters();
}

/// Once a second, between groups: a bounded step of what the store has to do for itself.
void HubProcess::upkeep() {
  upkeep_waits_ = false;
  if (core_->fatal_error()) return;
  if (core_->idle()) log_->housekeep();
  if (store_ != nullptr) watch_.look(store_->space());
  if (!core_->idle()) return;  // writes first; the next second again
  const auto later = core_->late_work();
  if (!later) {
    logger_->log({LogLevel::error, "storage.read.failed", "the log cannot be read",
                  {{"reason", describe(later.error())}}});
  }
  jobs_->resume();  // what a full disk stopped
  trim(later && *later);
}

void HubProcess::trim(bool more_to_do) {
  const LogState before = log_->state();
  retention_clock_.sample(before.head, appended_bytes_, steady_ms(), type_bytes_);
  const auto request = plan_trim(policy_of(config_), before, retention_clock_, table_.cursors(),
                                 steady_ms());
  if (!request) {
    if (more_to_do && !upkeep_waits_.exchange(true)) writer_.post([this] { upkeep(); });
    return;
  }
  const auto progress = log_->trim(*request);
  if (!progress && progress.error().code == ErrorCode::resource_exhausted) {
    return watch_.trim_waits(progress.error());
  }
  if (!progress) {
    logger_->log({LogLevel::error, "storage.trim.failed", "old history could not be trimmed",
                  {{"reason", describe(progress.error())}}});
    if (progress.error().code == ErrorCode::storage_io && on_fatal_) on_fatal_(progress.error());
    return;
  }
  source_->refresh();
  // More to do: behind what was submitted meanwhile.
  const bool more = !progress->done || more_to_do;
  if (more && !upkeep_waits_.exchange(true)) writer_.post([this] { upkeep(); });
}

void HubProcess::on_committed(const Segment& segment) {
  for (const Transaction& transaction : segment.transactions) {
    for (const Change& change : transaction.changes) {
      appended_bytes_ += change.payload.size();
      const auto own = type_bytes_.find(change.key.type);
      if (own != type_bytes_.end()) own->second += change.payload.size();
    }
  }
  // What no zone views wakes none: their next Mark carries them past it (FLOW-30).
  if (source_->viewed_head() >= segment.transactions.front().revision) sync_->wake_all();
  events_.notify({hub::HubEvent::Kind::committed, "", source_->head()});
}

void HubProcess::check_waits() {
  events_.check([this](const std::string& zone) { return table_.acked(zone); },
                steady_clock().now());
}

void HubProcess::stop(Duration grace) {
  if (stopped_.exchange(true)) return;
  draining_ = true;
  ready_ = false;
  if (sync_) sync_->drain(kReturnSpread);
  const TimePoint deadline = steady_clock().now() + grace;
  while (sync_ && sync_->sessions() > 0 && steady_clock().now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  if (pool_) pool_->stop();
  writer_.stop();
  events_.end_waits([this](const std::string& zone) { return table_.acked(zone); });
  timer_.reset();
}

Status HubProcess::reload() {
  auto fresh = auth::Credentials::load(
      {config_.zone_keys_dir, config_.api_keys_dir, config_.audience});
  if (!fresh) return fail(std::move(fresh.error()));
  if (auto status = tls_->reload(); !status) return status;
  const std::lock_guard lock(mutex_);
  credentials_ = std::make_shared<const auth::Credentials>(std::move(*fresh));
  return {};
}

std::shared_ptr<const auth::Credentials> HubProcess::credentials() const {
  const std::lock_guard lock(mutex_);
  return credentials_;
}

// -- HubApi ---------------------------------------------------------------------------------------

hub::HubInfo HubProcess::info() const {
  const LogState state = source_->state();
  hub::HubInfo info;
  info.hub_id = state.log_id;
  info.head = state.head;
  info.era = state.current_era();
  info.era_start = state.eras.back().start;
  info.complete = state.complete;
  if (const auto* restored = store_ ? &store_->report().restored : nullptr; restored && *restored) {
    info.restored_at = (*restored)->revision;
    info.restored_at_ms = (*restored)->at_ms;
  }
  info.ready = ready_;
  info.draining = draining_;
  info.writes_refused = watch_.refusing();
  info.disk_free_bytes = watch_.free_bytes();
  info.started_at_ms = started_at_ms_;
  info.version = ZONESYNC_VERSION;
  return info;
}

hub::HubCounters HubProcess::counters() const {
  hub::HubCounters counters;
  {
    const std::lock_guard lock(mutex_);
    counters = counters_;
  }
  counters.queue_requests += waiting_writes_;
  counters.queue_bytes += waiting_bytes_;
  counters.sessions_opened = sync_->opened();
  counters.upgrades_refused = sync_->upgrades_refused();
  counters.tls_failures = sync_->tls_failures();
  counters.sessions_refused = services_->totals->refused;
  counters.protocol_errors = services_->totals->protocol_errors;
  return counters;
}

std::vector<hub::ZoneStatus> HubProcess::zones() const {
  return table_.snapshot(source_->viewed_head(), wall_ms());
}

std::optional<hub::ZoneStatus> HubProcess::zone(const std::string& name) const {
  return table_.snapshot_of(name, source_->viewed_head(), wall_ms());
}

/// Runs `work(done)` on the writer thread; a stopped hub answers `unavailable` there and then.
template <class Work, class Done>
void HubProcess::on_writer(Work work, Done done) {
  const bool posted = !draining_ && writer_.post([work, done] { work(done); });
  if (!posted) done(fail(ErrorCode::unavailable, "the hub is shutting down; retry later"));
}

void HubProcess::submit(hub::WriteRequest request, hub::WriteDone done) {
  auto prepared = hub::prepare(*registry(), request);
  if (!prepared) {
    const Error error = prepared.error();
    return on_writer([error](const hub::WriteDone& answer) { answer(fail(error)); },
                     std::move(done));
  }
  // What lies in the mailbox counts like what lies in the core's queue.
  const std::size_t bytes = prepared->bytes;
  const bool full = waiting_writes_ >= limits::kCommitQueueMaxRequests ||
                    (waiting_bytes_ > 0 && waiting_bytes_ + bytes > limits::kCommitQueueMaxBytes);
  if (full) {
    return on_writer(
        [](const hub::WriteDone& answer) {
          answer(fail(ErrorCode::resource_exhausted, "the commit queue is full; retry later"));
        },
        std::move(done));
  }
  ++waiting_writes_;
  waiting_bytes_ += bytes;
  auto write = std::make_shared<hub::PreparedWrite>(std::move(*prepared));
  on_writer(
      [this, write, bytes](const hub::WriteDone& answer) {
        --waiting_writes_;
        waiting_bytes_ -= bytes;
        core_->submit(std::move(*write), answer);
      },
      std::move(done));
}

void HubProcess::register_zone(const std::string& name, hub::StatusDone done) {
  on_writer([this, name](const hub::StatusDone& answer) {
    registry_->register_zone(name, wall_ms(), answer);
  }, std::move(done));
}

void HubProcess::delete_zone(const std::string& name, bool force, hub::StatusDone done) {
  on_writer([this, name, force](const hub::StatusDone& answer) {
    registry_->delete_zone(name, force, answer);
  }, std::move(done));
}

void HubProcess::approve_mass_delete(const std::string& name, hub::StatusDone done) {
  on_writer([this, name](const hub::StatusDone& answer) {
    Status approved = core_->approve_mass_delete(name);
    if (!approved) {
      const auto held = zone(name);
      if (held && held->hold_down && held->hold_reason == "mass_delete") {
        approved = fail(ErrorCode::conflict,
                        "zone '" + name + "' itself holds what this hub sends, and only the zone "
                        "can approve that: " + held->hold_text, "/name");
      }
    } else {
      if (const auto session = registry_->session_of(name)) sync_->retry_held(*session);
    }
    answer(approved);
  }, std::move(done));
}

void HubProcess::set_zone_mode(const std::string& name, std::optional<SyncMode> mode,
                               std::chrono::milliseconds ttl, hub::StatusDone done) {
  on_writer([this, name, mode, ttl](const hub::StatusDone& answer) {
    if (ttl.count() > 0) return registry_->fall_back(name, ttl, answer);
    registry_->set_mode(name, mode, answer);
  }, std::move(done));
}

void HubProcess::start_mesh_deletion(hub::JobRequest request, hub::JobDone done) {
  on_writer([this, request](const hub::JobDone& answer) {
    jobs_->start_mesh_deletion(request, answer);
  }, std::move(done));
}

void HubProcess::cancel_job(const std::string& id, hub::JobDone done) {
  on_writer([this, id](const hub::JobDone& answer) { jobs_->cancel(id, answer); },
            std::move(done));
}

void HubProcess::wait_revision(std::vector<std::string> zones, Revision revision,
                               std::chrono::milliseconds timeout, hub::WaitDone done) {
  if (zones.empty()) zones = table_.connected_zones();
  // Nobody waits for what no zone will ask for.
  if (revision <= source_->head()) revision = std::min(revision, source_->viewed_head());
  events_.wait(std::move(zones), revision, steady_clock().now() + timeout, std::move(done));
  if (!draining_) pool_->post(0, [this] { check_waits(); });
}

void HubProcess::checkpoint(const std::string& name, hub::CheckpointDone done) {
  on_writer([this, name](const hub::CheckpointDone& answer) {
    answer(make_checkpoint(*log_, config_.backup_dir, name));
  }, std::move(done));
}

void HubProcess::declare_complete(hub::StatusDone done) {
  on_writer([this](const hub::StatusDone& answer) {
    const Status declared = log_->declare_complete();
    source_->refresh();
    const bool full = !declared && declared.error().code == ErrorCode::resource_exhausted;
    if (!declared && !full && on_fatal_) on_fatal_(declared.error());
    answer(declared);
  }, std::move(done));
}

hub::ListenerId HubProcess::listen(hub::Listener listener) {
  return events_.listen(std::move(listener));
}

void HubProcess::unlisten(hub::ListenerId id) { events_.unlisten(id); }

}  // namespace zonesync

#include "client-sdk/src/client_impl.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "client-sdk/src/status_from.hpp"
#include "storage/random_id.hpp"

namespace zonesync::client {
namespace {

constexpr std::chrono::milliseconds kCounterInterval{250};
constexpr std::chrono::seconds kStopGrace{2};

std::shared_ptr<const TypeRegistry> registry_of(const Config& config) {
  if (config.registry) return config.registry;
  return std::make_shared<const TypeRegistry>(TypeRegistry::with_default_types());
}

ZoneMachine::Options machine_options(const Config& config) {
  ZoneMachine::Options options;
  options.zone = config.zone;
  options.instance = InstanceId{random_id()};
  options.software = config.software;
  options.types = config.types;
  options.meshes = config.meshes;
  options.delta_enabled = config.delta_enabled;
  options.backoff = {config.backoff.base, config.backoff.max, config.backoff.auth};
  options.healthy_after = config.backoff.healthy_after;
  if (!config.compression) {
    options.session.features.zstd = options.session.features.patch = false;
  }
  return options;
}

std::uint64_t seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

}  // namespace

Client::Impl::Impl(Config config, HubUrl url, std::unique_ptr<ZoneStore> store)
    : config_(std::move(config)),
      logger_(config_.logger ? config_.logger : null_logger()),
      clock_(config_.clock != nullptr ? *config_.clock : steady_clock()),
      store_(std::move(store)),
      sink_(store_->replica(), {.staging = {.store = store_->stage()},
                                .rank =
                                    [this](const std::string& type) {
                                      const TypeInfo* info = outbox_.registry()->find(type);
                                      return info != nullptr ? info->rank : TypeInfo{}.rank;
                                    }}),
      outbox_(config_.zone, store_->outbox(), config_.outbox_hot_bytes, registry_of(config_)),
      random_(seed()),
      application_(logger_,
                   {.from_cache = [this] { return status().from_cache; },
                    .status = [this] { return status(); },
                    .hold =
                        [this](std::optional<std::string> why) {
                          post([this, why = std::move(why)] { machine_.hold_application(why); });
                        },
                    .refuse =
                        [this](ResourceKey key, Revision revision, Reject reject) {
                          post([this, key = std::move(key), revision, reject = std::move(reject)] {
                            // A version that was replaced meanwhile needs no verdict.
                            (void)machine_.refuse(key, revision, reject);
                          });
                        }}),
      machine_(machine_options(config_), store_->replica(), sink_, outbox_, *this),
      pool_(std::make_unique<IoPool>(1)) {
  auto& context = pool_->at(0);
  HubLink::Events events;
  events.offers = [this] { return machine_.offers(); };
  events.opened = [this](SyncMode mode) { return machine_.open_session(mode); };
  events.failed = [this](const ConnectProblem& problem) { machine_.on_connect_failed(problem); };
  link_ = std::make_unique<HubLink>(context, config_, std::move(url), clock_, std::move(events));
  deadline_ = std::make_unique<Timer>(context);
  counters_ = std::make_unique<Timer>(context);
  std::promise<std::thread::id> id;
  pool_->post(0, [&] { id.set_value(std::this_thread::get_id()); });
  io_thread_ = id.get_future().get();
  status_ = status_from(machine_.status(), store_->replica().state(), clock_.now());
}

Client::Impl::~Impl() {
  stop();
  deadline_.reset();
  counters_.reset();
  link_.reset();
  pool_.reset();
}

void Client::Impl::start() {
  {
    const std::lock_guard lock(mutex_);
    if (started_ || !accepting_) return;
    started_ = true;
  }
  application_.start();
  post([this] {
    machine_.start();
    watch_counters();
  });
}

void Client::Impl::stop() {
  if (application_.on_own_thread()) {
    if (stopping_.load()) return;  // somebody else stops and will join us
  }
  const bool own_thread = application_.on_own_thread();
  std::unique_lock once(stop_mutex_, std::defer_lock);
  if (!own_thread) once.lock();
  if (!stopping_.exchange(true)) {
    pool_->post(0, [this] {
      machine_.stop();
      refresh_status();
    });
    {
      std::unique_lock lock(mutex_);
      accepting_ = false;
      idle_.wait_for(lock, kStopGrace, [&] {
        return calls_ == 0 && !session_open_ && status_.state == State::closed;
      });
      // Calls answer as soon as the machine stopped; only the session may outlast the grace.
      idle_.wait(lock, [&] { return calls_ == 0; });
    }
    pool_->stop();
    if (Status status = sink_.flush_staged(); !status) {
      logger_->log({LogLevel::warn, "client.stage_not_kept",
                    "an unfinished cut could not be kept; it will be received again",
                    {{"error", describe(status.error())}}});
    }
    application_.stop();
  }
  if (!own_thread) application_.join();
}

void Client::Impl::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (!accepting_) return;
  }
  pool_->post(0, std::move(work));
}

bool Client::Impl::begin_call() {
  const std::lock_guard lock(mutex_);
  if (!accepting_) return false;
  ++calls_;
  return true;
}

void Client::Impl::end_call() {
  const std::lock_guard lock(mutex_);
  --calls_;
  idle_.notify_all();
}

ClientStatus Client::Impl::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

Snapshot Client::Impl::snapshot() const {
  bool from_cache = false;
  {
    const std::lock_guard lock(mutex_);
    from_cache = status_.from_cache;
  }
  return Snapshot(store_->replica().snapshot(), from_cache);
}

// -- ZonePort -------------------------------------------------------------------------------------

double Client::Impl::random() { return std::uniform_real_distribution<double>(0.0, 1.0)(random_); }

void Client::Impl::schedule(std::optional<TimePoint> deadline) {
  if (!deadline) return deadline_->cancel();
  const Duration delay = std::max(Duration::zero(), *deadline - clock_.now());
  deadline_->arm_after(delay, [this] { machine_.on_tick(clock_.now()); });
}

void Client::Impl::cut_applied(AppliedCut cut) {
  application_.queue().push(std::move(cut));
}

/// Many changes inside one event become one refresh after it.
void Client::Impl::status_changed() {
  if (std::exchange(refresh_posted_, true)) return;
  pool_->post(0, [this] {
    refresh_posted_ = false;
    refresh_status();
  });
}

void Client::Impl::refresh_status() {
  ClientStatus fresh = status_from(machine_.status(), store_->replica().state(), clock_.now());
  ClientStatus before;
  {
    const std::lock_guard lock(mutex_);
    before = std::exchange(status_, fresh);
    session_open_ = machine_.has_session();
    idle_.notify_all();
  }
  log_transition(before, fresh);
  application_.queue().notify_status();
}

void Client::Impl::watch_counters() {
  machine_.check_store();
  const ZoneStatus now = machine_.status();
  const ClientStatus shown = status();
  if (now.counters.bytes_rx != shown.counters.bytes_rx ||
      now.counters.bytes_tx != shown.counters.bytes_tx || now.held != shown.held ||
      now.held_text != shown.held_text ||
      now.in_flight_bytes != shown.in_flight_bytes || now.head_seen != shown.head_seen) {
    refresh_status();
  }
  counters_->arm_after(kCounterInterval, [this] { watch_counters(); });
}

void Client::Impl::log_transition(const ClientStatus& before, const ClientStatus& after) {
  if (after.last_error && before.last_error != after.last_error) {
    const LastError& error = *after.last_error;
    logger_->log({LogLevel::warn, "client.connection_problem", error.message,
                  {{"code", std::string(zonesync::to_string(error.code))},
                   {"close_code", std::to_string(error.close_code)},
                   {"http_status", std::to_string(error.http_status)}}});
  }
  if (before.state == after.state && before.held == after.held) return;
  logger_->log({LogLevel::info, "client.state", "the client's state changed",
                {{"state", std::string(to_string(after.state))},
                 {"before", std::string(to_string(before.state))},
                 {"held", after.held},
                 {"revision", std::to_string(after.cursor ? after.cursor->revision.value : 0)}}});
}

}  // namespace zonesync::client

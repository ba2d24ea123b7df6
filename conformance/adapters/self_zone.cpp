#include <algorithm>
#include <deque>

#include "client-sdk/zone/zone_machine.hpp"
#include "conformance/adapters/memory_link.hpp"
#include "conformance/adapters/self_hub.hpp"
#include "conformance/suite/log.hpp"
#include "storage/memory/memory_change_log.hpp"
#include "storage/memory/memory_replica.hpp"
#include "storage/memory/memory_stage.hpp"

namespace zonesync::conform {
namespace {

/// Little, so that cases meet what is staged on disk too.
constexpr std::uint64_t kSpillBytes = 64u << 10;

std::string_view word(ZoneState state) {
  switch (state) {
    case ZoneState::initializing: return "initializing";
    case ZoneState::synced: return "synced";
    case ZoneState::behind: return "behind";
    case ZoneState::disconnected: return "disconnected";
    case ZoneState::auth_failed: return "auth_failed";
    case ZoneState::superseded: return "superseded";
    case ZoneState::closed: return "closed";
  }
  return "?";
}

std::shared_ptr<const TypeRegistry> shared_types() { return {std::shared_ptr<void>(), &types()}; }

class SelfZone final : public ZoneSubject, public ZonePort {
 public:
  SelfZone(std::uint64_t seed, std::shared_ptr<const TypeRegistry> types)
      : seed_(seed), types_(types ? std::move(types) : shared_types()) {}
  ~SelfZone() override {
    try {
      kill();
    } catch (...) {  // the case was judged before
    }
  }

  [[nodiscard]] Capabilities capabilities() const override {
    return {"clock", "restart", "durable", "verdicts", "publish", "barrier", "approve", "refuse",
            "disk-full", "outbox-disk-full", "application-hold", "damage-stage", "views", "zstd",
            "patch", "repair", "resume", "fallback"};
  }
  Status start(const ClientOptions& options) override {
    options_ = options;
    replica_ = std::make_unique<MemoryReplica>(MemoryReplicaOptions{.durable = options.durable});
    outbox_log_ = std::make_unique<MemoryChangeLog>(MemoryChangeLogOptions{.ids = ids()});
    stage_ = std::make_unique<MemoryStage>(options.durable);
    boot();
    return {};
  }
  std::unique_ptr<Link> accept(Mode mode) override {
    if (!await_attempt(std::chrono::seconds(600))) return nullptr;
    connecting_ = false;
    const SyncMode wanted = mode == Mode::v1 ? SyncMode::v1 : SyncMode::delta;
    const auto offers = machine_->offers();
    if (std::find(offers.begin(), offers.end(), wanted) == offers.end()) {
      ConnectProblem problem;   // as the websocket upgrade would end (CON-02)
      problem.http_status = 400;
      problem.error = Error{ErrorCode::unsupported, "no subprotocol in common", ""};
      machine_->on_connect_failed(problem);
      return nullptr;
    }
    auto session = machine_->open_session(wanted);
    if (!session) return nullptr;
    end_ = std::make_shared<MemoryEnd>(session);
    session->on_open(now_);
    MemoryWorld world;
    world.now = [this] { return now_; };
    world.settle = [this] { settle(); };
    world.advance = [this](Duration by) { step(by); };
    return std::make_unique<MemoryLink>(end_, std::move(world));
  }
  bool refuse_next(unsigned http_status, std::optional<std::uint32_t> retry_after_s) override {
    if (!await_attempt(std::chrono::seconds(600))) return false;
    connecting_ = false;
    ConnectProblem problem;
    problem.http_status = http_status;
    problem.error = Error{ErrorCode::unavailable, "refused by the suite", ""};
    if (retry_after_s) problem.retry_after = std::chrono::seconds(*retry_after_s);
    machine_->on_connect_failed(problem);
    return true;
  }
  bool attempts_within(Duration within) override { return await_attempt(within); }
  void advance(Duration by) override {
    const TimePoint until = now_ + by;
    while (now_ < until) step(std::min<Duration>(std::chrono::seconds(1), until - now_));
  }

  Result<std::vector<Resource>> store() override;
  Result<ClientFacts> status() override;
  Status set_verdict(const std::string& verdict_word) override {
    verdict_word_ = verdict_word;
    return {};
  }
  Status publish(const std::vector<ControlOp>& ops) override;
  Status publish_complete() override {
    auto status = machine_->publish_complete();
    settle();
    return status;
  }
  Status approve_mass_delete() override {
    machine_->approve_mass_delete();
    settle();
    return {};
  }
  Status barrier() override {
    barrier_.reset();
    machine_->barrier(now_ + std::chrono::seconds(60), [this](const Result<Revision>& result) {
      barrier_ = result ? result->value : 0;
    });
    settle();
    return {};
  }
  std::optional<std::uint64_t> barrier_done() override { return barrier_; }
  Status restart() override {
    kill();
    outbox_log_->reopen();
    if (!options_.durable) {
      replica_ = std::make_unique<MemoryReplica>(MemoryReplicaOptions{.durable = false});
      outbox_log_ = std::make_unique<MemoryChangeLog>(MemoryChangeLogOptions{.ids = ids()});
      stage_ = std::make_unique<MemoryStage>(false);
    }
    boot();
    return {};
  }
  Status stop() override {
    if (machine_) machine_->stop();
    settle();
    return {};
  }
  Status fault(const std::string& name, std::uint64_t argument) override;

 private:
  IdSource ids() {
    return [this] {
      Id128 id;
      for (auto& byte : id.bytes) {
        seed_ = seed_ * 6364136223846793005ull + 1442695040888963407ull;
        byte = static_cast<std::uint8_t>(seed_ >> 56);
      }
      return id;
    };
  }
  void boot();
  void kill();
  void step(Duration by);
  void settle();
  bool await_attempt(Duration within);

  // ZonePort
  TimePoint now() const override { return now_; }
  double random() override { return 0.5; }
  void connect() override { connecting_ = true; }
  void cancel_connect() override { connecting_ = false; }
  void wake() override {}
  void schedule(std::optional<TimePoint> deadline) override { deadline_ = deadline; }
  void cut_applied(AppliedCut cut) override;
  void status_changed() override {}

  std::uint64_t seed_;
  std::shared_ptr<const TypeRegistry> types_;
  ClientOptions options_;
  std::unique_ptr<MemoryReplica> replica_;
  std::unique_ptr<MemoryChangeLog> outbox_log_;
  std::unique_ptr<MemoryStage> stage_;
  std::unique_ptr<ReplicaSink> sink_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<ZoneMachine> machine_;
  std::shared_ptr<MemoryEnd> end_;
  TimePoint now_{std::chrono::hours(1)};
  std::optional<TimePoint> deadline_;
  bool connecting_ = false;
  std::string verdict_word_;
  std::map<ResourceKey, SharedBytes> application_;   // built from applied cuts only
  std::optional<std::uint64_t> barrier_;
  std::uint64_t disordered_ = 0;
};

void SelfZone::boot() {
  ReplicaSink::Options apply;
  apply.staging.spill_bytes = kSpillBytes;
  apply.staging.store = stage_.get();
  apply.rank = [registry = types_](const std::string& type) {
    const TypeInfo* info = registry->find(type);
    return info == nullptr ? 100 : info->rank;
  };
  sink_ = std::make_unique<ReplicaSink>(*replica_, std::move(apply));
  for (const TypeInfo* type : types_->all()) {
    sink_->set_validator(type->name, [this](const Resource& resource) -> std::optional<Reject> {
      const bool refused =
          !verdict_word_.empty() && resource.spec.find(verdict_word_) != std::string::npos;
      if (!refused) return std::nullopt;
      return Reject{"invalid", "/spec", "refused by the case", false};
    });
  }
  outbox_ = std::make_unique<Outbox>(options_.zone, *outbox_log_, 1u << 20, types_);
  ZoneMachine::Options options;
  options.zone = options_.zone;
  options.instance = InstanceId{ids()()};
  options.software = "self/1";
  options.types = options_.types;
  options.meshes = options_.meshes;
  application_.clear();
  machine_ = std::make_unique<ZoneMachine>(options, *replica_, *sink_, *outbox_, *this);
  machine_->start();
}

void SelfZone::kill() {
  if (end_) end_->end({}, now_);
  end_.reset();
  machine_.reset();
  outbox_.reset();
  sink_.reset();
  connecting_ = false;
  deadline_.reset();
}

void SelfZone::step(Duration by) {
  now_ += by;
  if (end_ && !end_->closed) end_->session->on_tick(now_);
  if (machine_ && deadline_ && *deadline_ <= now_) machine_->on_tick(now_);
  settle();
}

void SelfZone::settle() {
  if (!end_) return;
  while (end_->pull(now_)) {
  }
  if (machine_) machine_->check_store();
  while (end_->pull(now_)) {
  }
}

bool SelfZone::await_attempt(Duration within) {
  const TimePoint until = now_ + within;
  while (machine_ && !connecting_ && now_ < until) {
    step(std::min<Duration>(std::chrono::milliseconds(100), until - now_));
  }
  return connecting_;
}

void SelfZone::cut_applied(AppliedCut cut) {
  if (cut.initial) application_.clear();
  bool removing = false;
  for (const AppliedChange& change : cut.changes) {
    if (change.payload.empty()) {
      removing = true;
      application_.erase(change.key);
    } else {
      disordered_ += removing ? 1 : 0;
      application_[change.key] = change.payload;
    }
  }
}

Result<std::vector<Resource>> SelfZone::store() {
  std::vector<Resource> found;
  for (const auto& [key, payload] : application_) {
    auto resource = wire::resource_of(payload);
    if (!resource) return fail(resource.error());
    found.push_back(std::move(*resource));
  }
  return found;
}

Result<ClientFacts> SelfZone::status() {
  if (disordered_ > 0) {
    return fail(ErrorCode::internal, "the application got an upsert behind a removal of its cut");
  }
  const ZoneStatus now = machine_->status();
  ClientFacts facts;
  facts.state = std::string(word(now.state));
  facts.mode = now.mode == SyncMode::delta ? "delta" : "v1";
  facts.connected = now.connected;
  facts.held = now.held;
  facts.peer_held = now.peer_held;
  facts.revision = now.cursor ? now.cursor->revision.value : 0;
  facts.rejects = replica_->state().rejects;
  facts.publish_rejects = outbox_->rejects().size();
  facts.outbox_acked = now.outbox_acked.value;
  facts.outbox_head = now.outbox_head.value;
  if (now.last_error) facts.close_code = now.last_error->close_code;
  return facts;
}

Status SelfZone::publish(const std::vector<ControlOp>& ops) {
  std::vector<OutboxOp> wanted;
  for (const ControlOp& op : ops) {
    OutboxOp each;
    each.key = op.resource.key;
    if (!op.remove) each.resource = op.resource;
    wanted.push_back(std::move(each));
  }
  Status status = fail(ErrorCode::internal, "not answered");
  machine_->publish(std::move(wanted), [&](Result<OutboxResult> result) {
    status = result ? Status{} : fail(result.error());
  });
  settle();
  return status;
}

Status SelfZone::fault(const std::string& name, std::uint64_t argument) {
  if (name == "disk-full") {  // the next write of the replica
    replica_->fail_next(Error{ErrorCode::resource_exhausted, "no space left on device", ""});
    return {};
  }
  if (name == "outbox-disk-full") {  // the next publication
    outbox_log_->fail_next(Error{ErrorCode::resource_exhausted, "no space left on device", ""});
    return {};
  }
  if (name == "damage-stage") {  // what is staged on disk cannot be read any more
    stage_->damage();
    return {};
  }
  if (name == "application-hold") {
    machine_->hold_application(argument != 0 ? std::optional<std::string>("busy") : std::nullopt);
    settle();
    return {};
  }
  return fail(ErrorCode::unsupported, "self does not know the fault '" + name + "'");
}

}  // namespace

std::shared_ptr<ZoneSubject> make_self_zone(std::uint64_t seed,
                                            std::shared_ptr<const TypeRegistry> types) {
  return std::make_shared<SelfZone>(seed, std::move(types));
}

}  // namespace zonesync::conform

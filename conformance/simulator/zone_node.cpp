#include "conformance/simulator/zone_node.hpp"

#include <utility>

#include "conformance/simulator/content.hpp"
#include "conformance/simulator/hello_port.hpp"
#include "protocol/model/assert.hpp"

namespace zonesync::sim {
namespace {

using namespace std::chrono_literals;

ZoneMachine::Options machine_options(const Plan& plan, const std::string& zone, Id128 instance) {
  ZoneMachine::Options options;
  options.zone = zone;
  options.instance = InstanceId{instance};
  options.software = "sim/1";
  options.backoff = Backoff::Options{50ms, 2s, 5s};
  options.session.silence_timeout = plan.silence;
  options.session.message_target_bytes = plan.message_target_bytes;
  options.session.cut_target_bytes = plan.cut_target_bytes;
  options.down_window_bytes = plan.window_bytes;
  return options;
}

std::shared_ptr<const TypeRegistry> older_types() {
  return std::make_shared<const TypeRegistry>(TypeRegistry::with_default_types());
}

ReplicaSink::Options sink_options(const Plan& plan, StageStore* stage) {
  ReplicaSink::Options options;
  options.staging.store = stage;
  if (stage != nullptr) options.staging.spill_bytes = plan.spill_bytes;
  options.rank = [](const std::string& type) {
    const TypeInfo* info = sim_types()->find(type);
    return info != nullptr ? info->rank : 100;
  };
  return options;
}

}  // namespace

/// What a crash takes away.
struct ZoneNode::Process {
  Process(Environment& env, const Options& options, Id128 instance, SimReplica& replica,
          StageStore* stage, SimLog& log, ZonePort& port)
      : sink(replica, sink_options(env.plan, stage)),
        outbox(options.zone, log, env.plan.hot_tail_bytes,
               options.older ? older_types() : env.types),
        machine(machine_options(env.plan, options.zone, instance), replica, sink, outbox, port) {
    for (const TypeInfo* type : env.types->all()) {
      sink.set_validator(type->name, [](const Resource& resource) -> std::optional<Reject> {
        if (!is_poison(resource)) return std::nullopt;
        return Reject{"invalid", "/spec", "poison", false};
      });
    }
  }
  ReplicaSink sink;
  Outbox outbox;
  ZoneMachine machine;
};

ZoneNode::ZoneNode(Environment& env, Options options, Dial dial)
    : env_(env),
      options_(std::move(options)),
      dial_(std::move(dial)),
      rng_(env.stream("zone/" + options_.node)) {
  make_disks();
}

ZoneNode::~ZoneNode() = default;

void ZoneNode::make_disks() {
  const std::string disk = options_.node + "." + std::to_string(disks_++);
  replica_ = std::make_unique<SimReplica>(env_, disk, options_.zone, options_.durable);
  if (env_.plan.spill_bytes > 0) stage_ = std::make_unique<MemoryStage>(options_.durable);
  SimLog::Options log;
  log.node = disk;
  log.fsync_lies = env_.has(Defect::outbox_fsync_lies);
  outbox_log_ = std::make_unique<SimLog>(env_, std::move(log));
}

// -- process --------------------------------------------------------------------------------------

void ZoneNode::start() {
  if (process_) return;
  env_.note("start", options_.node, processes_);
  if (processes_ > 0 && !options_.durable) make_disks();
  ++processes_;
  outbox_log_->reopen();
  application_.clear();
  process_ = std::make_unique<Process>(env_, options_, rng_.id(), *replica_, stage_.get(),
                                       *outbox_log_, *this);
  process_->machine.start();
}

void ZoneNode::crash(bool keep, bool silent) {
  if (!process_) return;
  env_.note("crash", options_.node, outbox_log_->unsynced());
  if (outbox_log_->unsynced() > 0) {
    env_.probe(keep ? Probe::zone_crash_kept_publication : Probe::zone_crash_lost_publication);
  }
  ++connect_number_;
  ++deadline_number_;
  if (connection_) connection_->process_died(Side::zone, rng_, silent);
  connection_.reset();
  outbox_log_->crash(keep);
  replica_->crash();
  process_.reset();
  unanswered_ = 0;
}

void ZoneNode::reinstall() {
  ZS_ASSERT(!process_);
  env_.note("reinstall", options_.node);
  make_disks();
}

void ZoneNode::rewind(std::size_t replica_steps, std::uint64_t outbox_revisions) {
  ZS_ASSERT(!process_);
  env_.note("rewind", options_.node, replica_steps, outbox_revisions);
  replica_->rewind(replica_steps);
  if (stage_ && replica_steps % 2 == 1) stage_->damage();
  const std::uint64_t head = outbox_log_->state().head.value;
  const std::uint64_t floor = outbox_log_->state().trim_floor.value;
  const std::uint64_t target = head - std::min(head, outbox_revisions);
  outbox_log_->rewind_to(Revision{std::max(target, floor)});
}

// -- application ----------------------------------------------------------------------------------

void ZoneNode::publish(std::vector<OutboxOp> ops) {
  if (!process_) return;
  if (options_.older && process_->machine.status().counters.sessions == 0) {
    std::erase_if(ops, [](const OutboxOp& op) { return op.key.type == kScopedType; });
    if (ops.empty()) return;
  } else if (options_.older) {
    env_.probe(Probe::older_zone_learnt_types);
  }
  const Id128 log = outbox_log_->id();
  ++unanswered_;
  process_->machine.publish(std::move(ops), [this, log](const Result<OutboxResult>& result) {
    --unanswered_;
    env_.note("publish", options_.node, result ? result->revision.value : 0, result ? 1 : 0);
    if (result) return env_.broken(env_.oracle.acked(log, result->revision), options_.node);
    if (result.error().code == ErrorCode::resource_exhausted) {
      return env_.probe(Probe::outbox_refused_full);
    }
    if (result.error().code != ErrorCode::storage_io) {
      env_.broken("the simulator's publication was refused: " + result.error().message,
                  options_.node);
    }
  });
}

void ZoneNode::publish_complete() {
  if (!process_ || outbox_log_->state().complete) return;
  env_.note("complete", options_.node);
  ZS_ASSERT(process_->machine.publish_complete().has_value());
}

void ZoneNode::trim_outbox(std::uint64_t keep) {
  const std::uint64_t head = outbox_log_->state().head.value;
  if (head <= keep || !process_) return;
  TrimRequest request;
  request.floor = Revision{head - keep};
  ZS_ASSERT(outbox_log_->trim(request).has_value());
}

void ZoneNode::hold_application(bool hold) {
  if (!process_) return;
  process_->machine.hold_application(hold ? std::optional<std::string>("reloading") : std::nullopt);
}

void ZoneNode::approve() {
  const auto now = status();
  if (!now || now->held != "mass_delete") return;
  replica_->allow_mass_delete();
  process_->machine.approve_mass_delete();
}

void ZoneNode::reconnect_now() {
  if (process_) process_->machine.reconnect_now();
}

void ZoneNode::on_staged(std::uint64_t nth, std::function<void()> happens) {
  staged_nth_ = nth;
  when_staged_ = std::move(happens);
}

void ZoneNode::check_staged() {
  if (staged_nth_ == 0 || !process_->sink.staged() || --staged_nth_ > 0) return;
  env_.scheduler.after({}, std::exchange(when_staged_, nullptr));
}

void ZoneNode::barrier(std::function<bool(Id128 log, Revision)> committed_at_hub) {
  if (!process_) return;
  const Revision head = process_->outbox.head();
  const Id128 log = outbox_log_->id();
  process_->machine.barrier(now() + 20s, [this, head, log, check = std::move(committed_at_hub)](
                                             const Result<Revision>& result) {
    env_.note("barrier", options_.node, result ? result->value : 0, result ? 1 : 0);
    env_.probe(result ? Probe::barrier_held : Probe::barrier_failed);
    if (!result || check(log, head)) return;
    env_.broken("a barrier ended before the zone's own changes were at the hub", options_.node);
  });
}

void ZoneNode::cut_applied(AppliedCut cut) {
  check_order(cut);
  if (cut.initial) application_.clear();
  for (const AppliedChange& change : cut.changes) {
    if (change.payload.empty()) {
      application_.erase(change.key);
    } else {
      application_[change.key] = change.payload;
    }
  }
  if (cut.initial || !cut.changes.empty()) check_application();
}

/// What others live in comes first and goes last.
void ZoneNode::check_order(const AppliedCut& cut) const {
  const AppliedChange* before = nullptr;
  for (const AppliedChange& change : cut.changes) {
    const bool removed = change.payload.empty();
    if (before != nullptr) {
      const bool was_removed = before->payload.empty();
      const bool wrong_rank =
          removed ? before->rank < change.rank : before->rank > change.rank;
      if ((was_removed && !removed) || (was_removed == removed && wrong_rank)) {
        env_.broken("order: the application gets " + to_string(change.key) + " too late",
                    options_.node);
      }
    }
    before = &change;
  }
}

void ZoneNode::check_status(const ZoneStatus& status) const {
  if (status.counters.digest_mismatches > 0) {
    env_.broken("P1: the digest differed although nothing was damaged", options_.node);
  }
  if (status.outbox_acked > env_.up_best[options_.zone]) {
    env_.broken("P2: revision " + std::to_string(status.outbox_acked.value) +
                    " of the outbox counts as stored, which the hub never had",
                options_.node);
  }
}

void ZoneNode::check_application() const {
  std::size_t active = 0;
  std::string wrong;
  replica_->snapshot()->for_each([&](const ReplicaEntry& entry) {
    if (entry.active().empty()) return;
    ++active;
    const auto seen = application_.find(entry.change.key);
    if (seen == application_.end() || !(seen->second == entry.active())) {
      wrong = "P1: the application does not see " + to_string(entry.change.key);
    }
  });
  if (wrong.empty() && active != application_.size()) wrong = "P5: the application sees too much";
  if (!wrong.empty()) env_.broken(wrong, options_.node);
}

void ZoneNode::status_changed() {
  const auto now = status();
  if (now) check_status(*now);
  const std::string held = now ? now->held : std::string();
  if (held == held_) return;
  held_ = held;
  if (held == "disk_full") env_.probe(Probe::zone_hold_disk_full);
  if (held == "mass_delete") env_.probe(Probe::zone_hold_mass_delete);
  if (held == "paused") env_.probe(Probe::zone_hold_paused);
  if (held == "application") env_.probe(Probe::zone_hold_application);
}

std::size_t ZoneNode::refused() const {
  return process_ ? process_->outbox.rejects().size() : 0;
}

std::optional<ZoneStatus> ZoneNode::status() const {
  if (!process_) return std::nullopt;
  return process_->machine.status();
}

// -- ZonePort -------------------------------------------------------------------------------------

void ZoneNode::connect() {
  env_.scheduler.after(1us + rng_.up_to(2 * env_.plan.link_delay),
                       [this, number = ++connect_number_] { dialled(number); });
}

void ZoneNode::dialled(std::uint64_t number) {
  if (!process_ || number != connect_number_) return;
  auto connection = now() < refused_until_ ? nullptr : dial_(*this);
  if (!connection) {
    process_->machine.on_connect_failed(
        {Error{ErrorCode::unavailable, "connection refused", ""}, 0, std::nullopt});
    return;
  }
  const SyncMode mode = env_.mode_of(options_.zone);
  if (last_mode_ && *last_mode_ != mode) env_.probe(Probe::mode_switched);
  last_mode_ = mode;
  auto session = process_->machine.open_session(mode);
  if (!session) return connection->process_died(Side::zone, rng_, false);
  connection_ = connection;
  auto port = std::make_shared<HelloPort>(std::move(session),
                                          [this](wire::Hello& hello) { look_at(hello); });
  connection->attach(Side::zone, std::move(port), [this] {
    if (!process_) return;
    process_->machine.check_store();
    status_changed();
    check_staged();
  });
  connection->open();
}

void ZoneNode::look_at(wire::Hello& hello) const {
  if (hello.down_cursor != replica_->state().cursor) {
    env_.broken("P3: Hello does not say the cursor that the disk holds", options_.node);
  }
  if (options_.newer) hello.version_min = hello.version_max = hello.version_max + 1;
}

void ZoneNode::wake() {
  if (connection_) connection_->wake(Side::zone);
}

void ZoneNode::schedule(std::optional<TimePoint> deadline) {
  const std::uint64_t number = ++deadline_number_;
  if (!deadline) return;
  env_.scheduler.at(std::max(*deadline, now() + 1us), [this, number] {
    if (process_ && number == deadline_number_) process_->machine.on_tick(now());
  });
}

std::string ZoneNode::describe() const {
  std::string text = options_.node + " (" + options_.zone + "): ";
  const auto cursor = replica_->state().cursor;
  const LogState log = outbox_log_->state();
  const ReplicaState state = replica_->state();
  text += process_ ? "up" : "down";
  text += " cursor " + (cursor ? brief(*cursor) : std::string("-")) + " of log " +
          brief(state.source_log) + " entries " + std::to_string(state.entries) +
          " unconfirmed " + std::to_string(state.unconfirmed) + " rejects " +
          std::to_string(state.rejects) + " outbox " + brief(log.log_id) + " head " +
          brief(Cursor{log.current_era(), log.head, {}}) + (log.complete ? "" : " partial");
  if (!process_) return text;
  const ZoneStatus now_status = process_->machine.status();
  text += " state " + std::to_string(static_cast<int>(now_status.state)) + " outbox acked " +
          std::to_string(now_status.outbox_acked.value);
  if (!now_status.held.empty()) text += " holds " + now_status.held;
  if (!now_status.peer_held.empty()) text += " hub holds " + now_status.peer_held;
  if (now_status.last_error) text += " last error: " + now_status.last_error->message;
  return text;
}

}  // namespace zonesync::sim

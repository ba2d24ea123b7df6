#include "conformance/simulator/hub_node.hpp"

#include <utility>

#include "protocol/model/assert.hpp"

namespace zonesync::sim {

/// What a crash takes away.
struct HubNode::Process {
  Process(Environment& env, SimLog& log, UpWatch& watch, std::uint64_t number,
          std::map<std::string, std::map<Generation, InstanceId>>& owners,
          hub::HubCore::Events core_events, hub::ZoneRegistry::Events zone_events)
      : source(log, env.plan.hot_tail_bytes),
        core(options(env.plan), log, source, table, env.types, std::move(core_events)),
        zones({}, core, std::move(zone_events)),
        writer(env.scheduler, env.stream("writer/" + std::to_string(number)),
               env.plan.mailbox_delay),
        services{env,   writer,   core,   zones,                   table, source,
                 watch, log.id(), owners, [this] { core.pump(); }} {}

  static hub::HubCore::Options options(const Plan& plan) {
    hub::HubCore::Options options;
    options.queue.requests = plan.queue_requests;
    options.group_max_changes = plan.group_max_changes;
    return options;
  }

  LogSource source;
  hub::ZoneTable table;
  hub::HubCore core;
  hub::ZoneRegistry zones;
  Mailbox writer;
  HubServices services;
  std::map<SessionId, std::weak_ptr<HubSession>> sessions;
};

HubNode::HubNode(Environment& env) : env_(env) { make_disk(); }

HubNode::~HubNode() = default;

void HubNode::make_disk() {
  SimLog::Options options;
  options.node = "hub" + std::to_string(disks_);
  options.complete = disks_ == 0 && env_.plan.hub_complete;
  options.fsync_lies = env_.has(Defect::hub_fsync_lies);
  options.no_new_era_after_rewind = env_.has(Defect::cursor_survives_rewind);
  ++disks_;
  log_ = std::make_unique<SimLog>(env_, std::move(options));
  watch_ = std::make_unique<UpWatch>(env_, *log_);
  log_->on_durable([this](const Transaction& transaction) { durable(transaction); });
}

/// The oracle hears what was decided of zones: their views follow from it.
void HubNode::durable(const Transaction& transaction) {
  for (const Change& change : transaction.changes) {
    if (change.key.type != hub::kZoneType || change.kind != ChangeKind::upsert) continue;
    const auto record = hub::decode_zone(change);
    if (!record) continue;
    oracle::Rule rule{record->enabled, record->scope.types, {}};
    for (const auto& [label, values] : record->scope.labels) {
      for (const std::string& value : values) rule.tags.insert(label + "=" + value);
    }
    env_.oracle.decided(log_->id(), transaction.revision, record->name, std::move(rule));
  }
  watch_->durable(transaction);
}

// -- process --------------------------------------------------------------------------------------

void HubNode::start() {
  if (process_) return;
  env_.note("start", "hub", processes_);
  log_->reopen();
  hub::HubCore::Events core_events;
  core_events.committed = [this](const Segment&) {
    for (const auto& [id, weak] : process_->sessions) {
      if (const auto session = weak.lock()) session->wake();
    }
  };
  core_events.fatal = [this](const Error&) {
    env_.probe(Probe::hub_fatal);
    if (on_fatal_) env_.scheduler.after({}, on_fatal_);
  };
  core_events.now_ms = [] { return std::int64_t{1}; };
  hub::ZoneRegistry::Events zone_events;
  zone_events.close_session = [this](SessionId id, std::uint16_t code, const std::string& reason) {
    const auto found = process_->sessions.find(id);
    if (found == process_->sessions.end()) return;
    if (const auto session = found->second.lock()) session->close(code, reason);
  };
  process_ = std::make_unique<Process>(env_, *log_, *watch_, processes_++, owners_,
                                       std::move(core_events), std::move(zone_events));
  Process& process = *process_;
  ZS_ASSERT(process.core.load().has_value());
  ZS_ASSERT(process.zones.load(*log_).has_value());
  process.core.on_rollback([this] {
    ZS_ASSERT(process_->zones.load(*log_).has_value());
  });
  process.zones.resume_deletions();
  process.core.pump();
}

void HubNode::crash(bool keep) {
  if (!process_) return;
  env_.note("crash", "hub", log_->unsynced());
  if (log_->unsynced() > 0) {
    env_.probe(keep ? Probe::hub_crash_kept_segment : Probe::hub_crash_lost_segment);
  } else {
    env_.probe(Probe::hub_crash_idle);
  }
  log_->crash(keep);
  process_.reset();
  unanswered_ = 0;
}

void HubNode::rewind_to(Revision revision) {
  ZS_ASSERT(!process_);
  env_.note("rewind", "hub", revision.value);
  if (acked_writes_ > 0) env_.probe(Probe::hub_rewound_acked);
  log_->rewind_to(revision);
  watch_->rewound(revision);
  owners_.clear();
}

void HubNode::reinstall() {
  ZS_ASSERT(!process_);
  env_.note("reinstall", "hub");
  for (std::uint32_t zone = 0; zone < env_.plan.zones; ++zone) {
    env_.oracle.receiver_rewound("up/zone-" + std::to_string(zone), Revision{});
  }
  const auto older = std::move(watch_);
  owners_.clear();
  make_disk();
  watch_->inherit(*older);
}

void HubNode::accept(const std::shared_ptr<Connection>& connection, const std::string& identity,
                     SyncMode mode) {
  const SessionId id{next_session_++};
  auto session = std::make_shared<HubSession>(process_->services, id, identity, mode, connection);
  std::erase_if(process_->sessions, [](const auto& item) { return item.second.expired(); });
  process_->sessions[id] = session;
  connection->attach(Side::hub, session->port(), {});
}

void HubNode::close_session_of(const std::string& zone) {
  if (!process_) return;
  const auto id = process_->zones.session_of(zone);
  if (!id) return;
  if (const auto session = process_->sessions[*id].lock()) {
    session->close(close_code::kRestart, "another mode");
  }
}

// -- operator -------------------------------------------------------------------------------------

void HubNode::write(hub::WriteRequest request) {
  if (!process_) return;
  auto prepared = hub::prepare(*env_.types, request);
  if (!prepared) {
    return env_.broken("the simulator's write was refused: " + prepared.error().message, "hub");
  }
  auto shared = std::make_shared<hub::PreparedWrite>(std::move(*prepared));
  process_->writer.post([this, shared] {
    ++unanswered_;
    process_->core.submit(std::move(*shared), [this](const Result<hub::WriteResult>& result) {
      --unanswered_;
      answered(result);
    });
    process_->core.pump();
  });
}

void HubNode::operate(std::function<void(hub::ZoneRegistry&, hub::StatusDone)> work) {
  if (!process_) return;
  process_->writer.post([this, work = std::move(work)] {
    work(process_->zones, [this](const Status& status) {
      env_.note("operate", "hub", status ? 1 : 0);
      env_.probe(status ? Probe::zone_operated : Probe::zone_not_operated);
    });
    process_->core.pump();
  });
}

void HubNode::set_scope(const std::string& zone, hub::ZoneScope scope) {
  operate([zone, scope = std::move(scope)](hub::ZoneRegistry& zones, hub::StatusDone done) {
    zones.set_scope(zone, scope, std::move(done));
  });
}

void HubNode::set_enabled(const std::string& zone, bool enabled) {
  operate([zone, enabled](hub::ZoneRegistry& zones, hub::StatusDone done) {
    zones.set_enabled(zone, enabled, std::move(done));
  });
}

void HubNode::set_paused(const std::string& zone, bool paused) {
  operate([zone, paused](hub::ZoneRegistry& zones, hub::StatusDone done) {
    zones.set_paused(zone, paused, std::move(done));
  });
}

void HubNode::answered(const Result<hub::WriteResult>& result) {
  env_.note("write", "hub", result ? result->revision.value : 0, result ? 1 : 0);
  if (result) {
    ++acked_writes_;
    if (!result->changed) env_.probe(Probe::hub_write_unchanged);
    env_.broken(env_.oracle.acked(log_->id(), result->revision), "hub");
    return;
  }
  const Error& error = result.error();
  if (error.code == ErrorCode::precondition_failed) env_.probe(Probe::hub_write_conflict);
  if (error.code != ErrorCode::resource_exhausted) return;
  const bool queue = error.message.find("queue") != std::string::npos;
  env_.probe(queue ? Probe::hub_queue_full : Probe::hub_disk_full);
}

/// A partial log keeps its leaves: what it does not name is kept by receivers.
void HubNode::trim(Revision floor, bool tombstones) {
  if (!process_) return;
  TrimRequest request;
  request.floor = floor;
  if (tombstones && log_->state().complete) request.tombstone_floor = floor;
  ZS_ASSERT(log_->trim(request).has_value());
  process_->source.refresh();
}

void HubNode::declare_complete() {
  if (!process_ || log_->state().complete) return;
  env_.note("complete", "hub");
  ZS_ASSERT(log_->declare_complete().has_value());
  process_->source.refresh();
  // Running flows were announced as partial; a new Hello hears the new word.
  for (const auto& [id, weak] : process_->sessions) {
    if (const auto session = weak.lock()) session->close(close_code::kRestart, "complete now");
  }
}

void HubNode::approve_mass_deletes() {
  if (!process_) return;
  for (const auto& [zone, state] : process_->core.up().all()) {
    if (!process_->core.approve_mass_delete(zone)) continue;
    watch_->allow_mass_delete(zone);
    const auto id = process_->zones.session_of(zone);
    if (!id) continue;
    if (const auto session = process_->sessions[*id].lock()) session->retry_held();
  }
}

// -- state ----------------------------------------------------------------------------------------

bool HubNode::idle() const { return process_ && process_->core.idle(); }

std::optional<hub::ZoneStatus> HubNode::status(const std::string& zone) const {
  if (!process_) return std::nullopt;
  return process_->table.snapshot_of(zone, process_->source.head(), 1);
}

std::string HubNode::describe() const {
  const LogState state = log_->state();
  std::string text = "hub: " + std::string(process_ ? "up" : "down") + " log " +
                     brief(state.log_id) + " head " +
                     brief(Cursor{state.current_era(), state.head, {}}) +
                     (state.complete ? "" : " partial") +
                     " floor " + std::to_string(state.trim_floor.value);
  if (!process_) return text;
  text += process_->core.idle() ? " idle" : " busy";
  for (const auto& [id, weak] : process_->sessions) {
    if (const auto session = weak.lock()) text += "\n  " + session->describe();
  }
  return text;
}

}  // namespace zonesync::sim

#include "conformance/simulator/hub_session.hpp"

#include <algorithm>
#include <utility>

#include "server/hub/up_prints.hpp"

namespace zonesync::sim {
namespace {

constexpr std::uint64_t kAnswersAtOnce = 10;

Session::Options hub_options(const Plan& plan, SyncMode mode) {
  Session::Options options;
  options.role = SessionRole::hub;
  options.mode = mode;
  options.silence_timeout = plan.silence;
  options.message_target_bytes = plan.message_target_bytes;
  options.cut_target_bytes = plan.cut_target_bytes;
  options.features.zstd = options.features.patch = plan.compresses;
  options.features.repair = plan.repairs;
  return options;
}

View up_view(const std::string& zone, const Environment& env) {
  ViewSpec spec;
  spec.down = false;
  spec.zone = zone;
  return View(std::move(spec), env.types);
}

/// sink_acks_before_commit: says "durable" when a cut was only handed over.
class EagerSink final : public CutSink {
 public:
  explicit EagerSink(CutSink& sink) : sink_(sink), cursor_(sink.cursor()) {}
  [[nodiscard]] std::optional<Cursor> cursor() const override { return cursor_; }
  [[nodiscard]] bool has_content() const override { return sink_.has_content(); }
  [[nodiscard]] std::optional<std::vector<Print>> prints() const override {
    return sink_.prints();
  }
  Status stage_remove(const Id128& key) override { return sink_.stage_remove(key); }
  void begin(const wire::Intent& intent) override { sink_.begin(intent); }
  Status stage(StagedChange change) override { return sink_.stage(std::move(change)); }
  Status list(const std::string& type) override { return sink_.list(type); }
  void commit(const CutEnd& end, CommitToken token, CommitDone done) override {
    sink_.commit(end, token, [](CommitToken, const tl::expected<CutResult, CutFailure>&) {});
    cursor_ = end.to;
    done(token, CutResult{end.to, {}});
  }
  [[nodiscard]] SharedBytes held(const ResourceKey& key, const Hash128& hash) const override {
    return sink_.held(key, hash);
  }

 private:
  CutSink& sink_;
  std::optional<Cursor> cursor_;
};

}  // namespace

HubSession::HubSession(HubServices& services, SessionId id, std::string identity, SyncMode mode,
                       std::weak_ptr<Connection> connection)
    : services_(services),
      id_(id),
      identity_(std::move(identity)),
      connection_(std::move(connection)),
      mailbox_(services.env.scheduler,
               services.env.stream("session/" + std::to_string(id.value)),
               services.env.plan.mailbox_delay),
      source_(services.env, services.source),
      session_(hub_options(services.env.plan, mode), *this, std::nullopt) {}

HubSession::~HubSession() = default;

std::shared_ptr<SessionPort> HubSession::port() {
  return std::shared_ptr<SessionPort>(shared_from_this(), &session_);
}

// -- threads --------------------------------------------------------------------------------------

/// Runs on the session's thread, unless the connection ended before.
void HubSession::post(Work work) {
  mailbox_.post([weak = weak_from_this(), work = std::move(work)] {
    const auto self = weak.lock();
    const auto connection = self ? self->connection_.lock() : nullptr;
    if (!connection || !connection->alive(Side::hub)) return;
    work();
    self->wake();
  });
}

void HubSession::to_writer(Work work) {
  services_.writer.post([pump = services_.pump, work = std::move(work)] {
    work();
    pump();
  });
}

void HubSession::wake() {
  if (const auto connection = connection_.lock()) connection->wake(Side::hub);
}

void HubSession::close(std::uint16_t code, std::string reason) {
  post([this, code, reason = std::move(reason)] { session_.close(code, reason); });
}

void HubSession::retry_held() {
  post([this] {
    if (session_.receiver() != nullptr) session_.receiver()->retry_held();
  });
}

// -- admission ------------------------------------------------------------------------------------

void HubSession::on_hello(Session&, const wire::Hello& hello) {
  hello_ = hello;
  hello_seen_ = true;
  hub::AdmitRequest request;
  request.hello = hello;
  request.identity = identity_;
  request.session = id_;
  request.peer = "sim";
  request.now = services_.env.scheduler.now();
  request.now_ms = 1;
  to_writer([self = shared_from_this(), request = std::move(request)] {
    self->services_.zones.admit(
        request, [self](const tl::expected<hub::Admitted, hub::Refused>& decision) {
          if (decision) self->check_instance(decision->generation);
          self->post([raw = self.get(), decision] { raw->decided(decision); });
        });
  });
}

void HubSession::decided(const tl::expected<hub::Admitted, hub::Refused>& decision) {
  Environment& env = services_.env;
  if (decision) return welcome(*decision);
  env.note("refused", identity_, decision.error().code);
  env.probe(Probe::admission_refused);
  if (decision.error().code == close_code::kVersion) env.probe(Probe::version_refused);
  if (decision.error().code == close_code::kSuperseded) env.probe(Probe::superseded);
  if (decision.error().code == close_code::kRateLimited) env.probe(Probe::duplicate_slowed);
  session_.refuse(decision.error().code, decision.error().text, decision.error().retry_after);
}

hub::UpSink::Options HubSession::sink_options(const hub::Admitted& admitted) const {
  const Plan& plan = services_.env.plan;
  hub::UpSink::Options options;
  options.zone = identity_;
  options.generation = admitted.generation;
  options.session = id_;
  options.atomic_max_changes = plan.atomic_max_changes;
  options.piece_max_changes = plan.piece_max_changes;
  return options;
}

void HubSession::welcome(const hub::Admitted& admitted) {
  Environment& env = services_.env;
  env.note("welcome", identity_, id_.value, admitted.generation.value);
  if (admitted.replaced) env.probe(Probe::session_replaced);
  const hub::ZoneScope request = hub::request_of(hello_, {});
  const View down = services_.core.views().down_view(identity_, request);
  const View up = up_view(identity_, env);
  feed_ = services_.core.views().feed(identity_, request);
  hub::UpSink::Events events = hub::up_events(services_.source, identity_, up);
  events.backlog = [this](std::size_t) { adapt_window(); };
  events.now_ms = [] { return std::int64_t{1}; };
  events.stored = [this](const ResourceKey& key, const Hash128& hash) {
    return services_.source.version(key, hash);
  };
  sink_ = std::make_unique<hub::UpSink>(sink_options(admitted), *this, env.types, up,
                                        admitted.up_cursor, std::move(events));
  if (env.has(Defect::sink_acks_before_commit)) {
    defect_sink_ = std::make_unique<EagerSink>(*sink_);
  }
  Session::Admission admission;
  admission.source = &source_;
  admission.down_view = down;
  admission.views = feed_.get();
  admission.sink = defect_sink_ ? defect_sink_.get() : sink_.get();
  admission.up_window_bytes = env.plan.window_bytes;
  admission.open_rejects = admitted.open_rejects;
  wire::Welcome& message = admission.welcome;
  message.session = id_.value;
  message.hub_id = services_.hub_id;
  message.generation = admitted.generation.value;
  message.down_view = down.id();
  message.up_view = up.id();
  for (const TypeInfo* type : env.types->all()) message.types.push_back(*type);
  message.message_max_bytes = limits::kMessageMaxBytes;
  message.up_window_bytes = env.plan.window_bytes;
  message.up_cursor = admitted.up_cursor;
  session_.admit(std::move(admission));
  admitted_ = true;
  welcomed_at_ = env.scheduler.now();
  if (const FlowSender* sender = session_.sender()) {
    const FlowSenderCounters& counters = sender->counters();
    check_resume(down.id(), counters.intents_full > 0, sender->why());
    if (counters.intents_none > 0) env.probe(Probe::down_none);
    if (counters.intents_changes > 0) env.probe(Probe::down_changes);
    if (counters.intents_full == 0) return;
    const std::string& why = sender->why();
    env.probe(why == "no_cursor"     ? Probe::down_full_no_cursor
              : why == "unknown_era" ? Probe::down_full_unknown_era
              : why == "beyond_era"  ? Probe::down_full_beyond_era
                                     : Probe::down_full_other);
  }
}

// -- flows ----------------------------------------------------------------------------------------

void HubSession::submit(hub::UpCommit commit, hub::UpDone done) {
  if (services_.env.has(Defect::up_unfenced)) {
    // As if the fence were the sender's own word: the newest admission is claimed.
    if (auto* state = &services_.core.up().of(commit.zone); state->fence) {
      commit.generation = state->fence->generation;
      commit.session = state->fence->session;
      commit.piece = 0;
      if (commit.end && commit.end->from && state->cursor) {
        commit.end->from = state->cursor->cursor;
        commit.end->digest.reset();
        commit.log_id = state->cursor->log_id;
      }
    }
  }
  auto shared = std::make_shared<hub::UpCommit>(std::move(commit));
  to_writer([self = shared_from_this(), shared, done = std::move(done)] {
    self->services_.watch.submitted(*shared);
    self->services_.core.submit_up(
        std::move(*shared), [self, done](const tl::expected<hub::UpResult, CutFailure>& result) {
          Environment& env = self->services_.env;
          if (!result && result.error().kind == CutFailure::Kind::digest_mismatch) {
            env.broken("P1: the hub's digest of the zone differs: " +
                           result.error().error.message, self->identity_);
          } else if (!result && result.error().kind == CutFailure::Kind::stale) {
            env.probe(Probe::up_stale);
          } else if (!result && result.error().kind == CutFailure::Kind::hold) {
            env.probe(Probe::up_held);
            if (result.error().hold_reason == "mass_delete") {
              env.probe(Probe::hub_hold_mass_delete);
            }
          }
          self->post([done, result] { done(result); });
        });
  });
}

void HubSession::adapt_window() {
  FlowReceiver* receiver = session_.receiver();
  if (receiver == nullptr || !sink_) return;
  const std::uint64_t window = services_.env.plan.window_bytes;
  const std::uint64_t backlog = sink_->backlog_bytes();
  receiver->set_window(window > backlog ? window - backlog : 0);
}

void HubSession::on_sync(Session& session, std::uint64_t id) {
  session.synced(id, services_.source.head());
}

// -- status ---------------------------------------------------------------------------------------

void HubSession::on_peer_ack(Session&, const wire::Ack& ack) {
  if (!ack.verdicts.empty()) services_.table.verdicts(identity_, ack.verdicts, 1);
  sample();
}

/// One generation, one instance; and never back to one that was replaced (SES-07). Judged where
/// the hub decides: the threads of two sessions may hear of it in either order.
void HubSession::check_instance(Generation generation) {
  auto& owners = services_.owners[identity_];
  const auto known = owners.try_emplace(generation, hello_.instance).first;
  const bool newest = std::prev(owners.end())->first == generation;
  const bool first_time = std::none_of(owners.begin(), owners.end(), [&](const auto& owner) {
    return owner.first != generation && owner.second == hello_.instance;
  });
  if (known->second == hello_.instance && newest && first_time) return;
  services_.env.broken("SES-07: a generation has two instances, or an old one is back", identity_);
}

/// P3: what is still part of the log is continued, not sent again.
void HubSession::check_resume(const ViewId& view, bool full, const std::string& why) {
  const auto& cursor = hello_.down_cursor;
  if (!full || !cursor || cursor->view != view) return;
  const LogState log = services_.source.state();
  if (cursor->revision < log.tombstone_floor) return;
  if (!services_.env.oracle.continues(log.log_id, *cursor)) return;
  services_.env.broken("P3: a valid cursor was answered with everything: " + why, identity_);
}

void HubSession::check_sender(const FlowSender& sender) {
  Environment& env = services_.env;
  if (const auto acked = sender.acked();
      acked && !env.reached[identity_].contains({acked->era, acked->revision})) {
    env.broken("P2: the hub takes " + brief(*acked) + " as acked, which no disk of the zone held",
               identity_);
  }
  const FlowSenderCounters& counters = sender.counters();
  const std::uint64_t answers =
      counters.intents_none + counters.intents_changes + counters.intents_full;
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(env.scheduler.now() - welcomed_at_).count();
  if (answers > kAnswersAtOnce + 2 * static_cast<std::uint64_t>(seconds)) {
    env.broken("FLOW-32: " + std::to_string(answers) + " answers in " + std::to_string(seconds) +
                   " s: somebody asks again and again",
               identity_);
  }
}

void HubSession::sample() {
  if (!admitted_) return;
  hub::SessionSample sample;
  if (const FlowSender* sender = session_.sender()) {
    sample.acked = sender->acked();
    check_sender(*sender);
    sample.in_flight_bytes = sender->in_flight_bytes();
    sample.digest_failed = sender->why() == "digest_mismatch";
    if (sender->held()) sample.hold_reason = sender->held()->reason;
    if (sample.in_flight_bytes >= services_.env.plan.window_bytes) {
      services_.env.probe(Probe::credit_exhausted);
    }
  }
  if (const FlowReceiver* receiver = session_.receiver(); receiver && receiver->offered()) {
    sample.up_offered = receiver->offered()->revision;
  }
  services_.table.sample(identity_, id_, sample, 1);
}

void HubSession::on_session_closed(Session&, const CloseInfo& info) {
  sample();
  if (!hello_seen_) return;
  hub::DisconnectReason reason;
  reason.code = info.code;
  reason.text = info.reason;
  to_writer([self = shared_from_this(), reason] {
    self->services_.zones.session_closed(self->identity_, self->id_, reason);
  });
}

std::string HubSession::describe() const {
  auto& session = const_cast<Session&>(session_);
  std::string text = "session " + std::to_string(id_.value) + " of " + identity_ +
                     (admitted_ ? "" : " (not admitted)");
  if (const FlowSender* sender = session.sender()) {
    text += " acked=" + (sender->acked() ? brief(*sender->acked()) : std::string("-"));
    text += " in_flight=" + std::to_string(sender->in_flight_bytes());
    if (sender->held()) text += " zone holds " + sender->held()->reason;
  }
  if (const FlowReceiver* receiver = session.receiver()) {
    text += " up_offered=" +
            (receiver->offered() ? brief(*receiver->offered()) : std::string("-"));
    if (const auto& held = receiver->held()) {
      text += " hub holds " + held->reason + ": " + held->text;
    }
    if (receiver->commits_outstanding()) text += " committing";
  }
  return text;
}

}  // namespace zonesync::sim

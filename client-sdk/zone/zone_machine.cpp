#include "client-sdk/zone/zone_machine.hpp"

#include <algorithm>
#include <utility>

#include "protocol/model/defect.hpp"

namespace zonesync {
namespace {

constexpr std::uint64_t kDayMs = 86'400'000;  // more is not taken from a peer

ErrorCode code_of_close(std::uint16_t close) {
  switch (close) {
    case close_code::kUnauthenticated: return ErrorCode::unauthenticated;
    case close_code::kZoneNotAllowed: return ErrorCode::forbidden;
    case close_code::kSuperseded: return ErrorCode::conflict;
    case close_code::kSilence: return ErrorCode::timeout;
    case close_code::kTooBig: return ErrorCode::too_large;
    case close_code::kVersion: return ErrorCode::unsupported;
    case close_code::kRateLimited: return ErrorCode::resource_exhausted;
    case close_code::kProtocolError:
    case close_code::kTextFrame:
    case close_code::kCreditViolated:
    case close_code::kMalformed: return ErrorCode::protocol;
    default: return ErrorCode::unavailable;
  }
}

bool is_auth_close(std::uint16_t close) {
  return close == close_code::kUnauthenticated || close == close_code::kZoneNotAllowed;
}

bool is_auth_problem(const ConnectProblem& problem) {
  return problem.http_status == 401 || problem.http_status == 403 ||
         problem.error.code == ErrorCode::unauthenticated ||
         problem.error.code == ErrorCode::forbidden;
}

}  // namespace

ZoneMachine::ZoneMachine(Options options, ReplicaStore& store, ReplicaSink& sink, Outbox& outbox,
                         ZonePort& port)
    : options_(std::move(options)),
      store_(store),
      sink_(sink),
      outbox_(outbox),
      port_(port),
      backoff_(options_.backoff),
      modes_(options_.delta_enabled) {
  options_.session.role = SessionRole::zone;
  sink_.set_carries([this](const std::string& type) {
    const TypeInfo* info = outbox_.registry()->find(type);
    return info != nullptr && (info->global_to_zones || info->synced_across_zones);
  });
  sink_.set_on_applied([this](AppliedCut cut) { on_applied(std::move(cut)); });
}

// -- driver ---------------------------------------------------------------------------------------

void ZoneMachine::start() {
  if (phase_ != Phase::idle) return;
  port_.cut_applied(sink_.initial_cut());
  begin_connect();
}

void ZoneMachine::stop() {
  if (phase_ == Phase::closed) return;
  const Phase was = phase_;
  phase_ = Phase::closed;
  if (was == Phase::connecting) port_.cancel_connect();
  if (session_) {
    session_->close(close_code::kNormal, "the zone stops");
    port_.wake();
  }
  retry_at_.reset();
  fail_barriers(Error{ErrorCode::canceled, "the client was stopped", {}});
  port_.status_changed();
}

void ZoneMachine::begin_connect() {
  phase_ = Phase::connecting;
  retry_at_.reset();
  ++counters_.connects;
  reschedule();
  port_.connect();
}

std::shared_ptr<Session> ZoneMachine::open_session(SyncMode mode) {
  if (phase_ != Phase::connecting) return nullptr;
  phase_ = Phase::session;
  welcomed_ = false;
  goodbye_.reset();
  Session::Options session = options_.session;
  session.mode = mode;
  modes_.opened(mode, port_.now());
  session_ = std::make_shared<Session>(session, *this, hello());
  return session_;
}

wire::Hello ZoneMachine::hello() const {
  wire::Hello hello;
  hello.zone = options_.zone;
  hello.instance = options_.instance;
  hello.software = options_.software;
  hello.features.emplace_back(kFeatureViews);
  hello.types = options_.types;
  hello.meshes = options_.meshes;
  hello.down_cursor = store_.state().cursor;
  if (ZONESYNC_DEFECT(45) && counters_.connects > counters_.sessions + 1) hello.down_cursor.reset();
  hello.staged = sink_.staged();
  hello.durable = store_.durable();
  std::tie(hello.open_rejects, hello.open_rejects_digest) = sink_.open_rejects();
  hello.up_log = outbox_.info();
  hello.down_window_bytes = options_.down_window_bytes;
  return hello;
}

void ZoneMachine::on_connect_failed(const ConnectProblem& problem) {
  if (phase_ != Phase::connecting) return;
  plan_retry(ZoneError{problem.error.code, problem.error.message, 0, problem.http_status},
             problem.retry_after, is_auth_problem(problem));
}

void ZoneMachine::plan_retry(ZoneError error, std::optional<Duration> retry_after, bool auth) {
  ever_tried_ = true;
  phase_ = Phase::waiting;
  auth_failed_ = auth;
  last_error_ = std::move(error);
  Duration delay = auth ? backoff_.next_auth(port_.random()) : backoff_.next(port_.random());
  if (retry_after && *retry_after > Duration::zero()) {
    delay = std::max(auth ? delay : Duration::zero(),
                     backoff_.after(*retry_after, port_.random()));
  }
  retry_at_ = port_.now() + delay;
  reschedule();
  port_.status_changed();
}

void ZoneMachine::on_tick(TimePoint now) {
  expire_barriers(now);
  if (modes_.expire(now) && phase_ == Phase::session) reopen("delta is tried again");
  if (phase_ == Phase::waiting && retry_at_ && now >= *retry_at_) return begin_connect();
  reschedule();
}

void ZoneMachine::reconnect_now() {
  if (phase_ == Phase::waiting) begin_connect();
}

void ZoneMachine::end_for_good(Phase phase, const Error& error) {
  phase_ = phase;
  retry_at_.reset();
  fail_barriers(error);
  port_.status_changed();
}

void ZoneMachine::check_store() {
  if (phase_ == Phase::closed || !session_ || session_->receiver() == nullptr) return;
  const auto& failure = session_->receiver()->failure();
  if (!failure || failure->kind != CutFailure::Kind::fatal) return;
  last_error_ = ZoneError{failure->error.code, failure->error.message, 0, 0};
  session_->close(close_code::kInternal, "the zone's store failed");
  port_.wake();
  end_for_good(Phase::closed, failure->error);
}

// -- application ----------------------------------------------------------------------------------

void ZoneMachine::outbox_changed() {
  if (welcomed_) port_.wake();
}

void ZoneMachine::publish(std::vector<OutboxOp> ops, OutboxDone done) {
  outbox_.publish(std::move(ops), [this, done = std::move(done)](Result<OutboxResult> result) {
    const bool written = result && result->written > 0;
    done(std::move(result));
    if (written) outbox_changed();
  });
}

Status ZoneMachine::publish_complete() {
  if (outbox_.info().complete) return {};
  if (auto status = outbox_.declare_complete(); !status) return status;
  // The session's Hello said partial, answered yet or not; a new one says the new word.
  if (session_) reopen("the zone's log is complete now");
  return {};
}

/// Ends the session to say Hello anew at once.
void ZoneMachine::reopen(std::string why) {
  reopening_ = true;
  session_->close(close_code::kNormal, std::move(why));
  port_.wake();
}

void ZoneMachine::approve_mass_delete() {
  sink_.approve_mass_delete();
  if (!session_ || session_->receiver() == nullptr) return;
  session_->receiver()->retry_held();
  port_.wake();
}

void ZoneMachine::hold_application(std::optional<std::string> why) {
  const bool released = sink_.application_held() && !why;
  sink_.set_application_hold(std::move(why));
  if (!released || !session_ || session_->receiver() == nullptr) return;
  const auto& held = session_->receiver()->held();
  if (!held || held->reason != "application") return;
  session_->receiver()->retry_held();
  port_.wake();
}

Status ZoneMachine::refuse(const ResourceKey& key, Revision revision, Reject reject) {
  auto verdict = sink_.refuse(key, revision, std::move(reject));
  if (!verdict) return fail(verdict.error());
  if (session_ && session_->receiver() != nullptr) {
    session_->receiver()->report(std::move(*verdict));
    port_.wake();
  }
  port_.status_changed();
  return {};
}

// -- session --------------------------------------------------------------------------------------

void ZoneMachine::on_welcome(Session& session, const wire::Welcome& welcome) {
  if (&session != session_.get()) return;
  welcomed_ = true;
  welcomed_at_ = port_.now();
  ever_tried_ = true;
  ever_connected_ = true;
  auth_failed_ = false;
  generation_ = welcome.generation;
  session_id_ = welcome.session;
  ++counters_.sessions;
  peer_held_.clear();
  outbox_.forget_rejects();
  if (welcome.up_cursor) outbox_acked_ = welcome.up_cursor->revision;
  adopt_types(welcome);
  View up_view(ViewSpec{.down = false, .zone = options_.zone}, outbox_.registry());
  session.start_flows(Session::ZoneFlows{&sink_, &outbox_.source(), std::move(up_view)});
  // The hub's list is a cache that may be gone, or miss what a broken connection swallowed.
  for (Verdict& open : sink_.open_verdicts()) session.receiver()->report(std::move(open));
  for (Barrier& barrier : barriers_) barrier.sent = false;
  send_barriers();
  port_.status_changed();
}

void ZoneMachine::adopt_types(const wire::Welcome& welcome) {
  if (welcome.types.empty() || ZONESYNC_DEFECT(44)) return;
  auto registry = std::make_shared<TypeRegistry>();
  for (const TypeInfo& type : welcome.types) {
    if (auto status = registry->add(type); !status) {
      last_error_ = ZoneError{ErrorCode::protocol,
                              "the hub's type table is inconsistent: " + status.error().message,
                              0, 0};
      return;
    }
  }
  if (registry->fingerprint() == outbox_.registry()->fingerprint()) return;
  outbox_.set_registry(std::move(registry));
  ++registry_version_;
}

void ZoneMachine::on_goodbye(Session& session, const wire::Goodbye& goodbye) {
  if (&session != session_.get()) return;
  goodbye_ = goodbye;
  modes_.fall_back(std::chrono::milliseconds(std::min(goodbye.fallback_ttl_ms, kDayMs)),
                   port_.now());
}

void ZoneMachine::on_session_closed(Session& session, const CloseInfo& info) {
  if (&session != session_.get()) return;
  absorb(session);
  const bool healthy = welcomed_ && port_.now() - welcomed_at_ >= options_.healthy_after;
  const bool was_welcomed = welcomed_;
  welcomed_ = false;
  check_store();
  session_.reset();
  if (phase_ == Phase::closed) return port_.status_changed();
  if (healthy) backoff_.reset();
  if (std::exchange(reopening_, false)) {
    phase_ = Phase::waiting;
    retry_at_ = port_.now();
    reschedule();
    return port_.status_changed();
  }
  const bool asked = goodbye_ && goodbye_->code != 0;
  const std::uint16_t code = asked ? goodbye_->code : info.code;
  const std::string& said = asked ? goodbye_->reason : info.reason;
  ZoneError error{code_of_close(code), said, code, 0};
  if (error.message.empty()) {
    error.message = was_welcomed ? "the connection was lost" : "the hub closed before Welcome";
  }
  if (code == close_code::kSuperseded && !ZONESYNC_DEFECT(49)) {
    last_error_ = error;
    return end_for_good(Phase::superseded, Error{ErrorCode::conflict, error.message, {}});
  }
  std::optional<Duration> retry_after;
  if (goodbye_ && goodbye_->retry_after_ms > 0 && !ZONESYNC_DEFECT(208)) {
    retry_after = std::chrono::milliseconds(std::min(goodbye_->retry_after_ms, kDayMs));
  }
  plan_retry(std::move(error), retry_after, is_auth_close(code));
}

void ZoneMachine::on_peer_ack(Session& session, const wire::Ack& ack) {
  if (&session != session_.get()) return;
  if (ack.cursor) outbox_acked_ = ack.cursor->revision;
  if (ack.cursor && !peer_held_.empty()) peer_held_.clear();
  for (const Verdict& verdict : ack.verdicts) outbox_.on_verdict(verdict);
  port_.status_changed();
}

void ZoneMachine::on_peer_hold(Session& session, const wire::Hold& hold) {
  if (&session != session_.get()) return;
  peer_held_ = hold.released ? std::string() : hold.reason;
  port_.status_changed();
}

void ZoneMachine::on_hello(Session& session, const wire::Hello&) {
  session.refuse(close_code::kMalformed, "a zone takes no Hello");
}

void ZoneMachine::on_sync(Session& session, std::uint64_t) {
  session.close(close_code::kMalformed, "a zone takes no Sync");
}

void ZoneMachine::on_applied(AppliedCut cut) {
  port_.cut_applied(std::move(cut));
  settle_barriers();
  port_.status_changed();
}

}  // namespace zonesync

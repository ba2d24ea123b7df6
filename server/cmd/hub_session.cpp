#include "server/cmd/hub_session.hpp"

#include <algorithm>
#include <utility>

#include "server/hub/up_prints.hpp"

namespace zonesync {
namespace {

Session::Options hub_options(const SessionServices& services, SyncMode mode) {
  Session::Options options;
  options.mode = mode;
  if (!services.compression) options.features.zstd = options.features.patch = false;
  options.role = SessionRole::hub;
  return options;
}

/// Log event of a close code; empty = an ordinary end.
std::string event_of(std::uint16_t code) {
  switch (code) {
    case close_code::kProtocolError: return "sync.websocket_error";
    case close_code::kTextFrame: return "sync.text_frame";
    case close_code::kTooBig: return "sync.message.too_big";
    case close_code::kInternal: return "sync.internal_error";
    case close_code::kMalformed: return "sync.protocol_error";
    case close_code::kUnauthenticated: return "sync.credential_ended";
    case close_code::kZoneNotAllowed: return "sync.zone.not_allowed";
    case close_code::kSilence: return "sync.silence";
    case close_code::kSuperseded: return "sync.zone.superseded";
    case close_code::kCreditViolated: return "sync.credit_violated";
    case close_code::kVersion: return "sync.version.unsupported";
    case close_code::kRateLimited: return "zone.duplicate";
    case close_code::kCursorMoved: return "sync.cursor_moved";
    default: return {};
  }
}

/// Scopes of a token that narrow what the zone sees: "type:MeshTimeout", "mesh:default".
hub::ZoneScope token_scope(const auth::ZoneIdentity& identity) {
  constexpr std::string_view kType = "type:", kMesh = "mesh:";
  hub::ZoneScope scope;
  for (const std::string& word : identity.scopes) {
    if (word.starts_with(kType)) scope.types.insert(word.substr(kType.size()));
    if (word.starts_with(kMesh)) scope.meshes.insert(word.substr(kMesh.size()));
  }
  return scope;
}

}  // namespace

HubSession::HubSession(SessionServices& services, SessionId id, auth::ZoneIdentity identity,
                       std::string peer, hub::ModeChoice mode)
    : services_(services),
      id_(id),
      identity_(std::move(identity)),
      peer_(std::move(peer)),
      mode_(std::move(mode)),
      session_(hub_options(services, mode_.mode), *this, std::nullopt) {}

std::shared_ptr<SessionPort> HubSession::port() {
  return std::shared_ptr<SessionPort>(shared_from_this(), &session_);
}

// -- from other threads ---------------------------------------------------------------------------

void HubSession::post(std::function<void()> work) {
  if (const auto driver = driver_.lock()) driver->post(std::move(work));
}

void HubSession::wake() {
  if (const auto driver = driver_.lock()) driver->wake();
}

void HubSession::close(std::uint16_t code, std::string reason, Duration retry_after,
                       Duration fallback) {
  post([self = shared_from_this(), code, reason = std::move(reason), retry_after, fallback] {
    self->session_.close(code, reason, retry_after, fallback);
  });
}

void HubSession::tick(std::shared_ptr<const auth::Credentials> credentials) {
  post([self = shared_from_this(), credentials = std::move(credentials)] {
    self->sample();
    if (const auto lines = self->peer_lines_.refill(); lines > 0) {
      self->log(LogLevel::warn, "log.suppressed", "a zone caused more log lines than it may",
                {{"lines", std::to_string(lines)}});
    }
    const auto& identity = self->identity_;
    const auto now = std::chrono::system_clock::now();
    if (now >= std::chrono::system_clock::time_point(identity.expires_at)) {
      self->session_.close(close_code::kUnauthenticated, "credential expired");
    } else if (credentials->zone_token_revoked(identity.jti)) {
      self->session_.close(close_code::kUnauthenticated, "credential revoked");
    }
  });
}

void HubSession::retry_held() {
  post([self = shared_from_this()] {
    if (self->session_.receiver() != nullptr) self->session_.receiver()->retry_held();
  });
}

void HubSession::resync() {
  post([self = shared_from_this()] {
    if (self->session_.sender() == nullptr) return;
    if (!self->session_.sender()->ask_resync()) {
      self->session_.close(close_code::kRestart, "resync asked for; this zone cannot do it live");
    }
  });
}

// -- admission ------------------------------------------------------------------------------------

void HubSession::on_hello(Session&, const wire::Hello& hello) {
  hello_ = hello;
  hello_seen_ = true;
  hub::AdmitRequest request;
  request.hello = hello;
  request.identity = identity_.zone;
  request.session = id_;
  request.peer = peer_;
  request.token_scope = token_scope(identity_);
  request.mode = mode_;
  request.now = steady_clock().now();
  request.now_ms = services_.now_ms();
  services_.writer.post([self = shared_from_this(), request = std::move(request)] {
    self->services_.zones.admit(
        request, [self](tl::expected<hub::Admitted, hub::Refused> decision) {
          self->post([self, decision = std::move(decision)] { self->decided(decision); });
        });
  });
}

void HubSession::decided(tl::expected<hub::Admitted, hub::Refused> decision) {
  if (!decision) {
    const hub::Refused& refused = decision.error();
    ++services_.totals->refused;
    log(LogLevel::warn, refused.event, refused.text);
    log(LogLevel::warn, "sync.zone.refused", "a session was refused",
        {{"reason", refused.event}, {"code", std::to_string(refused.code)}});
    session_.refuse(refused.code, refused.text, refused.retry_after);
    return;
  }
  welcome(*decision);
  log(LogLevel::info, "sync.zone.connected", "a zone is connected",
      {{"generation", std::to_string(decision->generation.value)},
       {"software", hello_.software},
       {"mode", std::string(to_string(mode_.mode))},
       {"mode_reason", mode_.reason},
       {"registered_now", decision->registered ? "true" : "false"}});
}

void HubSession::welcome(const hub::Admitted& admitted) {
  const hub::Views& views = services_.core.views();
  const auto registry = views.registry();
  const hub::ZoneScope request = hub::request_of(hello_, token_scope(identity_));
  const View down = views.down_view(identity_.zone, request);
  const View up(ViewSpec{.down = false, .zone = identity_.zone}, registry);
  feed_ = views.feed(identity_.zone, request);
  hub::UpSink::Options options;
  options.zone = identity_.zone;
  options.generation = admitted.generation;
  options.session = id_;
  hub::UpSink::Events events = hub::up_events(services_.source, identity_.zone, up);
  events.backlog = [this](std::size_t) { adapt_window(); };
  events.idle = [this] { answer_syncs(); };
  events.now_ms = services_.now_ms;
  events.stored = [this](const ResourceKey& key, const Hash128& hash) {
    return services_.source.version(key, hash);
  };
  sink_ = std::make_unique<hub::UpSink>(std::move(options), *this, registry, up,
                                        admitted.up_cursor, std::move(events));
  Session::Admission admission;
  admission.source = &services_.source;
  admission.down_view = down;
  admission.views = feed_.get();
  admission.sink = sink_.get();
  admission.up_window_bytes = limits::kUpFirstGrantBytes;
  admission.open_rejects = admitted.open_rejects;
  wire::Welcome& message = admission.welcome;
  message.session = id_.value;
  message.hub_id = services_.hub_id;
  message.generation = admitted.generation.value;
  message.down_view = down.id();
  message.up_view = up.id();
  for (const TypeInfo* type : registry->all()) message.types.push_back(*type);
  message.message_max_bytes = limits::kMessageMaxBytes;
  message.up_window_bytes = limits::kUpFirstGrantBytes;
  message.up_cursor = admitted.up_cursor;
  session_.admit(std::move(admission));
  admitted_ = true;
}

// -- flows ----------------------------------------------------------------------------------------

void HubSession::submit(hub::UpCommit commit, hub::UpDone done) {
  // One copy of the answer travels back; std::function wants copyable captures.
  auto shared = std::make_shared<hub::UpCommit>(std::move(commit));
  services_.writer.post([self = shared_from_this(), shared, done = std::move(done)] {
    self->services_.core.submit_up(
        std::move(*shared), [self, done](tl::expected<hub::UpResult, CutFailure> result) {
          self->post([self, done, result = std::move(result)] {
            if (result) self->stored_something_ = true;
            done(result);
          });
        });
  });
}

/// Credit shrinks by what waits for the disk and grows after the first stored piece.
void HubSession::adapt_window() {
  FlowReceiver* receiver = session_.receiver();
  if (receiver == nullptr || !sink_) return;
  const std::uint64_t window =
      stored_something_ ? services_.up_window() : limits::kUpFirstGrantBytes;
  const std::uint64_t backlog = sink_->backlog_bytes();
  receiver->set_window(window > backlog ? window - backlog : 0);
}

void HubSession::on_sync(Session&, std::uint64_t id) {
  syncs_.push_back(id);
  answer_syncs();
}

/// The barrier holds once everything that the zone offered is committed.
void HubSession::answer_syncs() {
  if (syncs_.empty() || !sink_ || sink_->outstanding() > 0) return;
  const FlowReceiver* receiver = session_.receiver();
  if (receiver != nullptr && (receiver->held() || receiver->offered() != sink_->cursor())) return;
  for (const std::uint64_t id : syncs_) session_.synced(id, services_.source.head());
  syncs_.clear();
}

void HubSession::on_peer_ack(Session&, const wire::Ack& ack) {
  if (!ack.verdicts.empty()) {
    services_.table.verdicts(identity_.zone, ack.verdicts, services_.now_ms());
    for (const auto& verdict : ack.verdicts) {
      if (verdict.accepted) continue;
      log_for_peer("sync.zone.rejected", "a zone refuses a version",
                   {{"key", to_string(verdict.key)},
                    {"revision", std::to_string(verdict.revision.value)},
                    {"reason", verdict.reject.code}});
    }
  }
  sample();
}

void HubSession::on_peer_hold(Session&, const wire::Hold& hold) {
  const std::string state = hold.released ? std::string() : hold.reason;
  if (state == logged_hold_) return;  // the same again: no line a peer can repeat at will
  logged_hold_ = state;
  log_for_peer(hold.released ? "sync.zone.hold_ended" : "sync.zone.holds",
               "a zone is alive but does not apply", {{"reason", hold.reason}});
  sample();
}

// -- status ---------------------------------------------------------------------------------------

void HubSession::sample() {
  if (!admitted_) return;
  hub::SessionSample sample;
  if (const FlowSender* sender = session_.sender()) {
    sample.acked = sender->acked();
    sample.in_flight_bytes = sender->in_flight_bytes();
    sample.digest_failed = sender->digest_failed();
    if (sender->held()) {
      sample.hold_reason = sender->held()->reason;
      sample.hold_text = sender->held()->text;
    }
    sample.lists = sender->list_status().types();
    sample.counters.changes_sent = sender->counters().changes;
    sample.counters.saved_bytes = sender->counters().saved_bytes;
    sample.counters.patches_sent = sender->counters().patches;
    sample.counters.intents_none = sender->counters().intents_none;
    sample.counters.intents_changes = sender->counters().intents_changes;
    sample.counters.intents_repair = sender->counters().intents_repair;
    sample.counters.intents_full = sender->counters().intents_full;
    sample.counters.cuts_resumed = sender->counters().resumes;
  }
  if (const FlowReceiver* receiver = session_.receiver()) {
    if (receiver->held()) {
      sample.up_hold_reason = receiver->held()->reason;
      sample.up_hold_text = receiver->held()->text;
      sample.digest_failed = sample.digest_failed || receiver->held()->reason == "digest";
    }
    log_up_hold(sample.up_hold_reason, sample.up_hold_text);
    if (receiver->offered()) sample.up_offered = receiver->offered()->revision;
    sample.counters.changes_received = receiver->counters().changes;
    sample.counters.up_cuts = receiver->counters().cuts;
    sample.counters.digest_mismatches = receiver->counters().digest_mismatches;
    sample.counters.patch_failures = receiver->counters().patch_failures;
  }
  sample.counters.bytes_rx = session_.counters().bytes_rx;
  sample.counters.bytes_tx = session_.counters().bytes_tx;
  if (services_.table.sample(identity_.zone, id_, sample, services_.now_ms()) && sample.acked) {
    services_.progress(identity_.zone, sample.acked->revision);
  }
}

/// A hold of the hub's own must not be silent (P9).
void HubSession::log_up_hold(const std::string& reason, const std::string& text) {
  if (reason == logged_up_hold_) return;
  if (reason.empty()) {
    log(LogLevel::info, "sync.zone.up_hold_ended", "what the zone publishes is applied again",
        {{"reason", logged_up_hold_}});
  } else {
    log(LogLevel::warn, "sync.zone.up_held", "the hub holds what the zone publishes",
        {{"reason", reason}, {"text", text}});
  }
  logged_up_hold_ = reason;
}

void HubSession::on_session_closed(Session&, const CloseInfo& info) {
  sample();
  const std::string specific = event_of(info.code);
  const std::vector<LogField> fields = {{"code", std::to_string(info.code)},
                                        {"reason", info.reason}};
  if (!specific.empty()) log(LogLevel::warn, specific, info.reason, fields);
  if (specific == "sync.protocol_error" || specific == "sync.message.too_big") {
    ++services_.totals->protocol_errors;
  }
  log(LogLevel::info, "sync.zone.disconnected", "a session ended", fields);
  if (hello_seen_) {
    hub::DisconnectReason reason;
    reason.code = info.code;
    reason.event = specific.empty() ? "sync.zone.disconnected" : specific;
    reason.text = info.reason;
    reason.at_ms = services_.now_ms();
    services_.writer.post([self = shared_from_this(), reason = std::move(reason)] {
      self->services_.zones.session_closed(self->identity_.zone, self->id_, reason);
    });
  }
  services_.ended(id_);
}

/// A line that the peer may repeat as often as it likes.
void HubSession::log_for_peer(std::string event, std::string message,
                              std::vector<LogField> fields) {
  if (peer_lines_.take()) {
    log(LogLevel::warn, std::move(event), std::move(message), std::move(fields));
  }
}

void HubSession::log(LogLevel level, std::string event, std::string message,
                     std::vector<LogField> fields) const {
  fields.insert(fields.begin(), {{"zone", identity_.zone},
                                 {"session", std::to_string(id_.value)},
                                 {"peer", peer_}});
  services_.logger->log({level, std::move(event), std::move(message), std::move(fields)});
}

}  // namespace zonesync

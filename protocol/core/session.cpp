#include "protocol/core/session.hpp"

#include <algorithm>

#include "protocol/model/assert.hpp"
#include "protocol/model/defect.hpp"

namespace zonesync {

using wire::FlowId;
using wire::PacketKind;

namespace {

std::uint16_t close_code_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::protocol:
    case ErrorCode::invalid_argument: return close_code::kMalformed;
    case ErrorCode::too_large: return close_code::kTooBig;
    case ErrorCode::resource_exhausted: return close_code::kCreditViolated;
    case ErrorCode::unsupported: return close_code::kVersion;
    case ErrorCode::forbidden: return close_code::kZoneNotAllowed;
    case ErrorCode::unauthenticated: return close_code::kUnauthenticated;
    default: return close_code::kInternal;
  }
}

/// At most 123 bytes (RFC 6455 §5.5), never ending inside a UTF-8 character.
std::string clip_reason(std::string reason) {
  constexpr std::size_t kReasonMax = 123;
  if (reason.size() <= kReasonMax) return reason;
  std::size_t end = kReasonMax;
  while (end > 0 && (static_cast<unsigned char>(reason[end]) & 0xc0) == 0x80) --end;
  reason.resize(end);
  return reason;
}

std::uint64_t to_ms(Duration duration) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

bool among(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

Session::Session(Options options, SessionHost& host, std::optional<wire::Hello> hello)
    : options_(std::move(options)), host_(host), hello_(std::move(hello)) {
  ZS_ASSERT(hello_.has_value() == (options_.role == SessionRole::zone));
  // Lists hold whole versions, and are asked for anew.
  if (options_.mode == SyncMode::v1) options_.features.patch = options_.features.resume = false;
  if (!hello_) return;
  if (!options_.features.resume) hello_->staged.reset();
  for (const std::string& word : wire::words_of(options_.features)) {
    if (!among(hello_->features, word)) hello_->features.push_back(word);
  }
}

Session::~Session() = default;

// -- hub role -------------------------------------------------------------------------------------

void Session::admit(Admission admission) {
  ZS_ASSERT(options_.role == SessionRole::hub && hello_seen_ && !established_);
  if (close_ || closed_) return;
  features_ = wire::common(options_.features, wire::features_of(hello_->features));
  admission.welcome.features = wire::words_of(features_);
  const bool drops = among(hello_->features, kFeatureViews);
  if (drops) admission.welcome.features.emplace_back(kFeatureViews);
  admission.welcome.up_repair = repairs() && admission.sink != nullptr &&
                                !admission.sink->cursor() && admission.sink->has_content();
  const std::size_t before = outbox_.size();
  wire::append(outbox_, admission.welcome);
  if (features_.zstd) wire::compress_last_packet(outbox_, before);  // ZIP-05
  established_ = true;
  if (admission.source != nullptr && admission.down_view) {
    FlowSender::Options options;
    options.flow = FlowId::down;
    options.mode = options_.mode;
    options.window_bytes = std::min<std::uint64_t>(hello_->down_window_bytes,
                                                   limits::kFlowWindowBytes);
    options.message_target_bytes = options_.message_target_bytes;
    options.cut_target_bytes = options_.cut_target_bytes;
    options.drops = drops;
    options.repair = repairs();
    options.features = features_;
    sender_ = std::make_unique<FlowSender>(options, *admission.source, *admission.down_view);
    if (admission.views != nullptr) sender_->follow(*admission.views);
    wire::Want want;  // implied by Hello (FLOW-01)
    want.cursor = hello_->down_cursor;
    want.staged = hello_->staged;
    sender_->on_want(want);
  }
  if (admission.sink != nullptr) {
    receiver_ = std::make_unique<FlowReceiver>(
        FlowReceiver::Options{FlowId::up, admission.up_window_bytes, options_.mode, repairs(),
                              features_.resume},
        *admission.sink);
    for (Verdict& open : admission.open_rejects) receiver_->report(std::move(open));
  }
}

void Session::refuse(std::uint16_t code, std::string reason, Duration retry_after) {
  close(code, std::move(reason), retry_after);
}

void Session::synced(std::uint64_t id, Revision revision) {
  if (close_ || closed_) return;
  if (syncs_outstanding_ > 0) --syncs_outstanding_;
  wire::append(outbox_, wire::Synced{id, revision});
}

// -- zone role ------------------------------------------------------------------------------------

void Session::start_flows(ZoneFlows flows) {
  ZS_ASSERT(options_.role == SessionRole::zone && established_);
  if (flows.sink != nullptr) {
    const std::uint64_t window =
        hello_->down_window_bytes == 0 ? limits::kFlowWindowBytes : hello_->down_window_bytes;
    receiver_ = std::make_unique<FlowReceiver>(
        FlowReceiver::Options{FlowId::down, window, options_.mode, repairs(),
                              features_.resume},
        *flows.sink);
  }
  if (flows.source != nullptr && flows.up_view) {
    FlowSender::Options options;
    options.flow = FlowId::up;
    options.mode = options_.mode;
    options.message_target_bytes = options_.message_target_bytes;
    options.cut_target_bytes = options_.cut_target_bytes;
    options.repair = repairs();
    options.features = features_;
    sender_ = std::make_unique<FlowSender>(options, *flows.source, *flows.up_view);
  }
}

Status Session::sync(std::uint64_t id) {
  if (!established_ || close_) return fail(ErrorCode::unavailable, "the session is not open");
  if (syncs_outstanding_ >= limits::kSyncOutstandingMax) {
    return fail(ErrorCode::resource_exhausted, "too many Syncs outstanding; wait for a Synced");
  }
  ++syncs_outstanding_;
  if (sender_) {
    // The barrier stands behind everything that is already in the log: produce() keeps order
    // because Sync goes out only once the up flow reached the head (see next_message).
    pending_syncs_.push_back(PendingSync{id, sender_->target()});
  } else {
    wire::append(outbox_, wire::Sync{id});
  }
  return {};
}

void Session::close(std::uint16_t code, std::string reason, Duration retry_after,
                    Duration fallback) {
  if (close_ || closed_) return;
  reason = clip_reason(std::move(reason));
  wire::Goodbye goodbye;
  goodbye.code = code;
  goodbye.reason = reason;
  goodbye.retry_after_ms = to_ms(retry_after);
  goodbye.fallback_ttl_ms = to_ms(fallback);
  wire::append(outbox_, goodbye);
  close_ = CloseInfo{code, std::move(reason)};
}

// -- SessionPort ----------------------------------------------------------------------------------

void Session::on_open(TimePoint now) {
  ZS_ASSERT(!opened_);
  opened_ = true;
  opened_at_ = now;
  last_received_ = now;
  if (options_.role == SessionRole::zone) wire::append(outbox_, *hello_);
}

void Session::on_message(std::string bytes, TimePoint now) {
  if (close_ || closed_) return;
  if (!bytes.empty()) last_received_ = now;
  ++counters_.messages_rx;
  counters_.bytes_rx += bytes.size();
  patched_bytes_ = 0;
  wire::PacketReader reader(bytes, inbound_features());
  for (;;) {
    auto packet = reader.next();
    if (!packet) return fail_session(packet.error());
    if (!*packet) break;
    if (auto status = dispatch(**packet, now); !status) return fail_session(status.error());
    if (close_) return;
    reader.negotiated(inbound_features());
  }
  check_flows();
}

void Session::on_closed(const CloseInfo& info, TimePoint) {
  ZS_ASSERT(!closed_);
  closed_ = true;
  host_.on_session_closed(*this, info);
}

void Session::on_tick(TimePoint now) {
  if (close_ || closed_ || !opened_) return;
  if (ZONESYNC_DEFECT(16)) last_received_ = now;
  if (!established_ && now - opened_at_ >= options_.handshake_timeout) {
    return close(close_code::kSilence, "no Hello or Welcome in time");
  }
  if (now - last_received_ >= options_.silence_timeout) {
    return close(close_code::kSilence, "no packet for too long");
  }
  check_flows();
}

std::optional<std::string> Session::next_message(TimePoint now) {
  if (!opened_ || closed_) return std::nullopt;
  settle_syncs();
  std::string out = std::move(outbox_);
  outbox_.clear();
  if (!close_) {
    const bool wait = ZONESYNC_DEFECT(19) && sender_ && sender_->in_flight_bytes() > 0;
    if (receiver_ && !wait) receiver_->produce(out, now);
    if (sender_) {
      if (auto status = sender_->produce(out, now); !status) fail_session(status.error());
    }
    check_flows();
    release_syncs(out);
    if (close_) {
      out += outbox_;
      outbox_.clear();
    }
  }
  if (out.empty()) return std::nullopt;
  ++counters_.messages_tx;
  counters_.bytes_tx += out.size();
  return out;
}

/// Hub role: a Sync counts only the cuts that are durable, and a cut may have to be sent again.
void Session::settle_syncs() {
  const auto settled = [this] {
    return !receiver_ || receiver_->settled() || ZONESYNC_DEFECT(18);
  };
  while (!close_ && !unsettled_syncs_.empty() && settled()) {
    const std::uint64_t id = unsettled_syncs_.front();
    unsettled_syncs_.pop_front();
    host_.on_sync(*this, id);
  }
}

void Session::release_syncs(std::string& out) {
  while (!pending_syncs_.empty() && sender_ &&
         (sender_->reached(pending_syncs_.front().after) || ZONESYNC_DEFECT(17))) {
    wire::append(out, wire::Sync{pending_syncs_.front().id});
    pending_syncs_.pop_front();
  }
}

std::optional<TimePoint> Session::next_deadline() const {
  if (!opened_ || closed_ || close_) return std::nullopt;
  TimePoint deadline = last_received_ + options_.silence_timeout;
  if (!established_) deadline = std::min(deadline, opened_at_ + options_.handshake_timeout);
  const auto earlier = [&](const std::optional<TimePoint>& other) {
    if (other) deadline = std::min(deadline, *other);
  };
  if (sender_) earlier(sender_->next_deadline());
  if (receiver_) earlier(receiver_->next_deadline());
  return deadline;
}

std::optional<CloseInfo> Session::wants_close() const {
  if (!close_ || !outbox_.empty()) return std::nullopt;
  return close_;
}

std::size_t Session::message_max_bytes() const {
  const bool before_hello = options_.role == SessionRole::hub && !hello_seen_;
  return before_hello ? limits::kMessageBeforeHelloMaxBytes : options_.message_max_bytes;
}

// -- dispatch -------------------------------------------------------------------------------------

Status Session::dispatch(const wire::Packet& packet, TimePoint now) {
  switch (packet.header.kind) {
    case PacketKind::hello: return on_hello_packet(packet);
    case PacketKind::welcome: return on_welcome_packet(packet);
    case PacketKind::goodbye:
    case PacketKind::sync:
    case PacketKind::synced: return dispatch_session(packet);
    default: break;
  }
  if (!established_) {
    return fail(ErrorCode::protocol, "a flow packet before the handshake", "SES-02");
  }
  switch (packet.header.kind) {
    case PacketKind::want:
    case PacketKind::ack: return dispatch_feedback(packet, now);
    case PacketKind::hold: {
      const bool of_sender = packet.header.flow == inbound() && receiver_;
      return of_sender ? dispatch_data(packet, now) : dispatch_feedback(packet, now);
    }
    case PacketKind::buckets:
    case PacketKind::differing:
    case PacketKind::prints:
    case PacketKind::remove: return dispatch_repair(packet, now);
    default: return dispatch_data(packet, now);
  }
}

Status Session::on_hello_packet(const wire::Packet& packet) {
  if (options_.role != SessionRole::hub || hello_seen_) {
    return fail(ErrorCode::protocol, "an unexpected Hello", "SES-02");
  }
  auto hello = wire::decode_hello(packet.payload);
  if (!hello) return fail(hello.error());
  hello_seen_ = true;
  hello_ = std::move(*hello);
  host_.on_hello(*this, *hello_);
  return {};
}

/// What a packet of the peer may use: a hub compresses its Welcome already (ZIP-05).
wire::Features Session::inbound_features() const {
  const bool before_welcome = options_.role == SessionRole::zone && !established_;
  return before_welcome ? wire::Features{.zstd = options_.features.zstd} : features_;
}

/// SES-04: one version of our range and a subset of our features.
Status Session::check_welcome(const wire::Welcome& welcome) const {
  if (welcome.version < hello_->version_min || welcome.version > hello_->version_max) {
    return fail(ErrorCode::unsupported, "Welcome names a version that we did not offer", "SES-04");
  }
  for (const std::string& word : welcome.features) {
    if (!among(hello_->features, word)) {
      return fail(ErrorCode::protocol, "Welcome names a feature that we did not offer", "SES-04");
    }
  }
  return {};
}

Status Session::on_welcome_packet(const wire::Packet& packet) {
  if (options_.role != SessionRole::zone || established_) {
    return fail(ErrorCode::protocol, "an unexpected Welcome", "SES-02");
  }
  auto welcome = wire::decode_welcome(packet.payload);
  if (!welcome) return fail(welcome.error());
  if (auto status = check_welcome(*welcome); !status) return status;
  features_ = wire::features_of(welcome->features);
  established_ = true;
  host_.on_welcome(*this, *welcome);
  if (sender_) {
    wire::Ack grant;
    grant.window_bytes = welcome->up_window_bytes;
    if (auto status = sender_->on_ack(grant, last_received_); !status) return status;
    wire::Want want;  // implied by Welcome (FLOW-01)
    want.cursor = welcome->up_cursor;
    want.repair = welcome->up_repair && repairs();
    if (want.repair) want.why = "no_cursor";
    sender_->on_want(want);
  }
  return {};
}

Status Session::dispatch_session(const wire::Packet& packet) {
  if (packet.header.kind == PacketKind::goodbye) {
    auto goodbye = wire::decode_goodbye(packet.payload);
    if (!goodbye) return fail(goodbye.error());
    host_.on_goodbye(*this, *goodbye);
    return {};
  }
  if (!established_) return fail(ErrorCode::protocol, "Sync before the handshake", "SES-02");
  if (packet.header.kind == PacketKind::sync) {
    if (options_.role != SessionRole::hub) {
      return fail(ErrorCode::protocol, "only a zone sends Sync", "SES-09");
    }
    auto sync = wire::decode_sync(packet.payload);
    if (!sync) return fail(sync.error());
    if (++syncs_outstanding_ > limits::kSyncOutstandingMax) {
      return fail(ErrorCode::resource_exhausted, "too many Syncs outstanding", "SES-09");
    }
    unsettled_syncs_.push_back(sync->id);
    return {};
  }
  if (options_.role != SessionRole::zone) {
    return fail(ErrorCode::protocol, "only a hub sends Synced", "SES-09");
  }
  auto synced = wire::decode_synced(packet.payload);
  if (!synced) return fail(synced.error());
  if (syncs_outstanding_ == 0) return fail(ErrorCode::protocol, "Synced without Sync", "SES-09");
  --syncs_outstanding_;
  host_.on_synced(*this, *synced);
  return {};
}

Status Session::dispatch_data(const wire::Packet& packet, TimePoint now) {
  if (packet.header.flow != inbound() || !receiver_) {
    return fail(ErrorCode::protocol, "data on a flow that the peer does not send", "FLOW-03");
  }
  switch (packet.header.kind) {
    case PacketKind::intent: {
      auto intent = wire::decode_intent(packet.payload);
      if (!intent) return fail(intent.error());
      return receiver_->on_intent(*intent);
    }
    case PacketKind::change:
      return receiver_->on_change(packet.header.revision, packet.payload, packet.packet_bytes, now);
    case PacketKind::part: {
      auto part = wire::decode_part(packet.payload);
      if (!part) return fail(part.error());
      return receiver_->on_part(packet.header.revision, *part, packet.packet_bytes, now);
    }
    case PacketKind::drop: {
      auto drop = wire::decode_drop(packet.payload);
      if (!drop) return fail(drop.error());
      return receiver_->on_drop(*drop, packet.packet_bytes, now);
    }
    case PacketKind::list: {
      auto list = wire::decode_list(packet.payload);
      if (!list) return fail(list.error());
      return receiver_->on_list(*list);
    }
    case PacketKind::hold: {
      auto hold = wire::decode_hold(packet.payload);
      if (!hold) return fail(hold.error());
      receiver_->on_sender_hold(*hold);
      return {};
    }
    case PacketKind::patch: {
      auto patch = wire::decode_patch(packet.payload);
      if (!patch) return fail(patch.error());
      patched_bytes_ += patch->size;
      if (patched_bytes_ > limits::kInflatedMessageMaxBytes) {
        return fail(ErrorCode::too_large, "the patches of one message are too large", "ZIP-17");
      }
      return receiver_->on_patch(packet.header.revision, *patch, packet.packet_bytes, now);
    }
    case PacketKind::mark: {
      auto mark = wire::decode_mark(packet.payload);
      if (!mark) return fail(mark.error());
      return receiver_->on_mark(*mark, now);
    }
    default:
      return fail(ErrorCode::protocol, "a packet kind that was not negotiated", "FLOW-03");
  }
}

Status Session::dispatch_feedback(const wire::Packet& packet, TimePoint now) {
  const FlowId outbound = options_.role == SessionRole::hub ? FlowId::down : FlowId::up;
  if (packet.header.flow != outbound || !sender_) {
    return fail(ErrorCode::protocol, "feedback on a flow that we do not send", "FLOW-03");
  }
  switch (packet.header.kind) {
    case PacketKind::want: {
      auto want = wire::decode_want(packet.payload);
      if (!want) return fail(want.error());
      sender_->on_want(*want);
      return {};
    }
    case PacketKind::ack: {
      auto ack = wire::decode_ack(packet.payload);
      if (!ack) return fail(ack.error());
      if (auto status = sender_->on_ack(*ack, now); !status) return status;
      host_.on_peer_ack(*this, *ack);
      return {};
    }
    default: {
      auto hold = wire::decode_hold(packet.payload);
      if (!hold) return fail(hold.error());
      sender_->on_hold(*hold);
      host_.on_peer_hold(*this, *hold);
      return {};
    }
  }
}

void Session::check_flows() {
  if (!close_ && sender_ && sender_->outdated()) {
    close(close_code::kRestart, "the view of this zone changed");  // VIEW-08
  }
  if (close_ || !receiver_ || !receiver_->failure()) return;
  const CutFailure& failure = *receiver_->failure();
  if (failure.kind == CutFailure::Kind::stale) {
    const bool fenced = failure.error.code == ErrorCode::conflict;
    close(fenced ? close_code::kSuperseded : close_code::kCursorMoved, failure.error.message);
  } else {
    close(close_code::kInternal, "the receiver's store failed");  // details: its own log (P7)
  }
}

void Session::fail_session(const Error& error) {
  std::string reason = error.message;
  if (!error.field.empty()) reason = error.field + ": " + reason;
  close(close_code_of(error), std::move(reason));
}

}  // namespace zonesync

#include "conformance/suite/peer.hpp"

#include <algorithm>

#include "conformance/suite/case.hpp"

namespace zonesync::conform {
namespace {

using wire::PacketKind;

template <class T>
T decoded(Result<T> result, const char* kind) {
  require(result.has_value(), std::string("WIRE-10: a ") + kind + " does not decode: " +
                                  (result ? "" : describe(result.error())));
  return std::move(*result);
}

}  // namespace

Peer::Peer(std::unique_ptr<Link> link, Transcript& transcript, std::string name, FlowIn flow_in,
           FlowOut flow_out)
    : in(std::move(flow_in)),
      out(std::move(flow_out)),
      transcript_(transcript),
      name_(std::move(name)),
      link_(std::move(link)) {}

// -- saying ---------------------------------------------------------------------------------------

void Peer::send(std::string message) {
  transcript_.message(name_, "says", message);
  wire::PacketReader reader(message, wire::kAllFeatures);
  for (auto packet = reader.next(); packet && *packet; packet = reader.next()) {
    const PacketKind kind = (*packet)->header.kind;
    const bool data = kind == PacketKind::change || kind == PacketKind::part ||
                      kind == PacketKind::drop || kind == PacketKind::patch ||
                      kind == PacketKind::remove;
    if (data && (*packet)->header.flow == out.flow) out.sent_bytes += (*packet)->packet_bytes;
  }
  link_->send(std::move(message));
}

void Peer::send_packets(const std::vector<std::string>& packets) {
  std::string message;
  std::uint64_t unsent = 0;
  for (const std::string& packet : packets) {
    const bool full = message.size() + packet.size() > limits::kMessageTargetBytes;
    if (!message.empty() && (full || !out.may_send(unsent + packet.size()))) {
      send(std::move(message));
      message.clear();
      unsent = 0;
    }
    if (!out.may_send(unsent + packet.size())) {
      wait("credit (FLOW-20, FLOW-23)", [&] { return out.may_send(packet.size()); });
    }
    message += packet;
    unsent += packet.size();
  }
  if (!message.empty()) send(std::move(message));
}

void Peer::leave(std::uint16_t code, const std::string& reason, std::uint64_t retry_after_ms) {
  wire::Goodbye message;
  message.code = code;
  message.reason = reason;
  message.retry_after_ms = retry_after_ms;
  say(message);
  link_->close({code, reason});
}

void Peer::push() {
  if (out.mode == Mode::v1 && out.next_from && out.log.head > out.next_from->revision) {
    wait("the Ack of the cut before (V1-06)", [&] { return out.acked == out.next_from; });
  }
  send_packets(out.next_cut());
}

void Peer::repair(const std::string& why) {
  const std::size_t before = out.buckets.size();
  send(out.repair_packet(why));
  wait("Buckets (REP-02)", [&] { return out.buckets.size() > before; });
  const wire::Differing differing = out.differing();
  out.prints.clear();
  say(out.flow, differing);
  if (!differing.buckets.empty()) {
    wait("the last Prints (REP-04)", [&] { return !out.prints.empty() && out.prints.back().last; });
  }
  send_packets(out.repair_cut(differing));
}

// -- hearing --------------------------------------------------------------------------------------

bool Peer::step() {
  auto message = in.owes_credit() ? link_->poll() : link_->receive();
  if (!message && in.owes_credit() && !link_->closed()) {   // it may wait for credit (FLOW-23)
    say(in.flow, in.ack());
    message = link_->receive();
  }
  if (!message) return false;
  take(*message);
  return true;
}

void Peer::drain() {
  constexpr int kMessagesMax = 200'000;
  int count = 0;
  for (auto message = link_->poll(); message; message = link_->poll()) {
    require(++count < kMessagesMax, name_ + ": messages come without end");
    take(*message);
  }
}

void Peer::wait(const std::string& what, const std::function<bool()>& holds) {
  constexpr std::size_t kStepsMax = 200'000;
  for (std::size_t steps = 0; !holds(); ++steps) {
    require(steps < kStepsMax, name_ + " waits for " + what + ": messages come without end");
    if (step()) continue;
    if (holds()) return;
    std::string state = "nothing more came";
    if (const auto closed = link_->closed()) {
      state = "the connection ended with " + std::to_string(closed->code) + " " + closed->reason;
    }
    fail_case(name_ + " waits for " + what + ": " + state);
  }
}

bool Peer::open() {
  if (!link_->closed()) drain();
  return !link_->closed();
}

CloseInfo Peer::wait_close() {
  while (!link_->closed() && step()) {
  }
  const auto closed = link_->closed();
  require(closed.has_value(), name_ + " waits for the end of the connection: it stays open");
  transcript_.note(name_ + " sees the end: " + std::to_string(closed->code) + " " +
                   closed->reason);
  return *closed;
}

void Peer::expect_close(std::uint16_t code, const std::string& why) {
  const CloseInfo info = wait_close();
  require(info.code == code, why + ": expected close " + std::to_string(code) + ", got " +
                                 std::to_string(info.code) + " " + info.reason);
  if (goodbye) {
    require(goodbye->code == code, "SES-10: Goodbye says " + std::to_string(goodbye->code) +
                                       ", the close frame " + std::to_string(code));
  }
}

void Peer::take(const std::string& message) {
  ++messages;
  bytes += message.size();
  largest_message = std::max(largest_message, message.size());
  transcript_.message(name_, "hears", message);
  require(message.size() <= limits::kMessageMaxBytes, "WIRE-09: a message over the limit");
  wire::PacketReader reader(message, features());
  for (;;) {
    reader.negotiated(features());
    const auto packet = reader.next();
    require(packet.has_value(),
            "WIRE-02: an undecodable packet: " + (packet ? "" : describe(packet.error())));
    if (!*packet) break;
    require(!goodbye, "SES-10: a packet after Goodbye");
    const bool plain = (*packet)->header.kind == PacketKind::hello ||
                       (*packet)->header.kind == PacketKind::goodbye;
    require(!plain || !(*packet)->header.zstd, "ZIP-05: a compressed Hello or Goodbye");
    take(**packet);
  }
  std::string due = in.due();
  if (!due.empty()) send(std::move(due));
  react();
}

void Peer::take(const wire::Packet& packet) {
  if (static_cast<unsigned>(packet.header.kind) < 16) return take_session(packet);
  require(hello_heard || welcome_heard, "SES-02: a flow packet before Hello or Welcome");
  switch (packet.header.kind) {
    case PacketKind::want:
    case PacketKind::ack:
    case PacketKind::hold:
    case PacketKind::buckets:
    case PacketKind::prints:
      require(packet.header.flow == out.flow, "FLOW-03: feedback on a flow that is not ours");
      return take_feedback(packet);
    default: break;
  }
  require(packet.header.flow == in.flow, "FLOW-03: data on a flow that is ours to send");
  take_data(packet);
}

void Peer::take_data(const wire::Packet& packet) {
  switch (packet.header.kind) {
    case PacketKind::intent: {
      const auto intent = decoded(wire::decode_intent(packet.payload), "Intent");
      require(intent.reason != wire::IntentReason::repair || features().repair,
              "REP-01: a repair that was not negotiated");
      require(!intent.resumed || features().resume, "STG-06: `resumed` was not negotiated");
      return in.on_intent(intent);
    }
    case PacketKind::patch: return in.on_patch(packet);
    case PacketKind::differing:
      return in.on_differing(decoded(wire::decode_differing(packet.payload), "Differing"));
    case PacketKind::remove: return in.on_remove(packet);
    case PacketKind::change: return in.on_change(packet);
    case PacketKind::part: return in.on_part(packet);
    case PacketKind::drop: return in.on_drop(packet);
    case PacketKind::list: return in.on_list(decoded(wire::decode_list(packet.payload), "List"));
    case PacketKind::mark: return in.on_mark(decoded(wire::decode_mark(packet.payload), "Mark"));
    default: fail_case("WIRE-03: a packet kind that was not negotiated");
  }
}

void Peer::take_session(const wire::Packet& packet) {
  switch (packet.header.kind) {
    case PacketKind::hello:
      require(!hello_heard, "SES-02: a second Hello");
      hello_heard = decoded(wire::decode_hello(packet.payload), "Hello");
      return;
    case PacketKind::welcome:
      require(!welcome_heard, "SES-02: a second Welcome");
      welcome_heard = decoded(wire::decode_welcome(packet.payload), "Welcome");
      return;
    case PacketKind::goodbye:
      goodbye = decoded(wire::decode_goodbye(packet.payload), "Goodbye");
      return;
    case PacketKind::sync:
      syncs.push_back(decoded(wire::decode_sync(packet.payload), "Sync"));
      return;
    default:
      synced.push_back(decoded(wire::decode_synced(packet.payload), "Synced"));
      return;
  }
}

void Peer::take_feedback(const wire::Packet& packet) {
  switch (packet.header.kind) {
    case PacketKind::want: return out.on_want(decoded(wire::decode_want(packet.payload), "Want"));
    case PacketKind::ack: return out.on_ack(decoded(wire::decode_ack(packet.payload), "Ack"));
    case PacketKind::buckets:
    case PacketKind::prints: {
      require(features().repair, "REP-01: a repair that was not negotiated");
      if (packet.header.kind == PacketKind::prints) {
        return out.on_prints(decoded(wire::decode_prints(packet.payload), "Prints"));
      }
      return out.on_buckets(decoded(wire::decode_buckets(packet.payload), "Buckets"));
    }
    default: return out.on_hold(decoded(wire::decode_hold(packet.payload), "Hold"));
  }
}

}  // namespace zonesync::conform

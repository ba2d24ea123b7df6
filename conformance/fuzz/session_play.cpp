#include "conformance/fuzz/session_play.hpp"

#include "conformance/fuzz/packets.hpp"
#include "protocol/core/testing/session_pair.hpp"
#include "protocol/model/assert.hpp"

namespace zonesync::fuzz {
namespace {

constexpr int kStepsMax = 200;
constexpr int kMessagesPerStep = 64;

/// Thread rule: one thread. One script, then it is thrown away.
class Play {
 public:
  Play(SessionRole role, Input& in);
  void run();

 private:
  void step();
  void deliver(std::string message);
  void pull();
  void check();
  [[nodiscard]] bool over() const { return peer_.closed.has_value(); }

  Input& in_;
  testing::Peer peer_;
  Identities ids_;
  TimePoint now_ = TimePoint{} + std::chrono::hours(1);
  bool failing_ = false;  // the script made the disk fail: then every close code is fair
};

View view_of(bool down) {
  static const auto registry =
      std::make_shared<const TypeRegistry>(TypeRegistry::with_default_types());
  ViewSpec spec;
  spec.down = down;
  spec.zone = "east";
  return {spec, registry};
}

Play::Play(SessionRole role, Input& in) : in_(in), peer_(role, 1 << 16) {
  const bool hub = role == SessionRole::hub;
  const View down = view_of(true);
  const View up = view_of(false);
  ids_.peer_log = Id128{{9}};
  ids_.peer_era = EraId{Id128{{8}}};
  ids_.own_era = peer_.log.state().current_era();
  ids_.inbound_view = hub ? up.id() : down.id();
  ids_.outbound_view = hub ? down.id() : up.id();
  ids_.inbound = hub ? wire::FlowId::up : wire::FlowId::down;
  const std::uint8_t options = in_.byte();
  peer_.mode = (options & 1) != 0 ? SyncMode::v1 : SyncMode::delta;
  if ((options & 2) != 0) peer_.features = {};
  peer_.window_bytes = (options & 4) != 0 ? 1024 : limits::kFlowWindowBytes;
  for (int i = 0; i < ((options >> 3) & 3); ++i) {
    const std::string name(1, static_cast<char>('a' + i));
    peer_.write({hub ? testing::timeout(name) : testing::dataplane(name)});
  }
  peer_.open_session(down, up);
  peer_.session->on_open(now_);
  pull();
  if ((options & 32) != 0) return;  // the script says Hello or Welcome itself, or not at all
  std::string greeting;
  hub ? append_hello(greeting, ids_) : append_welcome(greeting, ids_);
  deliver(std::move(greeting));
}

void Play::run() {
  for (int i = 0; i < kStepsMax && !in_.empty() && !over(); ++i) {
    step();
    pull();
    check();
  }
  if (!over()) peer_.session->on_closed({}, now_);
  ZS_ASSERT(over());
}

void Play::step() {
  switch (in_.pick(10)) {
    case 0: return deliver(in_.bytes());
    case 1:
      now_ += std::chrono::milliseconds(10) * in_.number();
      return peer_.session->on_tick(now_);
    case 2: {
      const std::string name(1, static_cast<char>('a' + in_.pick(8)));
      const bool hub = peer_.role == SessionRole::hub;
      const std::string text = std::to_string(in_.byte());
      peer_.write({hub ? testing::timeout(name, text) : testing::dataplane(name, text)});
      return;
    }
    case 3:
      peer_.sink.deferred = in_.flag();
      if (!peer_.sink.deferred) {
        while (!peer_.sink.pending.empty()) peer_.sink.complete_one();
      }
      return;
    case 4: {
      failing_ = true;
      const auto kind = static_cast<CutFailure::Kind>(in_.pick(4));
      peer_.sink.fail_next_commit = CutFailure{kind, {ErrorCode::storage_io, "by script", ""},
                                               "disk_full"};
      return;
    }
    default: {
      std::string message;
      for (std::size_t packets = 1 + in_.pick(4); packets > 0; --packets) {
        append_packet(message, in_, ids_);
      }
      return deliver(std::move(message));
    }
  }
}

void Play::deliver(std::string message) {
  if (over() || message.size() > peer_.session->message_max_bytes()) return;
  message.reserve(64);  // on the heap, and so aligned
  now_ += std::chrono::milliseconds(1);
  peer_.session->on_message(std::move(message), now_);
  pull();
}

void Play::pull() {
  for (int i = 0; i < kMessagesPerStep && !over(); ++i) {
    const auto message = peer_.session->next_message(now_);
    if (!message) {
      if (const auto close = peer_.session->wants_close()) peer_.session->on_closed(*close, now_);
      return;
    }
    ZS_ASSERT(!message->empty() && message->size() <= limits::kMessageMaxBytes);
    wire::PacketReader reader(*message, wire::kAllFeatures);
    while (true) {
      const auto packet = reader.next();
      ZS_ASSERT(packet.has_value());  // what we say is well formed whatever we heard
      if (!*packet) break;
    }
  }
}

/// Nothing a peer says is our internal error, and nothing undecodable is kept.
void Play::check() {
  for (const auto& [key, item] : peer_.sink.items) {
    ZS_ASSERT(wire::resource_of(item.payload).has_value());
  }
  if (!peer_.closed || failing_) return;
  ZS_ASSERT(peer_.closed->code != close_code::kInternal);
}

}  // namespace

void play(SessionRole role, const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  Play(role, in).run();
}

}  // namespace zonesync::fuzz

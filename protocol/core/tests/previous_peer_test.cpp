// A peer of the previous version, as its frozen bytes say (conformance/vectors/previous): it offers
// no feature of today, and the whole conversation must stay within what it knows.
#include <gtest/gtest.h>

#include <fstream>

#include "protocol/core/testing/session_pair.hpp"

namespace zonesync {
namespace {

using testing::SessionPair;
using testing::timeout;
using wire::FlowId;
using wire::PacketKind;

/// The bytes of one frozen vector.
std::string frozen(const std::string& file, const std::string& name) {
  std::ifstream stream(std::string(ZONESYNC_VECTORS_DIR) + "/previous/" + file);
  bool here = false;
  for (std::string line; std::getline(stream, line);) {
    if (line.find("\"name\": \"" + name + "\"") != std::string::npos) here = true;
    const auto start = line.find("\"hex\": \"");
    if (!here || start == std::string::npos) continue;
    std::string bytes;
    for (std::size_t at = start + 8; line[at] != '"'; at += 2) {
      bytes.push_back(static_cast<char>(std::stoi(line.substr(at, 2), nullptr, 16)));
    }
    return bytes;
  }
  ADD_FAILURE() << "no vector " << name << " in " << file;
  return {};
}

/// A zone of the previous version: knows no flag, no feature, no kind of today.
class OldZone {
 public:
  explicit OldZone(SessionPair& pair) : pair_(pair) {
    pair_.zone.open_session(*pair.hub.down_view, *pair.hub.up_view);
  }
  void say(std::string bytes) { pair_.hub.session->on_message(std::move(bytes), pair_.now); }
  /// Reads everything that the hub has to say now.
  void listen() {
    while (auto message = pair_.hub.session->next_message(pair_.now)) {
      wire::PacketReader reader(*message);
      while (true) {
        const auto packet = reader.next();
        ASSERT_TRUE(packet) << packet.error().message;
        if (!*packet) break;
        take(**packet);
      }
    }
  }
  void ack() {
    wire::Ack ack;
    ack.received_bytes = data_bytes;
    ack.window_bytes = 4u << 20;
    ack.cursor = cursor;
    std::string out;
    wire::append(out, FlowId::down, ack);
    say(std::move(out));
  }

  std::optional<wire::Welcome> welcome;
  std::vector<wire::Intent> intents;
  std::map<std::string, std::string> specs;
  std::optional<Cursor> cursor;
  std::uint64_t data_bytes = 0;

 private:
  void take(const wire::Packet& packet) {
    switch (packet.header.kind) {
      case PacketKind::welcome: welcome = wire::decode_welcome(packet.payload).value(); break;
      case PacketKind::intent:
        intents.push_back(wire::decode_intent(packet.payload).value());
        break;
      case PacketKind::change: {
        data_bytes += packet.packet_bytes;
        const SharedBytes payload{std::string(packet.payload)};
        const Change change = wire::decode_change(payload).value();
        if (change.kind == ChangeKind::leave) specs.erase(change.key.name);
        else specs[change.key.name] = wire::resource_of(payload).value().spec;
        break;
      }
      case PacketKind::mark: cursor = wire::decode_mark(packet.payload).value().to; break;
      case PacketKind::ack: break;
      default: ADD_FAILURE() << "unknown to it: " << wire::to_string(packet.header.kind);
    }
  }
  SessionPair& pair_;
};

// SES-04, ZIP-08
TEST(PreviousPeer, AZoneOfTheVersionBeforeSyncsWithTodaysHub) {
  SessionPair pair;
  const std::string large(5'000, 'x');
  pair.hub.write({timeout("a", large), timeout("b")});
  pair.connect();
  OldZone zone(pair);
  zone.say(frozen("hello.json", "hello_full"));
  zone.listen();
  ASSERT_TRUE(zone.welcome);
  EXPECT_TRUE(zone.welcome->features.empty());
  EXPECT_EQ(zone.welcome->version, 2u);
  ASSERT_EQ(zone.intents.size(), 1u);
  EXPECT_EQ(zone.intents[0].reason, wire::IntentReason::full);
  EXPECT_EQ(zone.specs.size(), 2u);
  zone.ack();
  pair.hub.write({timeout("a", large + "!")}, {timeout("b").key});
  zone.listen();
  zone.ack();
  EXPECT_EQ(zone.specs, (std::map<std::string, std::string>{
                            {"a", timeout("a", large + "!").spec}}));
  EXPECT_EQ(pair.hub.session->sender()->acked(), zone.cursor);
  zone.say(frozen("sync.json", "sync_1"));
  EXPECT_FALSE(pair.hub.session->wants_close());
}

// SES-04: and a newer one.
TEST(PreviousPeer, AZoneOfTheVersionAfterIsGrantedWhatThisOneKnows) {
  SessionPair pair;
  pair.connect();
  wire::Hello hello;
  hello.zone = "east";
  hello.instance.id.bytes[0] = 9;
  hello.version_max = 9;
  hello.features = {"warp", "zstd", "patch-v2"};
  hello.down_window_bytes = 1u << 20;
  std::string out;
  wire::append(out, hello);
  pair.hub.session->on_message(std::move(out), pair.now);
  const auto message = pair.hub.session->next_message(pair.now);
  ASSERT_TRUE(message);
  wire::PacketReader reader(*message, wire::kAllFeatures);
  const auto packet = reader.next().value();
  ASSERT_TRUE(packet);
  const wire::Welcome welcome = wire::decode_welcome(packet->payload).value();
  EXPECT_EQ(welcome.features, std::vector<std::string>{"zstd"});
  EXPECT_EQ(welcome.version, 2u);
}

}  // namespace
}  // namespace zonesync

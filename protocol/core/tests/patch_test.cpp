// Patches and compressed packets in whole conversations (docs/protocol.md section 8).
#include <gtest/gtest.h>

#include <iostream>

#include "protocol/core/testing/session_pair.hpp"
#include "protocol/core/testing/zone_ingress.hpp"
#include "protocol/wire/compression.hpp"

namespace zonesync {
namespace {

using testing::dataplane;
using testing::Peer;
using testing::SessionPair;
using testing::timeout;
using testing::with_service_changed;
using testing::zone_ingress;
using testing::ZoneIngressShape;
using wire::Features;
using wire::PacketKind;

/// Text that hardly compresses, different for every seed.
std::string noise(std::size_t bytes, unsigned seed = 1) {
  std::string text;
  std::uint32_t state = seed * 2654435761u + 1;
  while (text.size() < bytes) {
    state = state * 1664525u + 1013904223u;
    text.push_back(static_cast<char>('a' + (state >> 24) % 26));
  }
  return text;
}

/// What a side sent: its packets, by kind and flags.
struct Traffic {
  std::size_t patches = 0, changes = 0, parts = 0, compressed = 0, wants = 0;
  std::uint64_t data_and_mark_bytes = 0;
  std::vector<std::string> messages;
};

void listen(SessionPair& pair, SessionRole from, Traffic& traffic) {
  pair.tap = [from, &traffic](SessionRole who, std::string& message) {
    if (who != from) return true;
    traffic.messages.push_back(message);
    wire::PacketReader reader(message, wire::kAllFeatures);
    while (auto packet = reader.next().value()) {
      const PacketKind kind = packet->header.kind;
      traffic.patches += kind == PacketKind::patch;
      traffic.changes += kind == PacketKind::change;
      traffic.parts += kind == PacketKind::part;
      traffic.wants += kind == PacketKind::want;
      traffic.compressed += packet->header.zstd;
      const bool counted = kind == PacketKind::patch || kind == PacketKind::change ||
                           kind == PacketKind::part || kind == PacketKind::mark;
      if (counted) traffic.data_and_mark_bytes += packet->packet_bytes;
    }
    return true;
  };
}

// Issue 3, must show 5. ZIP-11
TEST(Patch, OneServiceOfAThousandCostsAtMost512BytesWithItsMark) {
  const ZoneIngressShape shape;
  SessionPair pair;
  pair.hub.write({zone_ingress(shape)});
  pair.connect();
  pair.pump();
  const std::size_t whole = pair.zone.sink.items.begin()->second.payload.size();
  ASSERT_GE(whole, 140'000u);
  pair.now += std::chrono::seconds(2);  // the Mark carries its digest
  Traffic traffic;
  listen(pair, SessionRole::hub, traffic);
  pair.hub.write({with_service_changed(shape, 500)});
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(traffic.patches, 1u);
  EXPECT_LE(traffic.data_and_mark_bytes, 512u);
  const auto alone = wire::compress(pair.zone.sink.items.begin()->second.payload.view());
  std::cout << "ZoneIngress of " << shape.services << " services: " << whole << " bytes whole, "
            << (alone ? alone->size() : whole) << " bytes compressed; one service changed: "
            << traffic.data_and_mark_bytes << " bytes for the change and its Mark\n";
  RecordProperty("whole_bytes", static_cast<int>(whole));
  RecordProperty("change_and_mark_bytes", static_cast<int>(traffic.data_and_mark_bytes));
}

// ZIP-11: both directions.
TEST(Patch, AZonePublishesADifferenceToo) {
  SessionPair pair;
  const std::string text = noise(20'000);
  pair.zone.write({dataplane("a", text)});
  pair.connect();
  pair.pump();
  Traffic traffic;
  listen(pair, SessionRole::zone, traffic);
  pair.zone.write({dataplane("a", text + "!")});
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(traffic.patches, 1u);
  EXPECT_EQ(pair.hub.session->receiver()->counters().patches, 1u);
  EXPECT_GT(pair.zone.session->sender()->counters().saved_bytes, 19'000u);
}

// ZIP-13: what the resumed cursor covers.
TEST(Patch, AResumedCursorIsABase) {
  SessionPair pair;
  const std::string text = noise(20'000);
  pair.hub.write({timeout("a", text)});
  pair.connect();
  pair.pump();
  pair.cut();
  pair.hub.write({timeout("a", text + "1")});
  pair.hub.write({timeout("a", text + "2")});  // base: a version of the same open cut
  Traffic traffic;
  listen(pair, SessionRole::hub, traffic);
  pair.connect();
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(traffic.patches, 2u);
  EXPECT_EQ(traffic.changes, 0u);
}

// ZIP-13
TEST(Patch, AFullCutHoldsNone) {
  SessionPair pair;
  const std::string text = noise(20'000);
  for (int i = 0; i < 3; ++i) pair.hub.write({timeout("a", text + std::to_string(i))});
  Traffic traffic;
  listen(pair, SessionRole::hub, traffic);
  pair.connect();
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(traffic.patches, 0u);
  pair.hub.write({timeout("a", text + "9")});
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(traffic.patches, 1u) << "once it is applied, its content is a base";
}

// ZIP-13: a repair may replace the base; what it found equal is one afterwards.
TEST(Patch, ARepairHoldsNone) {
  SessionPair pair;
  const std::string text = noise(20'000);
  pair.hub.write({timeout("a", text), timeout("b", text)});
  pair.connect();
  pair.pump();
  pair.cut();
  pair.hub.write({timeout("a", text + "1")});
  pair.zone.sink.durable_cursor->era.id.bytes[0] ^= 1;
  Traffic traffic;
  listen(pair, SessionRole::hub, traffic);
  pair.connect();
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(pair.zone.sink.intents.back().reason, wire::IntentReason::repair);
  EXPECT_EQ(traffic.patches, 0u);
  EXPECT_EQ(traffic.changes, 1u);
  pair.hub.write({timeout("a", text + "2"), timeout("b", text + "2")});
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(traffic.patches, 2u);
  EXPECT_EQ(pair.zone.session->receiver()->counters().patch_failures, 0u);
}

// ZIP-13: a version that nobody can read any more is no base.
TEST(Patch, ATrimmedPredecessorMeansTheWholeVersion) {
  SessionPair pair(1);  // no hot tail
  const std::string text = noise(20'000);
  pair.hub.write({timeout("a", text)});
  pair.connect();
  pair.pump();
  pair.cut();
  pair.hub.write({timeout("a", text + "1")});
  pair.hub.log.trim(Revision{2});
  pair.hub.source.refresh();
  Traffic traffic;
  listen(pair, SessionRole::hub, traffic);
  pair.connect();
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(traffic.patches, 0u);
  EXPECT_EQ(traffic.changes, 1u);
}

// ZIP-12: small or very different versions go whole.
TEST(Patch, OnlyWhereItIsMuchSmaller) {
  SessionPair pair;
  pair.hub.write({timeout("small", "1"), timeout("other", noise(20'000, 1))});
  pair.connect();
  pair.pump();
  Traffic traffic;
  listen(pair, SessionRole::hub, traffic);
  pair.hub.write({timeout("small", "2"), timeout("other", noise(20'000, 2))});
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(traffic.patches, 0u);
}

// ZIP-12: a resource in parts is patched in one packet.
TEST(Patch, AGiantNeedsOnePacket) {
  SessionPair pair;
  const std::string text = noise(3'000'000);
  pair.hub.write({timeout("a", text)});
  pair.connect();
  pair.pump();
  Traffic traffic;
  listen(pair, SessionRole::hub, traffic);
  pair.hub.write({timeout("a", text.substr(0, 1'000'000) + "changed" + text.substr(1'000'000))});
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(traffic.patches, 1u);
  EXPECT_EQ(traffic.parts, 0u);
  EXPECT_LE(traffic.data_and_mark_bytes, 2'000u);
}

// ZIP-16
TEST(Patch, ABaseThatIsNotThereMeansWholeVersionsForTheSession) {
  SessionPair pair;
  const std::string text = noise(20'000);
  pair.hub.write({timeout("a", text), timeout("b", text)});
  pair.connect();
  pair.pump();
  pair.zone.sink.forgets_versions = true;
  Traffic hub;
  listen(pair, SessionRole::hub, hub);
  pair.hub.write({timeout("a", text + "1")});
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(hub.patches, 1u);
  EXPECT_EQ(hub.changes, 1u);
  EXPECT_EQ(pair.zone.session->receiver()->counters().patch_failures, 1u);
  EXPECT_EQ(pair.zone.sink.intents.back().reason, wire::IntentReason::changes) << "nothing wiped";
  pair.hub.write({timeout("b", text + "1")});
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(hub.patches, 1u) << "no second attempt";
  EXPECT_FALSE(pair.zone.closed);
}

// ZIP-14, ZIP-16: staged and committing versions are bases.
TEST(Patch, AVersionOfACutThatIsNotDurableYetIsABase) {
  SessionPair pair;
  const std::string text = noise(20'000);
  pair.hub.write({timeout("a", text)});
  pair.connect();
  pair.pump();
  pair.zone.sink.deferred = true;
  for (int i = 0; i < 3; ++i) {
    pair.hub.write({timeout("a", text + std::to_string(i))});
    pair.pump();
  }
  EXPECT_EQ(pair.zone.session->receiver()->counters().patches, 3u);
  while (!pair.zone.sink.pending.empty()) pair.zone.sink.complete_one();
  pair.zone.sink.deferred = false;
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(pair.zone.session->receiver()->counters().patch_failures, 0u);
}

// ZIP-06
TEST(Patch, SensitiveTypesAreNeitherPatchedNorCompressed) {
  SessionPair pair;
  Resource secret;
  secret.key = {"Secret", "default", std::string(kGlobalOrigin), "s"};
  secret.spec = "{\"data\":\"" + std::string(20'000, 'x') + "\"}";
  ASSERT_TRUE(pair.registry->find("Secret")->sensitive);
  Traffic traffic;
  listen(pair, SessionRole::hub, traffic);
  pair.hub.write({secret});
  pair.connect();
  pair.pump();
  secret.spec = "{\"data\":\"y" + std::string(20'000, 'x') + "\"}";
  pair.hub.write({secret});
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(pair.zone.sink.items.size(), 1u);
  EXPECT_EQ(traffic.compressed, 0u);
  EXPECT_EQ(traffic.patches, 0u);
}

// ZIP-01, ZIP-07: credit counts what was sent.
TEST(Compression, LargePacketsShrinkAndCreditCountsTheWire) {
  SessionPair pair;
  const std::string text = noise(300) + std::string(4'000, 'z') + noise(300, 2);
  pair.hub.write({timeout("a", text), timeout("b", "small")});
  Traffic traffic;
  listen(pair, SessionRole::hub, traffic);
  pair.connect();
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(traffic.compressed, 1u);
  const FlowSender& sender = *pair.hub.session->sender();
  EXPECT_EQ(sender.counters().compressed, 1u);
  EXPECT_LT(sender.counters().data_bytes, 2'500u);
  EXPECT_GT(sender.counters().saved_bytes, 3'000u);
  EXPECT_EQ(pair.zone.session->receiver()->counters().data_bytes, sender.counters().data_bytes);
  EXPECT_EQ(sender.in_flight_bytes(), 0u);
}

// ZIP-01: parts one by one.
TEST(Compression, PartsShrinkOneByOne) {
  SessionPair pair;
  std::string text;
  for (int i = 0; i < 12'000; ++i) text += noise(40, static_cast<unsigned>(i % 500));
  pair.hub.write({timeout("a", text)});
  Traffic traffic;
  listen(pair, SessionRole::hub, traffic);
  pair.connect();
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(traffic.parts, 3u);
  EXPECT_EQ(traffic.compressed, 3u);
  EXPECT_LT(traffic.data_and_mark_bytes, text.size() / 2);
}

/// A hub of the test facing a real zone that holds one large resource.
class ZoneFacesPatches : public ::testing::Test {
 protected:
  ZoneFacesPatches() {
    pair.hub.write({timeout("a", text)});
    pair.connect();
    pair.pump();
    const auto& item = pair.zone.sink.items.begin()->second;
    base.hash = item.hash;
    base.payload = item.payload;
    target = wire::make_upsert(class_of(*pair.registry, timeout("a", text + "!")).value(),
                               timeout("a", text + "!"));
    patch.key = timeout("a").key;
    patch.base = base.hash;
    patch.hash = target.hash;
    patch.size = target.payload.size();
    patch.frame = wire::make_patch(base.payload.view(), target.payload.view()).value();
  }
  void say(const wire::Patch& message) {
    std::string out;
    wire::PacketHeader header{0, PacketKind::patch, wire::FlowId::down, Revision{2}};
    wire::append_packet(out, header, wire::encode_patch(message));
    pair.zone.session->on_message(std::move(out), pair.now);
  }
  [[nodiscard]] std::uint16_t close_code() {
    std::string said;
    while (auto message = pair.zone.session->next_message(pair.now)) said += *message;
    wire::PacketReader reader(said, wire::kAllFeatures);
    while (auto packet = reader.next().value()) {
      if (packet->header.kind == PacketKind::want) {
        want = wire::decode_want(packet->payload).value();
      }
    }
    const auto close = pair.zone.session->wants_close();
    return close ? close->code : 0;
  }

  const std::string text = noise(20'000);
  SessionPair pair;
  Change base, target;
  wire::Patch patch;
  std::optional<wire::Want> want;
};

TEST_F(ZoneFacesPatches, AnHonestOneIsStaged) {
  say(patch);
  EXPECT_EQ(close_code(), 0);
  EXPECT_FALSE(want);
  EXPECT_EQ(pair.zone.session->receiver()->counters().patches, 1u);
}

// ZIP-15, ZIP-16
TEST_F(ZoneFacesPatches, AnotherResultThanAnnouncedMeansWantWithoutPatches) {
  patch.hash.id.bytes[0] ^= 1;
  say(patch);
  EXPECT_EQ(close_code(), 0);
  ASSERT_TRUE(want);
  EXPECT_TRUE(want->no_patches);
  EXPECT_FALSE(want->force_full);
  EXPECT_EQ(want->why, "patch_failed");
  EXPECT_EQ(want->cursor, pair.zone.sink.durable_cursor);
}

TEST_F(ZoneFacesPatches, AnUnknownBaseMeansWantWithoutPatches) {
  patch.base.id.bytes[0] ^= 1;
  say(patch);
  EXPECT_EQ(close_code(), 0);
  ASSERT_TRUE(want);
  EXPECT_TRUE(want->no_patches);
}

// ZIP-13: after the Want was answered a patch breaks the rule.
TEST_F(ZoneFacesPatches, APatchAfterWholeVersionsWereAskedForIsRefused) {
  patch.base.id.bytes[0] ^= 1;
  say(patch);
  ASSERT_EQ(close_code(), 0);
  wire::Intent intent = pair.zone.sink.intents.back();
  intent.reason = wire::IntentReason::changes;
  intent.from = pair.zone.sink.durable_cursor;
  std::string out;
  wire::append(out, wire::FlowId::down, intent);
  pair.zone.session->on_message(std::move(out), pair.now);
  ASSERT_EQ(close_code(), 0);
  say(patch);
  EXPECT_EQ(close_code(), close_code::kMalformed);
}

// ZIP-02, ZIP-03
TEST_F(ZoneFacesPatches, ACorruptFrameIsRefused) {
  patch.frame[patch.frame.size() / 2] ^= 0x55;
  patch.frame[0] = 0;
  say(patch);
  EXPECT_EQ(close_code(), close_code::kMalformed);
}

// ZIP-03
TEST_F(ZoneFacesPatches, AWrongSizeIsRefused) {
  ++patch.size;
  say(patch);
  EXPECT_EQ(close_code(), close_code::kMalformed);
}

// ZIP-15
TEST_F(ZoneFacesPatches, AResultForAnotherKeyIsRefused) {
  const Resource other = timeout("b", text + "!");
  target = wire::make_upsert(class_of(*pair.registry, other).value(), other);
  patch.hash = target.hash;
  patch.size = target.payload.size();
  patch.frame = wire::make_patch(base.payload.view(), target.payload.view()).value();
  say(patch);
  EXPECT_EQ(close_code(), close_code::kMalformed);
}

// ZIP-17: small packets, huge results.
TEST(Patch, ManyGiantResultsInOneMessageAreRefused) {
  SessionPair pair;
  const Resource giant = timeout("a", noise(4'000'000));
  pair.hub.write({giant});
  pair.connect();
  pair.pump();
  const auto& item = pair.zone.sink.items.begin()->second;
  wire::Patch patch;
  patch.key = giant.key;
  patch.base = patch.hash = item.hash;
  patch.size = item.payload.size();
  const std::string copy(item.payload.view());
  patch.frame = wire::make_patch(item.payload.view(), copy).value();
  std::string out;
  wire::PacketHeader header{0, PacketKind::patch, wire::FlowId::down, Revision{2}};
  for (int i = 0; i < 9; ++i) wire::append_packet(out, header, wire::encode_patch(patch));
  ASSERT_LT(out.size(), 64u << 10);
  pair.zone.session->on_message(std::move(out), pair.now);
  while (pair.zone.session->next_message(pair.now)) {
  }
  ASSERT_TRUE(pair.zone.session->wants_close());
  EXPECT_EQ(pair.zone.session->wants_close()->code, close_code::kTooBig);
}

// ZIP-17: our own sender stays far below.
TEST(Patch, ASenderEndsItsMessageBeforeTheResultsAreTooLarge) {
  SessionPair pair;
  std::vector<Resource> first, second;
  for (unsigned i = 0; i < 6; ++i) {
    const std::string text = noise(4'000'000, i);
    first.push_back(timeout("r" + std::to_string(i), text));
    second.push_back(timeout("r" + std::to_string(i), text + "!"));
  }
  pair.hub.write(first);
  pair.connect();
  pair.pump();
  Traffic traffic;
  listen(pair, SessionRole::hub, traffic);
  pair.hub.write(second);
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(traffic.patches, 6u);
  EXPECT_GE(traffic.messages.size(), 2u);
}

}  // namespace
}  // namespace zonesync

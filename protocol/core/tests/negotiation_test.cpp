// Features between peers of different versions and settings (SES-04, ZIP-05, ZIP-08).
#include <gtest/gtest.h>

#include <algorithm>

#include "protocol/core/testing/session_pair.hpp"

namespace zonesync {
namespace {

using testing::dataplane;
using testing::Peer;
using testing::SessionPair;
using testing::timeout;
using wire::Features;
using wire::PacketKind;

std::string text_of(char with) { return std::string(2'000, with) + std::string(2'000, 'b'); }

/// A whole life with everything that could be compressed or patched; both directions.
void live(SessionPair& pair) {
  pair.hub.write({timeout("a", text_of('x'))});
  pair.zone.write({dataplane("d", text_of('x'))});
  pair.connect();
  pair.pump();
  pair.hub.write({timeout("a", text_of('y'))}, {});
  pair.zone.write({dataplane("d", text_of('y'))});
  pair.pump();
  ASSERT_TRUE(pair.zone.session->sync(1));
  pair.pump();
  pair.cut();
  pair.hub.write({timeout("b", text_of('z'))}, {timeout("a").key});
  pair.connect();
  pair.pump();
}

/// Refuses to read what a peer without these features could not.
void only(SessionPair& pair, Features features) {
  pair.tap = [features](SessionRole, std::string& message) {
    wire::PacketReader reader(message, features);
    for (auto packet = reader.next();; packet = reader.next()) {
      EXPECT_TRUE(packet.has_value()) << packet.error().message;
      if (!packet || !*packet) break;
    }
    return true;
  };
}

class Negotiation : public ::testing::TestWithParam<std::pair<Features, Features>> {};

// SES-04, ZIP-08: neither side uses what the other does not have.
TEST_P(Negotiation, TheCommonFeaturesAreUsedAndNoOthers) {
  SessionPair pair;
  pair.hub.features = GetParam().first;
  pair.zone.features = GetParam().second;
  const Features common = wire::common(GetParam().first, GetParam().second);
  only(pair, common);
  live(pair);
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(pair.zone.synced.size(), 1u);
  EXPECT_EQ(pair.hub.session->features(), common);
  EXPECT_EQ(pair.zone.session->features(), common);
  EXPECT_EQ(pair.zone.session->receiver()->counters().patch_failures, 0u);
}

constexpr Features kNone{};
constexpr Features kZstd{.zstd = true};
constexpr Features kPatch{.patch = true};
INSTANTIATE_TEST_SUITE_P(Pairs, Negotiation,
                         ::testing::Values(std::pair(kNone, wire::kAllFeatures),
                                           std::pair(wire::kAllFeatures, kNone),
                                           std::pair(wire::kAllFeatures, kZstd),
                                           std::pair(kPatch, wire::kAllFeatures),
                                           std::pair(kZstd, kPatch),
                                           std::pair(wire::kAllFeatures, wire::kAllFeatures)));

TEST(Features, WordsOfOtherVersionsAreIgnored) {
  EXPECT_EQ(wire::features_of({"warp", "zstd", ""}), kZstd);
  EXPECT_EQ(wire::features_of(wire::words_of(wire::kAllFeatures)), wire::kAllFeatures);
}

/// The Welcome of a hub that the test plays, as the zone takes it.
std::uint16_t close_after_welcome(Features ours, const std::function<void(wire::Welcome&)>& edit,
                                  bool compressed = false) {
  SessionPair pair;
  pair.zone.features = ours;
  pair.connect();
  wire::Welcome welcome;
  welcome.down_view = pair.zone.down_view->id();
  welcome.up_view = pair.zone.up_view->id();
  welcome.message_max_bytes = limits::kMessageMaxBytes;
  welcome.up_window_bytes = 1u << 20;
  for (const TypeInfo* type : pair.registry->all()) welcome.types.push_back(*type);
  edit(welcome);
  std::string out;
  wire::append(out, welcome);
  if (compressed) wire::compress_last_packet(out, 0);
  pair.zone.session->on_message(std::move(out), pair.now);
  while (pair.zone.session->next_message(pair.now)) {
  }
  const auto close = pair.zone.session->wants_close();
  return close ? close->code : 0;
}

// SES-04
TEST(Features, AWelcomeMayOnlyGrantWhatWasOffered) {
  EXPECT_EQ(close_after_welcome(wire::kAllFeatures, [](wire::Welcome&) {}), 0);
  EXPECT_EQ(close_after_welcome(kZstd, [](auto& welcome) { welcome.features = {"zstd"}; }), 0);
  EXPECT_EQ(close_after_welcome(kZstd, [](auto& welcome) { welcome.features = {"patch"}; }),
            close_code::kMalformed);
  EXPECT_EQ(close_after_welcome(kNone, [](auto& welcome) { welcome.features = {"warp"}; }),
            close_code::kMalformed);
  EXPECT_EQ(close_after_welcome(kNone, [](auto& welcome) { welcome.version = 3; }),
            close_code::kVersion);
}

// ZIP-05: the Welcome itself may be compressed for a zone that offered it.
TEST(Features, AWelcomeIsCompressedForThoseWhoOfferedIt) {
  const auto grant = [](wire::Welcome& welcome) { welcome.features = {"zstd"}; };
  EXPECT_EQ(close_after_welcome(kZstd, grant, true), 0);
  EXPECT_EQ(close_after_welcome(kNone, [](wire::Welcome&) {}, true), close_code::kMalformed);
}

// ZIP-08: flag or kind without negotiation.
TEST(Features, WhatWasNotNegotiatedIsRefused) {
  for (const Features missing : {kNone, kPatch}) {
    SessionPair pair;
    pair.zone.features = missing;
    pair.hub.write({timeout("a")});
    pair.connect();
    pair.pump();
    std::string out;
    const Resource large = timeout("b", text_of('x'));
    wire::append_change(out, wire::FlowId::down, Revision{2},
                        wire::make_upsert(class_of(*pair.registry, large).value(), large));
    wire::compress_last_packet(out, 0);
    pair.zone.session->on_message(std::move(out), pair.now);
    pair.pump();
    ASSERT_TRUE(pair.zone.closed);
    EXPECT_EQ(pair.zone.closed->code, close_code::kMalformed);
  }
  SessionPair pair;
  pair.zone.features = kZstd;
  pair.connect();
  pair.pump();
  std::string out;
  wire::append_packet(out, {0, PacketKind::patch, wire::FlowId::down, Revision{2}},
                      wire::encode_patch({timeout("a").key, {}, {}, 1, "x"}));
  pair.zone.session->on_message(std::move(out), pair.now);
  pair.pump();
  ASSERT_TRUE(pair.zone.closed);
  EXPECT_EQ(pair.zone.closed->code, close_code::kMalformed);
}

}  // namespace
}  // namespace zonesync

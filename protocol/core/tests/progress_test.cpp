// Issue 3, "must show" 6: nothing waits for ever. Full windows in both directions, and a cut that
// takes longer than a dead peer would be given; in delta and in v1.
#include <gtest/gtest.h>

#include "protocol/core/testing/session_pair.hpp"

namespace zonesync::testing {
namespace {

constexpr std::uint64_t kSmallWindow = 16u << 10;
constexpr int kPerType = 200;
constexpr int kTypes = 5;

class Progress : public ::testing::TestWithParam<SyncMode> {
 protected:
  void SetUp() override {
    for (Peer* peer : {&pair.hub, &pair.zone}) {
      peer->mode = GetParam();
      peer->features.zstd = peer->features.patch = false;
      peer->message_target_bytes = 4u << 10;
    }
  }
  static Resource of_type(const std::string& type, const std::string& origin, int number) {
    Resource resource = timeout("r" + std::to_string(number), std::string(1'000, 'x'));
    resource.key.type = type;
    resource.key.origin = origin;
    if (type.starts_with("Zone")) resource.key.mesh.clear();
    return resource;
  }
  static std::vector<Resource> all_of(const std::vector<std::string>& types,
                                      const std::string& origin) {
    std::vector<Resource> all;
    for (const std::string& type : types) {
      for (int i = 0; i < kPerType; ++i) all.push_back(of_type(type, origin, i));
    }
    return all;
  }
  [[nodiscard]] static bool is_full(const Peer& peer) {
    const FlowSender* sender = peer.session->sender();
    return sender != nullptr && sender->in_flight_bytes() + (4u << 10) > kSmallWindow;
  }
  std::vector<std::string> everything_of(Peer& peer) {
    std::vector<std::string> messages;
    while (auto message = peer.session->next_message(pair.now)) {
      messages.push_back(std::move(*message));
    }
    return messages;
  }
  void tick(Duration by) {
    pair.now += by;
    pair.hub.session->on_tick(pair.now);
    pair.zone.session->on_tick(pair.now);
  }

  SessionPair pair;
};

// FLOW-22 (Kuma #5373, #15042): 200 resources of each of five types wait in both directions, both
// windows are full at one moment, and both flows come to their end.
TEST_P(Progress, TwoFullWindowsWithTwoHundredOfFiveTypesPending) {
  pair.hub.window_bytes = pair.zone.window_bytes = kSmallWindow;
  pair.hub.write(all_of({"MeshTimeout", "MeshRetry", "MeshAccessLog", "MeshCircuitBreaker",
                         "MeshHealthCheck"},
                        std::string(kGlobalOrigin)));
  pair.zone.write(all_of({"Dataplane", "DataplaneInsight", "ZoneIngress", "ZoneEgress",
                          "ZoneEgressInsight"},
                         "east"));
  bool both_full = false;
  pair.connect();
  for (int idle = 0; idle < 10;) {
    // Both speak until their windows are full, before either hears anything.
    const auto from_hub = everything_of(pair.hub);
    const auto from_zone = everything_of(pair.zone);
    both_full = both_full || (is_full(pair.hub) && is_full(pair.zone));
    idle = from_hub.empty() && from_zone.empty() ? idle + 1 : 0;
    for (const auto& message : from_hub) pair.zone.session->on_message(message, pair.now);
    for (const auto& message : from_zone) pair.hub.session->on_message(message, pair.now);
    ASSERT_FALSE(pair.zone.closed || pair.hub.closed);
    tick(std::chrono::milliseconds(20));
  }
  EXPECT_TRUE(both_full) << "the windows were never full at once: this test shows nothing";
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(pair.zone.sink.items.size(), static_cast<std::size_t>(kTypes * kPerType));
  EXPECT_EQ(pair.hub.sink.items.size(), static_cast<std::size_t>(kTypes * kPerType));
}

// SES-08: a cut that takes minutes, a message every five seconds: the flow lives while it moves.
TEST_P(Progress, ACutLongerThanTheSilenceTimeoutCompletes) {
  std::vector<Resource> many;
  for (int i = 0; i < kPerType; ++i) many.push_back(of_type("MeshTimeout", "global", i));
  pair.hub.write(many);
  pair.connect();
  const TimePoint began = pair.now;
  for (int round = 0; round < 1'000 && pair.zone.sink.items.empty(); ++round) {
    tick(std::chrono::seconds(5));
    pair.pump(2);
    ASSERT_FALSE(pair.zone.closed || pair.hub.closed);
  }
  EXPECT_GT(pair.now - began, 2 * limits::kSilenceTimeout);
  EXPECT_EQ(pair.zone.sink.items.size(), many.size()) << "visible in one step";
  pair.pump();
  EXPECT_TRUE(pair.converged());
}

INSTANTIATE_TEST_SUITE_P(Modes, Progress, ::testing::Values(SyncMode::delta, SyncMode::v1),
                         [](const auto& mode) {
                           return std::string(mode.param == SyncMode::v1 ? "v1" : "delta");
                         });

}  // namespace
}  // namespace zonesync::testing

// Modes of a zone: configuration, what the hub takes, fallback by Goodbye.
#include "client-sdk/zone/mode_policy.hpp"
#include "client-sdk/zone/tests/zone_fixture.hpp"

namespace zonesync::testing {
namespace {

using Modes = std::vector<SyncMode>;
const TimePoint kStart{std::chrono::hours(1)};

// CON-02
TEST(ModePolicy, DeltaIsPreferredUnlessTheConfigurationSaysNo) {
  ModePolicy both(true);
  EXPECT_EQ(both.offers(kStart), (Modes{SyncMode::delta, SyncMode::v1}));
  both.opened(SyncMode::delta, kStart);
  EXPECT_EQ(both.reason(), "default");
  both.opened(SyncMode::v1, kStart);
  EXPECT_EQ(both.reason(), "hub");
  ModePolicy off(false);
  EXPECT_EQ(off.offers(kStart), Modes{SyncMode::v1});
  off.opened(SyncMode::v1, kStart);
  EXPECT_EQ(off.reason(), "config");
  off.fall_back(std::chrono::seconds(5), kStart);
  EXPECT_FALSE(off.expire(kStart + std::chrono::hours(1))) << "there is nothing else to try";
}

// V1-10
TEST(ModePolicy, AFallbackHoldsForItsTimeAndNotLonger) {
  ModePolicy policy(true);
  policy.fall_back(std::chrono::minutes(10), kStart);
  EXPECT_EQ(policy.offers(kStart + std::chrono::minutes(9)), Modes{SyncMode::v1});
  policy.opened(SyncMode::v1, kStart);
  EXPECT_EQ(policy.reason(), "fallback");
  EXPECT_FALSE(policy.expire(kStart + std::chrono::minutes(9)));
  EXPECT_TRUE(policy.expire(kStart + std::chrono::minutes(10)));
  EXPECT_FALSE(policy.expire(kStart + std::chrono::minutes(11))) << "once";
  EXPECT_EQ(policy.offers(kStart + std::chrono::minutes(11)).front(), SyncMode::delta);
  policy.fall_back(std::chrono::hours(10'000), kStart);
  EXPECT_LE(*policy.fallback_until(), kStart + std::chrono::hours(24)) << "a peer's number";
  ModePolicy never(true);
  never.fall_back({}, kStart);
  EXPECT_FALSE(never.fallback_until());
}

class ModeTest : public ZoneTest {};

// V1-10: the machine offers v1 until the time of the Goodbye is over, then closes and tries delta.
TEST_F(ModeTest, AGoodbyeWithATimeMeansV1UntilThen) {
  machine_->start();
  connect();
  EXPECT_EQ(machine_->status().mode, SyncMode::delta);
  hub_session_->close(close_code::kRestart, "delta is off for a while", {},
                      std::chrono::minutes(10));
  pump();
  EXPECT_EQ(machine_->offers(), Modes{SyncMode::v1});
  machine_->on_tick(port_.now() + std::chrono::minutes(1));
  mode_ = SyncMode::v1;
  connect();
  EXPECT_EQ(machine_->status().mode, SyncMode::v1);
  EXPECT_EQ(machine_->status().mode_reason, "fallback");
  const int connects = port_.connects;
  port_.now_ += std::chrono::minutes(11);
  machine_->on_tick(port_.now());
  pump();
  machine_->on_tick(port_.now());
  EXPECT_EQ(port_.connects, connects + 1) << "it reconnects at once";
  EXPECT_EQ(machine_->offers().front(), SyncMode::delta);
}

}  // namespace
}  // namespace zonesync::testing

// Which mode a zone gets: its offers, the configuration, the operator. docs/protocol.md CON-02.
#include <gtest/gtest.h>

#include "server/hub/mode_choice.hpp"
#include "server/hub/testing/hub_harness.hpp"

namespace zonesync::hub {
namespace {

const std::vector<std::string> kBoth{"zonesync.v2.delta", "zonesync.v1.sotw"};

// CON-02
TEST(ModeChoice, TheFirstOfferThatIsEnabledWins) {
  EXPECT_EQ(choose_mode(kBoth, true, {})->mode, SyncMode::delta);
  EXPECT_EQ(choose_mode(kBoth, true, {})->reason, "default");
  EXPECT_EQ(choose_mode({"zonesync.v1.sotw", "zonesync.v2.delta"}, true, {})->reason, "zone");
  EXPECT_EQ(choose_mode({"zonesync.v1.sotw"}, true, {})->mode, SyncMode::v1);
  EXPECT_EQ(choose_mode({"future", "zonesync.v2.delta"}, true, {})->mode, SyncMode::delta);
}

TEST(ModeChoice, NothingInCommonIsNoChoice) {
  EXPECT_FALSE(choose_mode({}, true, {}));
  EXPECT_FALSE(choose_mode({"zonesync.v9.future"}, true, {}));
  EXPECT_FALSE(choose_mode({"zonesync.v2.delta"}, false, {})) << "delta is off here";
}

TEST(ModeChoice, TheOperatorWinsOverTheConfiguration) {
  EXPECT_EQ(choose_mode(kBoth, true, SyncMode::v1)->mode, SyncMode::v1);
  EXPECT_EQ(choose_mode(kBoth, true, SyncMode::v1)->reason, "operator");
  EXPECT_EQ(choose_mode(kBoth, false, SyncMode::delta)->mode, SyncMode::delta);
  EXPECT_EQ(choose_mode(kBoth, false, {})->reason, "hub_config");
  EXPECT_EQ(choose_mode({"zonesync.v1.sotw"}, false, SyncMode::delta)->reason, "zone");
}

// A forced mode is an entry of the log: it survives a restart, and an older log has none.
TEST(ModeChoice, TheForcedModeIsKeptInTheZonesEntry) {
  ZoneRecord record;
  record.name = "east";
  EXPECT_EQ(decode_zone(encode(record)).value(), record);
  record.forced_mode = SyncMode::v1;
  EXPECT_EQ(decode_zone(encode(record)).value(), record);
}

}  // namespace
}  // namespace zonesync::hub

// What may be trimmed, from limits, time and the zones' cursors.
#include "storage/retention.hpp"

#include <gtest/gtest.h>

namespace zonesync::test {
namespace {

LogState log_at(std::uint64_t head) {
  LogState log;
  log.head = Revision{head};
  log.complete = true;
  return log;
}

/// One revision of 10 bytes a second, from second 1.
RetentionClock clock_of(std::uint64_t revisions) {
  RetentionClock clock;
  for (std::uint64_t i = 1; i <= revisions; ++i) {
    clock.sample(Revision{i}, i * 10, static_cast<std::int64_t>(i) * 1'000);
  }
  return clock;
}

TEST(Retention, WithoutLimitsNothingGoes) {
  EXPECT_FALSE(plan_trim({}, log_at(100), clock_of(100), {}, 1'000'000'000));
  RetentionLimits only_tombstones;
  only_tombstones.tombstones_ms = 1;
  EXPECT_FALSE(plan_trim({only_tombstones, {}}, log_at(100), clock_of(100), {}, 1'000'000'000));
}

TEST(Retention, EveryLimitSetsAFloorAndTheHighestWins) {
  RetentionLimits limits;
  limits.revisions = 30;
  const auto floor = [&] {
    return plan_trim({limits, {}}, log_at(100), clock_of(100), {}, 100'000)->floor.value;
  };
  EXPECT_EQ(floor(), 70u);
  limits.age_ms = 20'000;
  EXPECT_EQ(floor(), 80u);
  limits.bytes = 100;
  EXPECT_EQ(floor(), 90u);
  limits.revisions = 1'000;
  limits.age_ms = 1'000'000;
  EXPECT_EQ(floor(), 90u);
  limits.bytes = 10'000;
  EXPECT_EQ(floor(), 0u);
}

TEST(Retention, TheTombstoneFloorNeverSinks) {
  RetentionLimits limits;
  limits.revisions = 50;
  LogState log = log_at(100);
  log.trim_floor = Revision{90};
  log.tombstone_floor = Revision{60};
  const auto request = plan_trim({limits, {}}, log, clock_of(100), {}, 100'000);
  EXPECT_EQ(request->floor, Revision{50}) << "the log never lowers its own";
  EXPECT_EQ(request->tombstone_floor, Revision{60});
}

TEST(Retention, ATypeIsJudgedByItsOwnLimitsAlone) {
  RetentionPolicy policy;
  policy.rest.revisions = 30;
  policy.types["DataplaneInsight"].revisions = 5;
  policy.types["MeshTrafficPermission"].age_ms = 90'000;
  policy.types["Mesh"];  // nothing is limited: all of its history stays
  const auto request = plan_trim(policy, log_at(100), clock_of(100), {}, 100'000);
  EXPECT_EQ(request->floor, Revision{70});
  EXPECT_EQ(request->type_floors.at("DataplaneInsight"), Revision{95});
  EXPECT_EQ(request->type_floors.at("MeshTrafficPermission"), Revision{10});
  EXPECT_EQ(request->type_floors.at("Mesh"), Revision{0});
}

TEST(Retention, BytesOfATypeAreItsOwn) {
  RetentionPolicy policy;
  policy.types["DataplaneInsight"].bytes = 40;
  RetentionClock clock;
  for (std::uint64_t i = 1; i <= 10; ++i) {  // of ten bytes, every second one an insight
    clock.sample(Revision{i}, i * 10, static_cast<std::int64_t>(i),
                 {{"DataplaneInsight", i / 2 * 10}});
  }
  const auto request = plan_trim(policy, log_at(10), clock, {}, 100);
  EXPECT_EQ(request->floor, Revision{0}) << "the default limits nothing";
  EXPECT_EQ(request->type_floors.at("DataplaneInsight"), Revision{3});
}

TEST(Retention, LeavesMayGoUpToTheHighestFloorOfATypeAndTheLogKnowsTheRest) {
  RetentionPolicy policy;
  policy.rest.revisions = 80;
  policy.rest.tombstones_ms = 1;
  policy.types["DataplaneInsight"].revisions = 5;
  const auto request = plan_trim(policy, log_at(100), clock_of(100), {}, 200'000);
  EXPECT_EQ(request->floor, Revision{20});
  EXPECT_EQ(request->tombstone_floor, Revision{95});
}

TEST(Retention, AClockThatJumpsAgesNothingTwice) {
  RetentionLimits limits;
  limits.age_ms = 1'000;
  RetentionClock clock;
  clock.sample(Revision{1}, 0, 1'000'000);
  clock.sample(Revision{2}, 0, 500'000);  // backwards
  clock.sample(Revision{3}, 0, 1'000'500);
  const auto floor = [&](std::int64_t now_ms) {
    return plan_trim({limits, {}}, log_at(3), clock, {}, now_ms)->floor.value;
  };
  EXPECT_EQ(floor(400'000), 0u) << "backwards: nothing is old yet";
  EXPECT_EQ(floor(1'001'000), 2u);
  EXPECT_EQ(floor(1'001'500), 3u);
}

TEST(Retention, LeavesWaitForEveryZoneWithAStoreOrForTheirTime) {
  RetentionLimits limits;
  limits.revisions = 10;
  const auto tombstones = [&](std::vector<ZoneCursor> zones) {
    const auto request = plan_trim({limits, {}}, log_at(100), clock_of(100), zones, 100'000);
    return request->tombstone_floor.value;
  };
  EXPECT_EQ(tombstones({}), 0u) << "0 = kept for ever";
  limits.tombstones_ms = 60'000;
  EXPECT_EQ(tombstones({}), 90u) << "nobody needs them";
  EXPECT_EQ(tombstones({{true, Revision{95}}, {true, Revision{70}}}), 70u);
  EXPECT_EQ(tombstones({{true, Revision{95}}, {true, Revision{20}}}), 40u) << "their time is over";
  EXPECT_EQ(tombstones({{true, std::nullopt}}), 40u) << "unknown is not passed";
  EXPECT_EQ(tombstones({{false, Revision{20}}, {true, Revision{95}}}), 90u)
      << "a zone without a store never holds the floor";
}

// FLOW-16: a repair from a partial log removes nothing, so that only the leave tells.
TEST(Retention, APartialLogKeepsItsLeavesUntilEveryZoneHasThem) {
  RetentionLimits limits;
  limits.revisions = 10;
  limits.tombstones_ms = 1;
  LogState partial = log_at(100);
  partial.complete = false;
  const auto tombstones = [&](std::vector<ZoneCursor> zones) {
    const auto request = plan_trim({limits, {}}, partial, clock_of(100), zones, 200'000);
    return request->tombstone_floor.value;
  };
  EXPECT_EQ(tombstones({{true, Revision{20}}}), 20u) << "its time does not end";
  EXPECT_EQ(tombstones({{true, std::nullopt}}), 0u);
  EXPECT_EQ(tombstones({{true, Revision{95}}}), 90u) << "everybody has them";
}

TEST(Retention, WhatWasThereBeforeTheStartIsAsOldAsTheStart) {
  RetentionClock clock;
  clock.sample(Revision{500}, 0, 1'000'000);
  EXPECT_EQ(clock.at(999'999), Revision{0});
  EXPECT_EQ(clock.at(1'000'000), Revision{500});
  EXPECT_EQ(clock.with_bytes_behind(1), Revision{0});
}

TEST(Retention, AClockThatJumpsAgesNothingEarlyAndMemoryIsBounded) {
  RetentionClock clock;
  clock.sample(Revision{1}, 0, 1'000'000);
  clock.sample(Revision{2}, 0, 5);
  EXPECT_EQ(clock.at(999'999), Revision{0}) << "revision 2 is not older than revision 1";
  for (std::uint64_t i = 3; i < 100'000; ++i) {
    clock.sample(Revision{i}, i, 1'000'000 + static_cast<std::int64_t>(i));
  }
  EXPECT_EQ(clock.at(1'000'000 + 99'990), Revision{99'990}) << "fine where it is new";
  EXPECT_LE(clock.at(1'000'000 + 50'000), Revision{50'000}) << "coarse, never too high";
}

}  // namespace
}  // namespace zonesync::test

// Retention from end to end: what a zone that was away gets from a hub that forgot meanwhile.
#include "server/cmd/tests/process_fixture.hpp"

namespace zonesync::testing {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;

class HubRetention : public ProcessFixture {
 protected:
  /// Starts again with these limits; the log is complete: absences may be told.
  void limit(HubConfig::Retention retention, HubConfig::Retention insights = {}) {
    stop_hub();
    configure = [retention, insights](HubConfig& config) {
      config.retention = retention;
      if (insights.revisions > 0) config.type_retention["DataplaneInsight"] = insights;
    };
    start_hub();
    ASSERT_TRUE(await<void>([&](hub::StatusDone done) { hub->declare_complete(done); }));
  }
  static std::string name(int i) { return "p" + std::to_string(i); }

  void remove(const std::string& policy_name) {
    hub::WriteRequest request;
    hub::WriteOp op;
    op.kind = hub::WriteOp::Kind::remove;
    op.key = policy(policy_name).key;
    request.ops = {op};
    ASSERT_TRUE(await<hub::WriteResult>([&](hub::WriteDone done) { hub->submit(request, done); }));
  }
  /// West with a store, up to date, then away. Answers its durable cursor.
  Revision west_comes_and_goes() {
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(write(policy(name(i))));
    const auto west = start_client(west_config());
    EXPECT_TRUE(west->wait_revision(hub->log().state().head, deadline()));
    west->stop();
    const auto cursor = west->status().cursor;
    EXPECT_TRUE(cursor);
    EXPECT_TRUE(eventually([&] { return !hub->zone("west")->connected; }));
    return cursor ? cursor->revision : Revision{};
  }
  /// Three policies go, one is written again and again.
  void history_without_west() {
    for (int i = 0; i < 3; ++i) ASSERT_NO_FATAL_FAILURE(remove(name(i)));
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(write(policy("p9", std::to_string(i) + "s")));
  }
  /// West is back: what it was answered, and whether it holds what the hub holds. After a restart
  /// of the hub: it reads the log then, and not what it has in memory.
  client::Counters west_returns() {
    stop_hub();
    start_hub();
    const auto west = start_client(west_config());
    EXPECT_TRUE(west->wait_revision(hub->log().state().head, deadline()));
    const client::Snapshot now = west->snapshot();
    EXPECT_EQ(now.size(), 7u);
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(now.get(policy(name(i)).key).has_value(), i >= 3) << name(i);
    }
    EXPECT_EQ(now.get(policy("p9").key)->spec, policy("p9", "19s").spec);
    EXPECT_TRUE(eventually([&] {
      return hub->zone("west")->converged == hub::Convergence::yes;
    }));
    return west->status().counters;
  }
  bool floors_pass(Revision trim, Revision tombstones) {
    return eventually([&] {
      const LogState state = hub->log().state();
      return state.trim_floor > trim && state.tombstone_floor >= tombstones;
    });
  }
  client::Config west_config() {
    client::Config config = client_config("west");
    config.store_dir = (init_.data_dir.parent_path() / "west-store").string();
    return config;
  }
};

// P3: retention has passed the zone, the tombstone floor has not: changes only, and no old version.
TEST_F(HubRetention, AwayForLongerThanRetentionAZoneResumesByChangesOnly) {
  ASSERT_NO_FATAL_FAILURE(limit({.revisions = 5, .tombstones_ms = kHourMs}));
  const Revision cursor = west_comes_and_goes();
  ASSERT_NO_FATAL_FAILURE(history_without_west());
  ASSERT_TRUE(floors_pass(Revision{cursor.value + 10}, Revision{0}));
  EXPECT_LE(hub->log().state().tombstone_floor, cursor) << "a registered zone holds it";
  const client::Counters counters = west_returns();
  EXPECT_EQ(counters.intents_changes, 1u);
  EXPECT_EQ(counters.intents_repair + counters.intents_full, 0u);
  EXPECT_LE(counters.changes_received, 3u + 6u) << "what was trimmed is not sent";
}

// P3, P5: beyond the tombstone floor deletions may be forgotten: a repair finds what is too many.
TEST_F(HubRetention, AZoneBeyondTheTombstoneFloorIsServedByRepair) {
  ASSERT_NO_FATAL_FAILURE(limit({.revisions = 5, .tombstones_ms = 1}));
  const Revision cursor = west_comes_and_goes();
  ASSERT_NO_FATAL_FAILURE(history_without_west());
  ASSERT_TRUE(floors_pass(cursor, Revision{cursor.value + 4}));
  ASSERT_TRUE(eventually([&] { return !*hub->log().latest(policy("p0").key); }))
      << "floors rise first; then the log knows nothing of it any more";
  const client::Counters counters = west_returns();
  EXPECT_EQ(counters.intents_repair, 1u);
  EXPECT_EQ(counters.intents_changes + counters.intents_full, 0u);
  EXPECT_EQ(counters.digest_mismatches, 0u);
}

TEST_F(HubRetention, WhatATypeInNoViewForgetsRepairsNobody) {
  ASSERT_NO_FATAL_FAILURE(limit({.tombstones_ms = 1}, {.revisions = 3}));
  const Revision cursor = west_comes_and_goes();
  ASSERT_NO_FATAL_FAILURE(history_without_west());
  const auto east = start_client("east");
  Resource insight;
  insight.key = {"DataplaneInsight", "default", "east", "dp-1"};
  for (int i = 0; i < 10; ++i) {
    insight.spec = "{\"n\":" + std::to_string(i) + "}";
    ASSERT_TRUE(east->publish(insight));
    ASSERT_TRUE(east->sync_barrier(deadline()));
  }
  ASSERT_TRUE(floors_pass(cursor, Revision{cursor.value + 4}));
  EXPECT_TRUE(eventually([&] { return hub->log().history(insight.key, 20)->size() <= 4; }));
  EXPECT_EQ(hub->log().history(policy("p9").key, 50)->size(), 21u) << "it has no limit";
  const client::Counters counters = west_returns();
  EXPECT_EQ(counters.intents_changes, 1u);
  EXPECT_EQ(counters.intents_repair + counters.intents_full, 0u);
}

}  // namespace
}  // namespace zonesync::testing

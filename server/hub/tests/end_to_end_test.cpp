// Hub and zones with real sessions, flows, sinks and core, in memory.
#include <gtest/gtest.h>

#include "server/hub/testing/hub_mesh.hpp"

namespace zonesync::hub {
namespace {

using testing::dataplane;
using testing::HubMesh;
using testing::MeshZone;
using testing::policy;
using testing::put;
using testing::remove;
using Names = std::vector<std::string>;

/// A type that zones provide and that reaches the other zones.
Resource service(const std::string& zone, const std::string& name,
                 const std::string& text = "80") {
  Resource resource = dataplane(zone, name, text);
  resource.key.type = "MeshService";
  return resource;
}

class EndToEnd : public ::testing::TestWithParam<SyncMode> {
 protected:
  EndToEnd() : east(mesh.add("east")), west(mesh.add("west")) {
    east.mode = west.mode = GetParam();
  }
  void connect_both() {
    east.connect();
    west.connect();
    mesh.pump();
  }
  void expect_at_head(const MeshZone& zone) {
    const ZoneStatus status = mesh.hub.status(zone.name);
    EXPECT_EQ(status.acked, mesh.hub.source->head()) << zone.name;
    EXPECT_EQ(status.converged, Convergence::yes) << zone.name;
    EXPECT_EQ(status.lag_revisions, 0u);
  }

  HubMesh mesh;
  MeshZone& east;
  MeshZone& west;
};

TEST_P(EndToEnd, WhatEastPublishesReachesTheHubAndWestButNeverEast) {
  connect_both();
  east.publish({service("east", "s"), dataplane("east", "d")});
  mesh.pump();
  EXPECT_EQ(mesh.hub.names("east"), (Names{"d", "s"}));
  EXPECT_EQ(west.sees("east"), Names{"s"}) << "a Dataplane does not cross zones";
  EXPECT_TRUE(east.replica.items.empty());
  expect_at_head(east);
  expect_at_head(west);
  EXPECT_EQ(mesh.hub.status("east").up_resources, 2u);
}

TEST_P(EndToEnd, RemovalsTravelTheSameWay) {
  connect_both();
  east.publish({service("east", "s"), service("east", "t")});
  mesh.pump();
  east.publish({}, {service("east", "s").key});
  mesh.pump();
  EXPECT_EQ(mesh.hub.names("east"), Names{"t"});
  EXPECT_EQ(west.sees("east"), Names{"t"});
}

TEST_P(EndToEnd, GlobalWritesReachEveryZone) {
  connect_both();
  ASSERT_TRUE(mesh.hub.write({put(policy("a")), put(policy("b"))}));
  ASSERT_TRUE(mesh.hub.write({remove(policy("a").key)}));
  mesh.pump();
  EXPECT_EQ(east.sees("global"), Names{"b"});
  EXPECT_EQ(west.sees("global"), Names{"b"});
  expect_at_head(east);
}

TEST_P(EndToEnd, BothZonesMayUseOneName) {
  connect_both();
  east.publish({service("east", "same", "1")});
  west.publish({service("west", "same", "2")});
  mesh.pump();
  EXPECT_EQ(west.sees("east"), Names{"same"});
  EXPECT_EQ(east.sees("west"), Names{"same"});
  EXPECT_TRUE(east.sees("east").empty());
  east.publish({}, {service("east", "same").key});
  mesh.pump();
  EXPECT_TRUE(west.sees("east").empty());
  EXPECT_EQ(east.sees("west"), Names{"same"});
}

TEST_P(EndToEnd, SystemEntriesReachNoZone) {
  connect_both();
  WriteRequest request;
  request.ops = {put(policy("a"))};
  request.idempotency_key = "k";
  mesh.hub.submit(request);
  mesh.hub.core->pump();
  east.publish({service("east", "s")});
  mesh.pump();
  for (const MeshZone* zone : {&east, &west}) {
    for (const auto& [key, item] : zone->replica.items) {
      EXPECT_FALSE(is_system_type(key.type)) << to_string(key);
    }
  }
}

TEST_P(EndToEnd, WhatIsMarkedHomeStaysHome) {
  connect_both();
  Resource home = service("east", "home");
  home.labels[std::string(kSyncLabel)] = "disabled";
  Resource kept = policy("kept");
  kept.labels[std::string(kSyncLabel)] = "disabled";
  east.publish({home, service("east", "s")});
  ASSERT_TRUE(mesh.hub.write({put(kept), put(policy("p"))}));
  mesh.pump();
  EXPECT_EQ(mesh.hub.names("east"), Names{"s"});
  EXPECT_EQ(west.sees("global"), Names{"p"});
}

TEST_P(EndToEnd, AClassMoveAtTheHubRemovesItFromTheZones) {
  connect_both();
  ASSERT_TRUE(mesh.hub.write({put(policy("a"))}));
  mesh.pump();
  Resource home = policy("a");
  home.labels[std::string(kSyncLabel)] = "disabled";
  ASSERT_TRUE(mesh.hub.write({put(home)}));
  mesh.pump();
  EXPECT_TRUE(west.sees("global").empty());
  EXPECT_EQ(mesh.hub.names("global"), Names{"a"});
}

TEST_P(EndToEnd, AReturningZoneReceivesOnlyWhatItMissed) {
  connect_both();
  std::vector<WriteOp> ops;
  for (int at = 0; at < 200; ++at) ops.push_back(put(policy("p" + std::to_string(at))));
  ASSERT_TRUE(mesh.hub.write(ops));
  mesh.pump();
  east.cut();
  ASSERT_TRUE(mesh.hub.write({put(policy("p7", "new")), remove(policy("p8").key)}));
  east.connect();
  mesh.pump();
  if (GetParam() == SyncMode::delta) {
    EXPECT_EQ(east.down_counters.changes, 2u);
  }
  EXPECT_EQ(east.down_counters.intents_changes, 1u);
  EXPECT_EQ(east.sees("global").size(), 199u);
  expect_at_head(east);
}

TEST_P(EndToEnd, IdleMarksAndAcksWriteNothingToTheLog) {
  connect_both();
  east.publish({service("east", "s")});
  ASSERT_TRUE(mesh.hub.write({put(policy("a"))}));
  mesh.pump();
  const Revision head = mesh.hub.log.state().head;
  const std::uint64_t before = mesh.messages;
  mesh.advance(std::chrono::minutes(3));
  EXPECT_GT(mesh.messages, before + 50) << "Marks and acks went both ways";
  EXPECT_TRUE(east.connected() && west.connected());
  EXPECT_EQ(mesh.hub.log.state().head, head);
  EXPECT_EQ(mesh.hub.core->counters().commits, mesh.hub.segments.size());
}

TEST_P(EndToEnd, ARejectReachesTheZoneAndStopsNothing) {
  connect_both();
  Resource bad = service("east", "bad");
  bad.labels[std::string(kZoneLabel)] = "west";
  east.publish({bad, service("east", "good")});
  mesh.pump();
  ASSERT_EQ(east.verdicts.size(), 1u);
  EXPECT_EQ(east.verdicts[0].key, bad.key);
  EXPECT_FALSE(east.verdicts[0].accepted);
  EXPECT_EQ(west.sees("east"), Names{"good"});
  EXPECT_EQ(mesh.hub.status("east").rejects_total, 1u);
  mesh.advance(std::chrono::seconds(30));
  EXPECT_TRUE(east.connected());
  EXPECT_TRUE(east.holds.empty()) << "digests agree in spite of the reject";
  east.publish({service("east", "bad")});
  mesh.pump();
  EXPECT_EQ(west.sees("east"), (Names{"bad", "good"}));
  EXPECT_EQ(mesh.hub.status("east").rejects_total, 0u);
}

TEST_P(EndToEnd, LosingTheConnectionAtAnyMessageNeitherLosesNorRepeats) {
  for (std::uint64_t lost_at = 1; lost_at < 60; lost_at += 1) {
    HubMesh lossy;
    MeshZone& a = lossy.add("east");
    MeshZone& b = lossy.add("west");
    lossy.tap = [lost_at](std::uint64_t number) { return number % lost_at != 0 || lost_at < 6; };
    for (int round = 0; round < 6; ++round) {
      const std::string name = "s" + std::to_string(round);
      a.publish({service("east", name)});
      b.publish({service("west", name)});
      ASSERT_TRUE(lossy.hub.write({put(policy(name))}));
      if (!a.connected()) a.connect();
      if (!b.connected()) b.connect();
      lossy.pump();
    }
    lossy.tap = nullptr;
    for (auto* zone : {&a, &b}) {
      if (!zone->connected()) zone->connect();
    }
    lossy.pump();
    ASSERT_EQ(b.sees("east").size(), 6u) << "lost at every message " << lost_at;
    ASSERT_EQ(a.sees("west").size(), 6u);
    ASSERT_EQ(a.sees("global").size(), 6u);
    ASSERT_EQ(lossy.hub.logged_changes(), 18u) << "each change is in the log exactly once";
  }
}

TEST_P(EndToEnd, AHubRestartLosesNothingAndZonesResume) {
  connect_both();
  east.publish({service("east", "s")});
  ASSERT_TRUE(mesh.hub.write({put(policy("a"))}));
  mesh.pump();
  mesh.restart_hub();
  east.publish({service("east", "t")});
  connect_both();
  EXPECT_EQ(west.sees("east"), (Names{"s", "t"}));
  EXPECT_EQ(west.down_counters.intents_full, 0u);
  if (GetParam() == SyncMode::delta) {
    EXPECT_EQ(west.down_counters.changes, 1u);
  }
  EXPECT_EQ(mesh.hub.log.history(service("east", "s").key, 9)->size(), 1u);
  expect_at_head(west);
}

TEST_P(EndToEnd, AHubThatLostItsTailIsNoticedByTheCursorsThatSawIt) {
  connect_both();
  ASSERT_TRUE(mesh.hub.write({put(policy("kept"))}));
  const Revision kept = mesh.hub.log.state().head;
  ASSERT_TRUE(mesh.hub.write({put(policy("lost"))}));
  mesh.pump();
  EXPECT_EQ(west.sees("global"), (Names{"kept", "lost"}));
  mesh.hub.log.rewind_to(kept);
  mesh.restart_hub();
  ASSERT_TRUE(mesh.hub.write({put(policy("other"))}));
  connect_both();
  EXPECT_EQ(west.sees("global"), (Names{"kept", "other"}));
  const bool compares = GetParam() == SyncMode::delta;  // V1-01: complete lists, no comparison
  EXPECT_EQ(west.down_counters.intents_repair, compares ? 1u : 0u);
  expect_at_head(west);
}

TEST_P(EndToEnd, AnotherInstanceTakesOverAndTheOldOneIsFinal) {
  connect_both();
  MeshZone& newer = mesh.add("east", 2);
  newer.publish({service("east", "new")});
  newer.connect();
  mesh.pump();
  ASSERT_TRUE(east.closed);
  EXPECT_EQ(east.closed->code, close_code::kSuperseded);
  EXPECT_EQ(newer.welcome->generation, 2u);
  EXPECT_EQ(west.sees("east"), Names{"new"});
  east.connect();
  mesh.pump();
  ASSERT_TRUE(east.closed) << "a retired instance never comes back";
  EXPECT_EQ(east.closed->code, close_code::kSuperseded);
  EXPECT_TRUE(newer.connected());
}

TEST_P(EndToEnd, DeletingAZoneTakesItsResourcesFromTheOthers) {
  connect_both();
  std::vector<Resource> many;
  for (int at = 0; at < 25; ++at) many.push_back(service("east", "s" + std::to_string(at)));
  east.publish(many);
  mesh.pump();
  EXPECT_EQ(west.sees("east").size(), 25u);
  Status status = fail(ErrorCode::internal, "not answered");
  mesh.hub.zones->delete_zone("east", true, [&](const Status& result) { status = result; });
  mesh.hub.core->pump();
  mesh.pump();
  EXPECT_TRUE(status);
  ASSERT_TRUE(east.closed);
  EXPECT_EQ(east.closed->code, close_code::kZoneNotAllowed);
  EXPECT_TRUE(west.sees("east").empty());
  expect_at_head(west);
}

TEST_P(EndToEnd, AFirstSyncLargerThanEveryWindowCompletes) {
  const std::string text(100'000, 'x');
  for (int at = 0; at < 100; ++at) {
    ASSERT_TRUE(mesh.hub.write({put(policy("p" + std::to_string(at), text))}));
    east.publish({service("east", "s" + std::to_string(at), text)});
  }
  connect_both();
  EXPECT_EQ(west.sees("global").size(), 100u);
  EXPECT_EQ(west.sees("east").size(), 100u);
  EXPECT_EQ(mesh.hub.names("east").size(), 100u);
  expect_at_head(east);
}

// V1-07: both modes lead to the same.
INSTANTIATE_TEST_SUITE_P(Modes, EndToEnd, ::testing::Values(SyncMode::delta, SyncMode::v1),
                         [](const auto& each) { return std::string(to_string(each.param)); });

}  // namespace
}  // namespace zonesync::hub

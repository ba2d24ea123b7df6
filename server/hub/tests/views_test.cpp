// VIEW-01, VIEW-05, VIEW-07 with a whole hub: scopes, disabled zones and types as entries of the
// log that sessions follow live.
#include <gtest/gtest.h>

#include "server/hub/testing/hub_mesh.hpp"

namespace zonesync::hub::testing {
namespace {

class HubViews : public ::testing::Test {
 protected:
  HubViews() : east(mesh.add("east", 1)), west(mesh.add("west", 2)) {
    hub().write({put(policy("a")), put(policy("b"))});
    east.connect();
    west.connect();
    mesh.pump();
  }
  HubHarness& hub() { return mesh.hub; }
  Status apply(const std::function<void(ZoneRegistry&, StatusDone)>& operation) {
    std::optional<Status> answer;
    operation(*hub().zones, [&](Status status) { answer = std::move(status); });
    hub().core->pump();
    EXPECT_TRUE(answer);
    return *answer;
  }
  Status scope(const std::string& zone, ZoneScope to) {
    return apply([&](ZoneRegistry& zones, StatusDone done) {
      zones.set_scope(zone, std::move(to), std::move(done));
    });
  }
  Status enable(const std::string& zone, bool enabled) {
    return apply([&](ZoneRegistry& zones, StatusDone done) {
      zones.set_enabled(zone, enabled, std::move(done));
    });
  }
  Status pause(const std::string& zone, bool paused) {
    return apply([&](ZoneRegistry& zones, StatusDone done) {
      zones.set_paused(zone, paused, std::move(done));
    });
  }
  Status add(TypeInfo type) {
    return apply([&](ZoneRegistry& zones, StatusDone done) {
      zones.add_type(std::move(type), std::move(done));
    });
  }
  [[nodiscard]] bool right(MeshZone& zone) {
    const View view = hub().core->views().down_view(zone.name, {});
    return hub().source->digest_at(hub().source->head(), view) == zone.replica.digest() &&
           zone.replica.durable_cursor->view == view.id();
  }
  static Resource ingress(const std::string& zone, const std::string& name) {
    Resource resource;
    resource.key = {"ZoneIngress", "", zone, name};
    resource.spec = "{\"address\":\"10.0.0.1\"}";
    return resource;
  }
  static TypeInfo widget() {
    TypeInfo type;
    type.name = "Widget";
    type.plural = "widgets";
    type.global_to_zones = true;
    type.scope_labels = {"tier"};
    return type;
  }
  static Resource make_widget(const std::string& name, const std::string& tier) {
    Resource resource = policy(name);
    resource.key.type = "Widget";
    if (!tier.empty()) resource.labels["tier"] = tier;
    return resource;
  }

  HubMesh mesh;
  MeshZone& east;
  MeshZone& west;
};

TEST_F(HubViews, AScopeIsNarrowedAndWidenedLive) {
  ASSERT_TRUE(scope("east", {.types = {"Mesh"}}));
  mesh.pump();
  EXPECT_TRUE(east.replica.items.empty());
  EXPECT_EQ(west.replica.items.size(), 2u);
  ASSERT_TRUE(scope("east", {}));
  mesh.pump();
  EXPECT_EQ(east.replica.items.size(), 2u);
  EXPECT_TRUE(right(east));
  EXPECT_EQ(east.replica.intents.size(), 1u);
  EXPECT_FALSE(east.closed);
}

TEST_F(HubViews, AZoneThatIsNotConcernedGetsNoCutButAMark) {
  const auto before = west.down_counters.changes;
  ASSERT_TRUE(scope("east", {.types = {"Mesh"}}));
  mesh.pump();
  EXPECT_EQ(west.down_counters.changes, before);
  EXPECT_EQ(west.down_counters.view_changes, 0u);
}

// VIEW-07: a scope that changed while the zone was away, and the hub restarted.
TEST_F(HubViews, TheViewsOfZonesSurviveARestartOfTheHub) {
  east.cut();
  ASSERT_TRUE(scope("east", {.types = {"Mesh"}}));
  mesh.restart_hub();
  hub().write({put(policy("canary"))});
  east.connect();
  mesh.pump();
  EXPECT_EQ(east.replica.intents.back().reason, wire::IntentReason::changes);
  EXPECT_TRUE(east.replica.items.empty());
  EXPECT_TRUE(right(east));
}

// VIEW-06
TEST_F(HubViews, ViewsOlderThanTheKeptOnesAreUnknown) {
  east.cut();
  for (std::size_t i = 0; i <= kViewsKept; ++i) {
    ASSERT_TRUE(scope("east", {.meshes = {"m" + std::to_string(i)}}));
  }
  east.connect();
  mesh.pump();
  EXPECT_EQ(east.replica.intents.back().why, "view_changed");
  EXPECT_TRUE(right(east));
}

TEST_F(HubViews, ADisabledZoneStaysConnectedAndItsResourcesLeaveTheOthers) {
  west.publish({ingress("west", "in")});
  mesh.pump();
  ASSERT_EQ(east.sees("west").size(), 1u);
  ASSERT_TRUE(enable("west", false));
  mesh.pump();
  EXPECT_TRUE(east.sees("west").empty());
  EXPECT_TRUE(west.connected());
  EXPECT_FALSE(hub().status("west").enabled);
  west.publish({ingress("west", "canary")});  // accepted, but seen by nobody else
  mesh.pump();
  EXPECT_EQ(hub().names("west").size(), 2u);
  EXPECT_TRUE(east.sees("west").empty());
  ASSERT_TRUE(enable("west", true));
  mesh.pump();
  EXPECT_EQ(east.sees("west").size(), 2u);
  EXPECT_TRUE(right(east));
  EXPECT_EQ(east.replica.intents.size(), 1u);
}

TEST_F(HubViews, AZoneIsDisabledWhileItsCutCommits) {
  std::optional<Status> answer;
  west.publish({ingress("west", "in")});
  hub().zones->set_enabled("west", false, [&](Status status) { answer = std::move(status); });
  mesh.pump();  // the cut and the operation may share a group
  hub().core->pump();
  mesh.pump();
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ(hub().names("west").size(), 1u);
  EXPECT_TRUE(east.sees("west").empty());
  EXPECT_TRUE(right(east));
}

TEST_F(HubViews, ATypeIsRegisteredLive) {
  ASSERT_TRUE(add(widget()));
  EXPECT_EQ(add(widget()).error().code, ErrorCode::conflict);
  hub().registry = hub().core->views().registry();
  hub().write({put(make_widget("w", "gold"))});
  mesh.pump();
  EXPECT_EQ(east.replica.items.size(), 3u);
  EXPECT_TRUE(east.connected());
  mesh.restart_hub();
  EXPECT_NE(hub().core->views().registry()->find("Widget"), nullptr);
  east.connect();
  mesh.pump();
  EXPECT_EQ(east.replica.intents.back().reason, wire::IntentReason::none);
}

TEST_F(HubViews, ATypeThatZonesPublishMakesThemConnectAgain) {
  TypeInfo type = widget();
  type.zone_to_global = true;
  ASSERT_TRUE(add(type));
  EXPECT_EQ(hub().closed.size(), 2u);
  EXPECT_EQ(hub().closed.front().second, close_code::kRestart);
}

// FLOW-06: scope labels move a resource from class to class.
TEST_F(HubViews, ScopeLabelsDecideWhoSees) {
  ASSERT_TRUE(add(widget()));
  hub().registry = hub().core->views().registry();
  hub().write({put(make_widget("g", "gold")), put(make_widget("s", "silver")),
               put(make_widget("n", ""))});
  ZoneScope gold;
  gold.labels["tier"] = {"gold", "with,comma=and%"};
  ASSERT_TRUE(scope("east", gold));
  mesh.pump();
  EXPECT_EQ(east.sees("global").size(), 3u);  // a, b, g
  EXPECT_EQ(west.sees("global").size(), 5u);
  hub().write({put(make_widget("g", "silver")), put(make_widget("s", "with,comma=and%"))});
  mesh.pump();
  EXPECT_EQ(east.sees("global"), (std::vector<std::string>{"a", "b", "s"}));
  ASSERT_TRUE(scope("east", {}));
  mesh.pump();
  EXPECT_EQ(east.sees("global").size(), 5u);
  EXPECT_TRUE(right(east));
  EXPECT_TRUE(right(west));
}

TEST_F(HubViews, AScopeThatMakesNoSenseIsRefused) {
  EXPECT_EQ(scope("east", {.types = {"MeshTimout"}}).error().code, ErrorCode::invalid_argument);
  ZoneScope labels;
  labels.labels["tier"] = {"gold"};
  EXPECT_EQ(scope("east", labels).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(scope("north", {}).error().code, ErrorCode::not_found);
  EXPECT_EQ(enable("north", false).error().code, ErrorCode::not_found);
}

// FLOW-33
TEST_F(HubViews, APausedZoneGetsNothingUntilItIsResumed) {
  ASSERT_TRUE(pause("east", true));
  hub().write({put(policy("later"))});
  mesh.pump();
  EXPECT_EQ(east.replica.items.size(), 2u);
  EXPECT_EQ(hub().status("east").hold_reason, "paused");
  mesh.advance(std::chrono::seconds(60));
  EXPECT_TRUE(east.connected());
  mesh.restart_hub();
  east.connect();
  mesh.pump();
  EXPECT_EQ(east.replica.items.size(), 2u);
  ASSERT_TRUE(pause("east", false));
  mesh.pump();
  EXPECT_EQ(east.replica.items.size(), 3u);
  EXPECT_EQ(hub().status("east").hold_reason, "");
}

// P9: a failed digest is not forgotten because the revisions agree.
TEST_F(HubViews, AFailedDigestIsNotConverged) {
  SessionSample sample;
  sample.acked = Cursor{{}, hub().source->head(), {}};
  sample.digest_failed = true;
  const SessionId session = hub().status("east").session;
  hub().table->sample("east", session, sample, hub().now_ms);
  EXPECT_EQ(hub().status("east").converged, Convergence::no);
  sample.digest_failed = false;
  sample.up_hold_reason = "digest";
  hub().table->sample("east", session, sample, hub().now_ms);
  EXPECT_EQ(hub().status("east").converged, Convergence::yes);
  EXPECT_EQ(hub().status("east").hold_reason, "digest");
  EXPECT_FALSE(hub().status("east").hold_down);
}

TEST_F(HubViews, ADeletedZoneLeavesNoViewsBehind) {
  west.cut();
  std::optional<Status> answer;
  hub().zones->delete_zone("west", true, [&](Status status) { answer = std::move(status); });
  hub().core->pump();
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ(hub().live_system(kViewsType).size(), 1u);
}

TEST(ViewRecords, WhatIsKeptMakesTheSameViews) {
  const auto registry =
      std::make_shared<const TypeRegistry>(TypeRegistry::with_default_types());
  ViewsRecord record;
  record.zone = "east";
  record.request.meshes = {"a"};
  ViewSpec spec;
  spec.zone = "east";
  remember(record, View(spec, registry));
  spec.types = {"MeshTimeout"};
  spec.withheld_origins = {"west"};
  spec.labels["tier"] = {"gold"};
  remember(record, View(spec, registry));
  EXPECT_FALSE(remember(record, View(spec, registry)));
  const auto read = decode_views(encode(record));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->views.size(), 2u);
  EXPECT_EQ(read->views[0].id(), record.views[0].id());
  EXPECT_EQ(read->views[1].id(), record.views[1].id());
  EXPECT_EQ(read->request, record.request);
}

}  // namespace
}  // namespace zonesync::hub::testing

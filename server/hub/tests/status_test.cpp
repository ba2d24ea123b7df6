// Read models: the three facts of a zone, counters, the estimate of v1's cost.
#include <gtest/gtest.h>

#include "protocol/wire/codec.hpp"
#include "server/hub/testing/up_feed.hpp"

namespace zonesync::hub {
namespace {

using testing::dataplane;
using testing::HubHarness;
using testing::instance;
using testing::policy;
using testing::put;
using testing::UpFeed;

class Facts : public ::testing::Test {
 protected:
  Facts() {
    EXPECT_TRUE(hub.admit(hub.hello("east", instance(1))).has_value());
    session = hub.last_session();
  }
  SessionSample at(std::uint64_t revision) const {
    SessionSample sample;
    sample.acked = Cursor{EraId{}, Revision{revision}, ViewId{}};
    return sample;
  }
  std::uint64_t head() const { return hub.source->head().value; }
  ZoneStatus status() const { return hub.status("east"); }

  HubHarness hub;
  SessionId session;
};

TEST_F(Facts, ConnectionProgressAndConvergenceAreSeparate) {
  EXPECT_TRUE(status().connected);
  EXPECT_FALSE(status().acked);
  EXPECT_EQ(status().converged, Convergence::unknown);
  EXPECT_EQ(status().lag_revisions, head());
  EXPECT_TRUE(hub.table->sample("east", session, at(head()), hub.now_ms));
  EXPECT_EQ(status().converged, Convergence::yes);
  EXPECT_EQ(status().lag_revisions, 0u);
  ASSERT_TRUE(hub.write({put(policy("a"))}));
  EXPECT_EQ(status().converged, Convergence::unknown) << "changes are on the way";
  EXPECT_EQ(status().lag_revisions, 1u);
  hub.close("east", session, {1006, "sync.zone.disconnected", "lost", 7});
  EXPECT_FALSE(status().connected);
  EXPECT_EQ(status().lag_revisions, 1u) << "progress is known while it is away";
  EXPECT_EQ(status().last_disconnect->code, 1006);
  EXPECT_EQ(status().last_seen_ms, 7);
}

TEST_F(Facts, LagInSecondsCountsFromTheFirstMissedRevision) {
  hub.table->sample("east", session, at(head()), hub.now_ms);
  EXPECT_EQ(status().lag_seconds, 0);
  hub.now_ms += 10'000;
  ASSERT_TRUE(hub.write({put(policy("a"))}));
  const std::uint64_t first = head();
  hub.now_ms += 3'000;
  EXPECT_DOUBLE_EQ(status().lag_seconds, 3.0);
  ASSERT_TRUE(hub.write({put(policy("b"))}));
  hub.now_ms += 2'000;
  EXPECT_DOUBLE_EQ(status().lag_seconds, 5.0);
  hub.table->sample("east", session, at(first), hub.now_ms);
  EXPECT_DOUBLE_EQ(status().lag_seconds, 2.0);
  hub.table->sample("east", session, at(head()), hub.now_ms);
  EXPECT_EQ(status().lag_seconds, 0);
}

TEST_F(Facts, AFailedDigestIsNotConverged) {
  ASSERT_TRUE(hub.write({put(policy("a"))}));
  SessionSample sample = at(head() - 1);
  sample.digest_failed = true;
  hub.table->sample("east", session, sample, hub.now_ms);
  EXPECT_EQ(status().converged, Convergence::no);
  sample.acked = at(head()).acked;  // the revision alone says nothing about the content
  hub.table->sample("east", session, sample, hub.now_ms);
  EXPECT_EQ(status().converged, Convergence::no);
  sample.digest_failed = false;     // the full answer that was asked for was confirmed
  hub.table->sample("east", session, sample, hub.now_ms);
  EXPECT_EQ(status().converged, Convergence::yes);
}

TEST_F(Facts, AnOldSessionCannotSpeakForTheNewOne) {
  ASSERT_TRUE(hub.admit(hub.hello("east", instance(1))));
  EXPECT_FALSE(hub.table->sample("east", session, at(head()), hub.now_ms));
  hub.table->disconnected("east", session, {});
  EXPECT_TRUE(status().connected);
  EXPECT_FALSE(status().acked);
}

TEST_F(Facts, CountersSumOverSessions) {
  SessionSample sample = at(head());
  sample.counters.changes_sent = 5;
  hub.table->sample("east", session, sample, hub.now_ms);
  sample.counters.changes_sent = 7;  // cumulative within a session
  hub.table->sample("east", session, sample, hub.now_ms);
  EXPECT_EQ(status().counters.changes_sent, 7u);
  ASSERT_TRUE(hub.admit(hub.hello("east", instance(1))));
  sample.counters.changes_sent = 2;
  hub.table->sample("east", hub.last_session(), sample, hub.now_ms);
  EXPECT_EQ(status().counters.changes_sent, 9u);
  EXPECT_EQ(status().counters.sessions, 2u);
}

TEST_F(Facts, RejectsOfTheZoneAreListedAndEndWithANewVersion) {
  ASSERT_TRUE(hub.write({put(policy("a")), put(policy("b"))}));
  const Reject why{"invalid", "/spec", "no", false};
  hub.table->verdicts("east", {{policy("a").key, Revision{head()}, false, why},
                               {policy("b").key, Revision{head()}, false, why}},
                      hub.now_ms);
  ASSERT_EQ(status().rejects.size(), 2u);
  EXPECT_TRUE(status().rejects[0].down);
  hub.table->verdicts("east", {{policy("b").key, Revision{head()}, true, {}}}, hub.now_ms);
  EXPECT_EQ(status().rejects.size(), 1u);
  ASSERT_TRUE(hub.write({put(policy("a", "fixed"))}));
  EXPECT_TRUE(status().rejects.empty());
}

TEST_F(Facts, WhatHelloSaysOfOpenRejectsHoldsUntilVerdictsCome) {
  wire::Hello hello = hub.hello("east", instance(1));
  hello.open_rejects = 3;
  ASSERT_TRUE(hub.admit(hello));
  hub.table->verdicts("east", {}, hub.now_ms);  // an ack without verdicts says nothing
  EXPECT_EQ(status().rejects_total, 3u);
}

TEST_F(Facts, TheZonesHoldComesBeforeTheHubs) {
  SessionSample sample = at(head());
  sample.hold_reason = "disk_full";
  hub.table->sample("east", session, sample, hub.now_ms);
  EXPECT_EQ(status().hold_reason, "disk_full");
  EXPECT_TRUE(status().hold_down);
}

TEST_F(Facts, ZonesAreListedByName) {
  ASSERT_TRUE(hub.admit(hub.hello("west", instance(2))));
  ASSERT_TRUE(hub.admit(hub.hello("alpha", instance(3))));
  const auto zones = hub.table->snapshot(hub.source->head(), hub.now_ms);
  ASSERT_EQ(zones.size(), 3u);
  EXPECT_EQ(zones[0].name, "alpha");
  EXPECT_EQ(zones[2].name, "west");
  EXPECT_EQ(hub.table->connected_zones().size(), 3u);
}

TEST_F(Facts, ARestartKnowsTheZoneButNotItsConnection) {
  hub.restart();
  EXPECT_FALSE(status().connected);
  EXPECT_EQ(status().generation, Generation{1});
  EXPECT_NE(status().first_seen_ms, 0);
}

// -- what complete lists would cost ---------------------------------------------------------------

std::uint64_t bytes_of(const HubHarness& hub, const Resource& resource) {
  const auto cls = class_of(*hub.registry, resource);
  return wire::packet_bytes(wire::make_upsert(*cls, resource).payload.size());
}

TEST(V1Bytes, AChangeCostsTheWholeListOfItsType) {
  HubHarness hub;
  ASSERT_TRUE(hub.write({put(policy("a")), put(policy("b"))}));
  ASSERT_TRUE(hub.admit(hub.hello("east", instance(1))));
  const std::uint64_t list = bytes_of(hub, policy("a")) + bytes_of(hub, policy("b"));
  EXPECT_EQ(hub.status("east").counters.v1_bytes_est, list) << "a connection sends every list";
  ASSERT_TRUE(hub.write({put(policy("a", "2s"))}));
  EXPECT_EQ(hub.status("east").counters.v1_bytes_est, 2 * list);
  ASSERT_TRUE(hub.write({testing::remove(policy("a").key)}));
  EXPECT_EQ(hub.status("east").counters.v1_bytes_est, 2 * list + bytes_of(hub, policy("b")));
}

TEST(V1Bytes, AZonesOwnChangesCostTheOthersOnly) {
  HubHarness hub;
  UpFeed east(hub, "east");
  ASSERT_TRUE(hub.admit(hub.hello("west", instance(2))));
  Resource service = dataplane("east", "s");
  service.key.type = "MeshService";
  east.put(service);
  east.put(dataplane("east", "d"));  // goes to no zone: costs nobody
  ASSERT_TRUE(east.full_now());
  EXPECT_EQ(hub.status("east").counters.v1_bytes_est, 0u);
  EXPECT_EQ(hub.status("west").counters.v1_bytes_est, bytes_of(hub, service));
}

TEST(V1Bytes, DisconnectedZonesAreChargedWhenTheyReturn) {
  HubHarness hub;
  ASSERT_TRUE(hub.admit(hub.hello("east", instance(1))));
  hub.close("east", hub.last_session());
  ASSERT_TRUE(hub.write({put(policy("a"))}));
  ASSERT_TRUE(hub.write({put(policy("a", "2s"))}));
  EXPECT_EQ(hub.status("east").counters.v1_bytes_est, 0u);
  hub.restart();
  ASSERT_TRUE(hub.admit(hub.hello("east", instance(1))));
  EXPECT_EQ(hub.status("east").counters.v1_bytes_est, bytes_of(hub, policy("a", "2s")));
}

}  // namespace
}  // namespace zonesync::hub

// Repair by fingerprints between two sessions: what it costs, what it must never do (REP-*).
#include <gtest/gtest.h>

#include "protocol/core/testing/session_pair.hpp"

namespace zonesync {
namespace {

using testing::dataplane;
using testing::Peer;
using testing::SessionPair;
using testing::timeout;
using wire::IntentReason;

/// `count` resources in transactions of 1,000, so that no two specs are equal.
void fill(Peer& peer, int count) {
  std::vector<Resource> some;
  for (int i = 0; i < count; ++i) {
    const std::string name = "r" + std::to_string(i);
    some.push_back(peer.role == SessionRole::hub ? timeout(name, name) : dataplane(name, name));
    if (some.size() == 1'000 || i + 1 == count) {
      peer.write(some);
      some.clear();
    }
  }
}

class Repair : public ::testing::Test {
 protected:
  /// Both sides have the same; then the connection ends and the receiver's cursor is of no log.
  void start(int count, bool complete = true) {
    fill(pair.hub, count);
    fill(pair.zone, count / 10);
    if (complete) {
      for (Peer* peer : {&pair.hub, &pair.zone}) {
        ASSERT_TRUE(peer->log.declare_complete());
        peer->source.refresh();
      }
    }
    pair.connect();
    pair.pump();
    ASSERT_TRUE(pair.converged());
    pair.cut();
  }
  void lose_cursor(Peer& receiver) { receiver.sink.durable_cursor->era.id.bytes[0] ^= 1; }
  /// Bytes that the reconnect took, both ways.
  std::uint64_t reconnect() {
    const auto before = pair.bytes_on_wire();
    pair.connect();
    pair.pump();
    return pair.bytes_on_wire() - before;
  }
  IntentReason answered(const Peer& receiver) { return receiver.sink.intents.back().reason; }

  SessionPair pair;
};

// REP-02, REP-03, REP-04: issue 3, "must show" 4.
TEST_F(Repair, TenOfFiftyFiveThousandCostTheTenAndAtMost64KiB) {
  start(55'000);
  std::uint64_t ten = 0;
  for (int i = 0; i < 10; ++i) {
    auto& item = pair.zone.sink.items.at(timeout("r" + std::to_string(5'501 * i)).key);
    ten += wire::packet_bytes(item.payload.size());
    item.hash.id.bytes[0] ^= 1;
  }
  lose_cursor(pair.zone);
  const std::uint64_t bytes = reconnect();
  ASSERT_TRUE(pair.converged());
  EXPECT_EQ(answered(pair.zone), IntentReason::repair);
  EXPECT_EQ(pair.zone.sink.intents.back().why, "unknown_era");
  EXPECT_EQ(pair.hub.session->sender()->counters().changes, 10u);
  EXPECT_LE(bytes - ten, 64u << 10);
  RecordProperty("repair_bytes_beyond_the_ten", static_cast<int>(bytes - ten));
}

// Issue 3, "must show" 4: resume with 100,000 resources.
TEST_F(Repair, ResumeWithAHundredThousandResources) {
  start(100'000);
  EXPECT_LE(reconnect(), 2'048u) << "nothing missed";
  EXPECT_EQ(answered(pair.zone), IntentReason::none);
  pair.cut();
  pair.hub.write({timeout("r7", "new")});
  EXPECT_LE(reconnect(), 4'096u) << "one missed";
  EXPECT_TRUE(pair.converged());
}

// REP-03: nothing differs, so nothing is named.
TEST_F(Repair, EqualContentCostsTheBucketSums) {
  start(5'000);
  lose_cursor(pair.zone);
  EXPECT_LE(reconnect(), 8'000u);
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(pair.hub.session->sender()->counters().data_bytes, 0u);
}

// REP-05: what only the receiver has goes, by name of its fingerprint.
TEST_F(Repair, WhatTheSenderDoesNotHaveIsRemoved) {
  start(300);
  pair.zone.sink.items[timeout("stale").key] = {};
  pair.zone.sink.items.erase(timeout("r17").key);
  lose_cursor(pair.zone);
  reconnect();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(pair.zone.sink.items.count(timeout("stale").key), 0u);
  EXPECT_EQ(pair.hub.session->sender()->counters().removes, 1u);
  EXPECT_EQ(pair.hub.session->sender()->counters().changes, 1u);
}

// REP-01: the hub is the receiver; same code, same cost.
TEST_F(Repair, TheUpFlowIsRepairedToo) {
  start(3'000);
  pair.hub.sink.items.at(dataplane("r5").key).hash.id.bytes[0] ^= 1;
  pair.hub.sink.items[dataplane("stale").key] = {};
  lose_cursor(pair.hub);
  reconnect();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(answered(pair.hub), IntentReason::repair);
  EXPECT_EQ(pair.zone.session->sender()->counters().changes, 1u);
  EXPECT_EQ(pair.zone.session->sender()->counters().removes, 1u);
}

// REP-02: content without a cursor (pieces of an interrupted answer) is compared, not sent again.
TEST_F(Repair, ContentWithoutACursorIsCompared) {
  start(3'000);
  pair.hub.sink.durable_cursor.reset();
  pair.hub.sink.content_without_cursor = true;
  reconnect();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(pair.hub.sink.intents.back().why, "no_cursor");
  EXPECT_EQ(pair.zone.session->sender()->counters().changes, 0u);
}

// REP-06: changes while the comparison runs are part of the cut.
TEST_F(Repair, WritesDuringARepairAreInItsCut) {
  start(2'000);
  for (int i = 0; i < 40; ++i) {
    pair.zone.sink.items.at(timeout("r" + std::to_string(40 * i)).key).hash.id.bytes[0] ^= 1;
  }
  lose_cursor(pair.zone);
  pair.connect();
  for (int i = 0; i < 30; ++i) {
    pair.pump(1);
    const std::string name = "r" + std::to_string(40 * i);
    if (i % 3 == 0) {
      pair.hub.write({}, {timeout(name).key});
    } else {
      pair.hub.write({timeout(name, "during " + std::to_string(i))});
    }
  }
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_FALSE(pair.zone.closed);
}

// REP-02: trimmed history does not matter, the newest entries are there.
TEST_F(Repair, ATrimmedLogRepairs) {
  start(500);
  for (int i = 0; i < 5; ++i) {
    const ResourceKey gone = timeout("r" + std::to_string(10 + i)).key;
    pair.hub.write({timeout("r1", std::to_string(i))}, {gone});
  }
  const Revision head = pair.hub.source.head();
  TrimRequest request;
  request.floor = head;
  request.tombstone_floor = head;
  while (!pair.hub.log.trim(request)->done) {}
  pair.hub.source.refresh();
  reconnect();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(pair.zone.sink.intents.back().why, "below_tombstones");
  EXPECT_EQ(answered(pair.zone), IntentReason::repair);
  EXPECT_EQ(pair.hub.session->sender()->counters().removes, 5u);
}

// REP-03: a zero hash asks for the version again.
TEST_F(Repair, AZeroHashBringsTheVersionAgain) {
  start(300);
  pair.zone.sink.sent_again = {timeout("r3").key, timeout("r4").key};
  lose_cursor(pair.zone);
  reconnect();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(pair.hub.session->sender()->counters().changes, 2u);
}

// REP-08: first mismatch repair, second full, third Hold.
TEST_F(Repair, AMismatchIsRepairedThenReplacedThenHeld) {
  start(300);
  pair.connect();
  pair.pump();
  const CutFailure mismatch{CutFailure::Kind::digest_mismatch, {ErrorCode::protocol, "t", ""}, ""};
  std::vector<IntentReason> reasons;
  for (int i = 0; i < 3; ++i) {
    pair.zone.sink.fail_next_commit = mismatch;
    if (i == 0) pair.hub.write({timeout("x")});
    while (pair.zone.sink.fail_next_commit && pair.pump(1) > 0) {}
    reasons.push_back(answered(pair.zone));
  }
  pair.pump();
  EXPECT_EQ(reasons, (std::vector{IntentReason::none, IntentReason::repair, IntentReason::full}));
  ASSERT_EQ(pair.hub.holds.size(), 1u);
  EXPECT_EQ(pair.hub.holds[0].reason, "digest");
}

// REP-01: an older peer on either side: full, as before.
TEST_F(Repair, WithoutTheFeatureOnOneSideFullIsTheAnswer) {
  for (Peer* old : {&pair.hub, &pair.zone}) {
    SessionPair other;
    (old == &pair.hub ? other.hub : other.zone).features.repair = false;
    fill(other.hub, 50);
    other.connect();
    other.pump();
    other.cut();
    other.zone.sink.durable_cursor->era.id.bytes[0] ^= 1;
    other.connect();
    other.pump();
    EXPECT_TRUE(other.converged());
    EXPECT_EQ(other.zone.sink.intents.back().reason, IntentReason::full);
  }
}

// REP-02: a receiver that cannot print asks for everything.
TEST_F(Repair, AReceiverThatCannotPrintAsksForFull) {
  start(100);
  pair.zone.sink.cannot_repair = true;
  lose_cursor(pair.zone);
  reconnect();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(answered(pair.zone), IntentReason::full);
}

TEST_F(Repair, AnyConnectionLossDuringARepairConverges) {
  bool reached_the_end = false;
  std::size_t lost_at = 0;
  for (; !reached_the_end; ++lost_at) {
    SessionPair other;
    other.zone.window_bytes = 1'000;
    fill(other.hub, 400);
    fill(other.zone, 400);
    other.connect();
    other.pump();
    other.cut();
    for (int i = 0; i < 100; ++i) {
      other.zone.sink.items.at(timeout("r" + std::to_string(i)).key).hash.id.bytes[0] ^= 1;
      other.hub.sink.items.erase(dataplane("r" + std::to_string(i)).key);
    }
    other.zone.sink.durable_cursor->era.id.bytes[0] ^= 1;
    other.hub.sink.durable_cursor->era.id.bytes[0] ^= 1;
    std::size_t message = 0;
    other.tap = [&](SessionRole, std::string&) { return message++ != lost_at; };
    other.connect();
    other.pump();
    if (other.zone.closed) {
      other.connect();
      other.pump();
    }
    ASSERT_TRUE(other.converged()) << "connection lost at message " << lost_at;
    reached_the_end = message <= lost_at;
  }
  EXPECT_GT(lost_at, 8u);
}

}  // namespace
}  // namespace zonesync

#include <gtest/gtest.h>

#include "protocol/core/testing/session_pair.hpp"

namespace zonesync {
namespace {

using testing::dataplane;
using testing::SessionPair;
using testing::timeout;
using wire::IntentReason;

std::vector<Resource> timeouts(int from, int to, const std::string& text = "1s") {
  std::vector<Resource> all;
  for (int i = from; i < to; ++i) all.push_back(timeout("t" + std::to_string(i), text));
  return all;
}

TEST(Flow, FirstSyncBringsEverythingInBothDirections) {
  SessionPair pair;
  pair.hub.write(timeouts(0, 50));
  pair.zone.write({dataplane("a"), dataplane("b")});
  pair.connect();
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(pair.zone.sink.items.size(), 50u);
  EXPECT_EQ(pair.hub.sink.items.size(), 2u);
  EXPECT_EQ(pair.zone.sink.intents.front().reason, IntentReason::full);
}

TEST(Flow, TailingBringsUpsertsAndLeaves) {
  SessionPair pair;
  pair.hub.write(timeouts(0, 3));
  pair.connect();
  pair.pump();
  pair.hub.write({timeout("t1", "2s")}, {timeout("t2").key});
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(pair.zone.sink.items.count(timeout("t2").key), 0u);
  EXPECT_EQ(pair.zone.sink.cuts.size(), 2u);
}

TEST(Flow, EmptyLogsConvergeAtRevisionZero) {
  SessionPair pair;
  pair.connect();
  pair.pump();
  EXPECT_TRUE(pair.converged());
}

TEST(Flow, ResumeWithNothingMissedCostsUnderTwoKilobytes) {
  SessionPair pair;
  for (int i = 0; i < 100; ++i) pair.hub.write(timeouts(100 * i, 100 * i + 100));
  pair.connect();
  pair.pump();
  pair.cut();
  const auto before = pair.bytes_on_wire();
  pair.connect();
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(pair.zone.sink.intents.back().reason, IntentReason::none);
  EXPECT_LE(pair.bytes_on_wire() - before, 2048u);
}

TEST(Flow, ResumeBringsExactlyWhatWasMissed) {
  SessionPair pair;
  for (int i = 0; i < 100; ++i) pair.hub.write(timeouts(100 * i, 100 * i + 100));
  pair.connect();
  pair.pump();
  pair.cut();
  pair.hub.write(timeouts(500, 510, "9s"));
  const auto before = pair.bytes_on_wire();
  pair.connect();
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(pair.zone.sink.intents.back().reason, IntentReason::changes);
  EXPECT_EQ(pair.hub.session->sender()->counters().changes, 10u);
  EXPECT_LE(pair.bytes_on_wire() - before, 6000u);
}

TEST(Flow, ChangesOutsideTheViewMoveTheCursorOnly) {
  SessionPair pair;
  pair.hub.write({timeout("a")});
  pair.connect();
  pair.pump();
  Resource secret = timeout("b");
  secret.labels[std::string(kSyncLabel)] = "disabled";
  pair.hub.write({secret});
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(pair.zone.sink.items.size(), 1u);
  EXPECT_EQ(pair.zone.sink.durable_cursor->revision, Revision{2});
}

TEST(Flow, AForeignEraIsAnsweredWithARepair) {
  SessionPair pair;
  pair.hub.write(timeouts(0, 5));
  pair.connect();
  pair.pump();
  pair.cut();
  pair.zone.sink.durable_cursor->era.id.bytes[3] ^= 1;
  pair.zone.sink.items[timeout("stale").key] = {};
  pair.connect();
  pair.pump();
  EXPECT_EQ(pair.zone.sink.intents.back().why, "unknown_era");
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(pair.zone.sink.items.count(timeout("stale").key), 0u);
}

TEST(Flow, ACursorBeyondTheLogIsAnsweredWithARepair) {
  SessionPair pair;
  pair.hub.write(timeouts(0, 5));
  pair.connect();
  pair.pump();
  pair.cut();
  pair.zone.sink.durable_cursor->revision = Revision{99};
  pair.connect();
  pair.pump();
  EXPECT_EQ(pair.zone.sink.intents.back().why, "beyond_era");
  EXPECT_TRUE(pair.converged());
}

TEST(Flow, AnotherViewIsAnsweredWithARepair) {
  SessionPair pair;
  pair.hub.write(timeouts(0, 5));
  pair.connect();
  pair.pump();
  pair.cut();
  pair.zone.sink.durable_cursor->view.id.bytes[0] ^= 1;
  pair.connect();
  pair.pump();
  EXPECT_EQ(pair.zone.sink.intents.back().why, "view_changed");
  EXPECT_TRUE(pair.converged());
}

TEST(Flow, ACutLargerThanTheWindowCompletesInBothDirections) {
  SessionPair pair;
  pair.hub.features = {};  // bytes on the wire = bytes in the log
  pair.hub.window_bytes = 64u << 10;
  pair.zone.window_bytes = 64u << 10;
  std::vector<Resource> down;
  std::vector<Resource> up;
  for (int i = 0; i < 200; ++i) {
    down.push_back(timeout("d" + std::to_string(i), std::string(4000, 'x')));
    up.push_back(dataplane("u" + std::to_string(i), std::string(4000, 'y')));
  }
  pair.hub.write(down);
  pair.zone.write(up);
  pair.connect();
  std::uint64_t most = 0;
  pair.tap = [&](SessionRole, std::string&) {
    if (auto* sender = pair.hub.session->sender()) most = std::max(most, sender->in_flight_bytes());
    return true;
  };
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_LE(most, 64u << 10);
  EXPECT_GT(most, 32u << 10);
}

TEST(Flow, WithoutAcksTheSenderStopsAtTheWindow) {
  SessionPair pair;
  pair.zone.window_bytes = 64u << 10;
  std::vector<Resource> down;
  for (int i = 0; i < 100; ++i) {
    down.push_back(timeout("d" + std::to_string(i), std::string(4000, 'x')));
  }
  pair.hub.write(down);
  pair.connect();
  auto hello = pair.zone.session->next_message(pair.now);
  pair.hub.session->on_message(std::move(*hello), pair.now);
  std::size_t sent = 0;
  while (auto message = pair.hub.session->next_message(pair.now)) sent += message->size();
  EXPECT_LE(pair.hub.session->sender()->in_flight_bytes(), 64u << 10);
  EXPECT_LT(sent, 70u << 10);
}

TEST(Flow, ALargeResourceTravelsInParts) {
  SessionPair pair;
  const std::string big(3u << 20, 'b');
  pair.hub.write({timeout("before"), timeout("big", big), timeout("after")});
  pair.connect();
  pair.pump();
  ASSERT_TRUE(pair.converged());
  const auto& item = pair.zone.sink.items.at(timeout("big").key);
  EXPECT_EQ(wire::resource_of(item.payload).value().spec, timeout("big", big).spec);
}

TEST(Flow, ATransactionLargerThanAMessageIsNeverHalfVisible) {
  SessionPair pair;
  pair.connect();
  pair.pump();
  std::vector<Resource> all;
  for (int i = 0; i < 40; ++i) {
    all.push_back(timeout("d" + std::to_string(i), std::string(30'000, 'x')));
  }
  pair.hub.write(all);
  for (int guard = 0; guard < 1000 && pair.zone.sink.items.size() != 40; ++guard) {
    pair.pump(1);
    EXPECT_TRUE(pair.zone.sink.items.empty() || pair.zone.sink.items.size() == 40u);
  }
  EXPECT_EQ(pair.zone.sink.items.size(), 40u);
}

TEST(Flow, AFullReplacesInOneStepAtOrBeyondTheHeadOfItsIntent) {
  SessionPair pair;
  for (int i = 0; i < 20; ++i) pair.hub.write(timeouts(100 * i, 100 * i + 100));
  pair.connect();
  pair.pump(1);
  for (int i = 0; i < 5; ++i) {
    pair.pump(1);
    pair.hub.write(timeouts(i, i + 1, "5s"));
  }
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_FALSE(pair.zone.sink.cuts.front().from.has_value());
  EXPECT_GE(pair.zone.sink.cuts.front().to.revision, Revision{20});
}

TEST(Flow, ADigestMismatchIsCountedAndRepaired) {
  SessionPair pair;
  pair.hub.write(timeouts(0, 5));
  pair.connect();
  pair.pump();
  pair.zone.sink.items.erase(timeout("t3").key);  // silent corruption
  pair.advance(std::chrono::seconds(2));
  pair.hub.write({timeout("t9")});
  pair.pump();
  EXPECT_EQ(pair.zone.session->receiver()->counters().digest_mismatches, 1u);
  EXPECT_EQ(pair.zone.sink.intents.back().why, "digest_mismatch");
  EXPECT_TRUE(pair.converged());
}

TEST(Flow, AnIdleMarkFindsSilentCorruption) {
  SessionPair pair;
  pair.hub.write(timeouts(0, 5));
  pair.connect();
  pair.pump();
  pair.zone.sink.items.erase(timeout("t3").key);
  pair.advance(std::chrono::seconds(11));
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(pair.zone.session->receiver()->counters().digest_mismatches, 1u);
}

TEST(Flow, AMassDeleteHoldStopsTheFlowUntilApproved) {
  SessionPair pair;
  pair.hub.write(timeouts(0, 5));
  pair.zone.sink.fail_next_commit =
      CutFailure{CutFailure::Kind::hold, {ErrorCode::held, "would remove 200", ""}, "mass_delete"};
  pair.connect();
  pair.pump();
  EXPECT_TRUE(pair.zone.sink.items.empty());
  ASSERT_EQ(pair.hub.holds.size(), 1u);
  EXPECT_EQ(pair.hub.holds[0].reason, "mass_delete");
  pair.hub.write(timeouts(5, 9));
  pair.advance(std::chrono::seconds(5));
  EXPECT_TRUE(pair.zone.sink.items.empty()) << "nobody approved";
  pair.zone.session->receiver()->retry_held();
  pair.pump();
  EXPECT_TRUE(pair.converged());
}

TEST(Flow, ADiskFullHoldEndsByItself) {
  SessionPair pair;
  pair.hub.write(timeouts(0, 5));
  pair.connect();
  pair.pump();
  pair.zone.sink.fail_next_commit = CutFailure{
      CutFailure::Kind::hold, {ErrorCode::resource_exhausted, "no space", ""}, "disk_full"};
  pair.hub.write({timeout("t7")});
  pair.pump();
  EXPECT_FALSE(pair.converged());
  EXPECT_TRUE(pair.hub.session->sender()->held().has_value());
  pair.advance(std::chrono::seconds(2));
  EXPECT_TRUE(pair.converged());
  EXPECT_FALSE(pair.hub.session->sender()->held().has_value());
}

TEST(Flow, AcksCarryTheDurableCursorOnlyAfterTheCommit) {
  SessionPair pair;
  pair.zone.sink.deferred = true;
  pair.hub.write(timeouts(0, 5));
  pair.connect();
  pair.pump();
  EXPECT_FALSE(pair.hub.session->sender()->acked().has_value());
  ASSERT_EQ(pair.zone.sink.pending.size(), 1u);
  pair.zone.sink.complete_one();
  pair.pump();
  ASSERT_TRUE(pair.hub.session->sender()->acked().has_value());
  EXPECT_EQ(pair.hub.session->sender()->acked()->revision, Revision{1});
}

TEST(Flow, AMovedCursorClosesTheSessionForAReconnect) {
  SessionPair pair;
  pair.zone.sink.fail_next_commit = CutFailure{
      CutFailure::Kind::stale, {ErrorCode::precondition_failed, "cursor moved", ""}, ""};
  pair.connect();
  pair.pump();
  ASSERT_TRUE(pair.zone.closed.has_value());
  EXPECT_EQ(pair.zone.closed->code, close_code::kCursorMoved);
}

TEST(Flow, AFencedCommitClosesTheSession) {
  SessionPair pair;
  pair.zone.sink.fail_next_commit = CutFailure{
      CutFailure::Kind::stale, {ErrorCode::conflict, "generation moved", ""}, ""};
  pair.connect();
  pair.pump();
  ASSERT_TRUE(pair.zone.closed.has_value());
  EXPECT_EQ(pair.zone.closed->code, close_code::kSuperseded);
}

TEST(Flow, ASyncIsAnsweredBehindEverythingPublishedBefore) {
  SessionPair pair;
  pair.connect();
  pair.pump();
  pair.zone.write({dataplane("a", std::string(100'000, 'x'))});
  ASSERT_TRUE(pair.zone.session->sync(7).has_value());
  pair.pump();
  ASSERT_EQ(pair.hub.sync_requests.size(), 1u);
  EXPECT_EQ(pair.hub.sink.items.size(), 1u);
  ASSERT_EQ(pair.zone.synced.size(), 1u);
  EXPECT_EQ(pair.zone.synced[0].id, 7u);
}

TEST(Flow, AnyConnectionLossAtAnyMessageConverges) {
  bool reached_the_end = false;
  std::size_t lost_at = 0;
  for (; !reached_the_end; ++lost_at) {
    SessionPair pair;
    pair.zone.window_bytes = 64u << 10;
    for (int i = 0; i < 5; ++i) {
      pair.hub.write({timeout("d" + std::to_string(i), std::string(60'000, 'x'))});
      pair.zone.write({dataplane("u" + std::to_string(i))});
    }
    std::size_t message = 0;
    pair.tap = [&](SessionRole, std::string&) { return message++ != lost_at; };
    pair.connect();
    pair.pump();
    if (pair.zone.closed) pair.connect();
    pair.hub.write({timeout("late")}, {timeout("d0").key});
    pair.pump();
    if (pair.zone.closed) {
      pair.connect();
      pair.pump();
    }
    ASSERT_TRUE(pair.converged()) << "connection lost at message " << lost_at;
    reached_the_end = message <= lost_at;
  }
  EXPECT_GT(lost_at, 10u);
}

}  // namespace
}  // namespace zonesync

// A flow that has to start over: old cursors, held cuts, answers that are given up.
#include <gtest/gtest.h>

#include "protocol/core/testing/session_pair.hpp"

namespace zonesync {
namespace {

using testing::dataplane;
using testing::SessionPair;
using testing::timeout;

CutFailure hold(const std::string& reason) {
  return CutFailure{CutFailure::Kind::hold, {ErrorCode::held, "the test says so", ""}, reason};
}

TEST(FlowRecovery, ALongFullIsNotClosedByTheCursorOfALostTail) {
  SessionPair pair;
  pair.hub.write({timeout("a")});
  pair.connect();
  pair.pump();
  pair.cut();
  pair.zone.sink.durable_cursor->revision = Revision{99};  // the hub lost its tail
  pair.hub.features.zstd = false;                          // more than a window on the wire
  pair.zone.window_bytes = 64u << 10;
  std::vector<Resource> many;
  for (int i = 0; i < 200; ++i) {
    many.push_back(timeout("d" + std::to_string(i), std::string(4'000, 'x')));
  }
  pair.hub.write(many);
  pair.connect();
  pair.pump();
  EXPECT_FALSE(pair.zone.closed) << pair.zone.closed->reason;
  EXPECT_TRUE(pair.converged());
}

TEST(FlowRecovery, AFullDiskIsTriedLessAndLessOften) {
  SessionPair pair;
  pair.connect();
  pair.pump();
  pair.hub.write({timeout("a")});
  const std::size_t before = pair.zone.sink.intents.size();
  for (int second = 0; second < 120; ++second) {
    pair.zone.sink.fail_next_commit = hold("disk_full");
    pair.advance(std::chrono::seconds(1));
  }
  EXPECT_LE(pair.zone.sink.intents.size() - before, 10u);
  pair.zone.sink.fail_next_commit.reset();
  pair.advance(std::chrono::seconds(33));
  EXPECT_TRUE(pair.converged());
}

// FLOW-31: a disk that is full while a cut is staged: held at once, not at its Mark, so that the
// rest of it does not travel for nothing.
TEST(FlowRecovery, ADiskThatIsFullWhileStagingHoldsAtOnce) {
  SessionPair pair;
  pair.hub.message_target_bytes = 1u << 10;
  pair.hub.features.zstd = false;
  std::vector<Resource> many;
  for (int i = 0; i < 200; ++i) {
    many.push_back(timeout("d" + std::to_string(i), std::string(500, 'x')));
  }
  pair.hub.write(many);
  pair.zone.sink.fail_stage = Error{ErrorCode::resource_exhausted, "no space left", ""};
  pair.connect();
  pair.pump();
  ASSERT_TRUE(pair.zone.session->receiver()->held());
  EXPECT_EQ(pair.zone.session->receiver()->held()->reason, "disk_full");
  EXPECT_EQ(pair.hub.session->sender()->held()->reason, "disk_full");
  EXPECT_LT(pair.hub.session->sender()->counters().changes, 20u) << "it goes on sending";
  pair.zone.sink.fail_stage.reset();
  pair.advance(std::chrono::seconds(2));
  EXPECT_TRUE(pair.converged());
  EXPECT_FALSE(pair.zone.closed);
}

TEST(FlowRecovery, AStageThatCannotBeWrittenForGoodEndsTheSession) {
  SessionPair pair;
  pair.hub.write({timeout("a")});
  pair.zone.sink.fail_stage = Error{ErrorCode::storage_io, "input/output error", ""};
  pair.connect();
  pair.pump();
  ASSERT_TRUE(pair.zone.closed);
  EXPECT_EQ(pair.zone.closed->code, 1011);
}

TEST(FlowRecovery, AnApplicationHoldSendsNothingAgainUntilReleased) {
  SessionPair pair;
  pair.connect();
  pair.pump();
  pair.zone.sink.fail_next_commit = hold("application");
  pair.hub.write({timeout("a")});
  pair.pump();
  const std::size_t before = pair.zone.sink.intents.size();
  pair.advance(std::chrono::seconds(30));
  EXPECT_EQ(pair.zone.sink.intents.size(), before);
  pair.zone.session->receiver()->retry_held();
  pair.pump();
  EXPECT_TRUE(pair.converged());
}

// FLOW-32: everything was stored; only what came after is missing.
TEST(FlowRecovery, AHoldBehindAFullAnswerIsContinuedFromItsCursor) {
  SessionPair pair;
  pair.hub.write({timeout("a")});
  pair.connect();
  pair.pump();
  ASSERT_EQ(pair.zone.sink.intents.back().reason, wire::IntentReason::full);
  pair.zone.sink.fail_next_commit = hold("disk_full");
  pair.hub.write({timeout("b")});
  pair.pump();
  pair.advance(std::chrono::seconds(2));
  EXPECT_EQ(pair.zone.sink.intents.back().reason, wire::IntentReason::changes);
  EXPECT_TRUE(pair.converged());
}

TEST(FlowRecovery, ASyncWaitsForACutThatHasToBeSentAgain) {
  SessionPair pair;
  pair.connect();
  pair.pump();
  pair.hub.sink.fail_next_commit = hold("queue_full");
  pair.zone.write({dataplane("a")});
  ASSERT_TRUE(pair.zone.session->sync(7));
  pair.pump();
  EXPECT_TRUE(pair.zone.synced.empty());
  pair.advance(std::chrono::seconds(2));
  EXPECT_EQ(pair.hub.sink.items.size(), 1u);
  EXPECT_EQ(pair.zone.synced.size(), 1u);
}

TEST(FlowRecovery, WhatAGivenUpAnswerMadeDurableIsReported) {
  SessionPair pair;
  pair.connect();
  pair.pump();
  pair.zone.sink.deferred = true;
  pair.zone.sink.next_verdicts = {
      Verdict{timeout("a").key, Revision{1}, false, Reject{"invalid", "", "no"}}};
  pair.hub.write({timeout("a")});
  pair.pump();
  pair.zone.session->receiver()->want_full("asked");
  pair.zone.sink.complete_one();
  pair.zone.sink.deferred = false;
  pair.pump();
  std::size_t verdicts = 0;
  for (const wire::Ack& ack : pair.hub.acks) verdicts += ack.verdicts.size();
  EXPECT_EQ(verdicts, 1u);
  EXPECT_TRUE(pair.converged());
}

TEST(FlowRecovery, EveryWantOfARowIsAnsweredOnce) {
  SessionPair pair;
  pair.hub.write({timeout("a")});
  pair.connect();
  pair.pump();
  FlowReceiver& receiver = *pair.zone.session->receiver();
  receiver.want_full("first");
  auto first = pair.zone.session->next_message(pair.now);
  ASSERT_TRUE(first);
  receiver.want_full("second");
  EXPECT_FALSE(pair.zone.session->next_message(pair.now)) << "one Want at a time";
  pair.hub.session->on_message(std::move(*first), pair.now);
  pair.pump();
  EXPECT_EQ(pair.zone.sink.intents.back().why, "second");
  EXPECT_FALSE(pair.zone.closed);
  EXPECT_TRUE(pair.converged());
}

TEST(FlowRecovery, ALogThatBecameCompleteSettlesWhatWasKeptUnconfirmed) {
  SessionPair pair;
  pair.hub.write({timeout("a")});
  pair.connect();
  pair.pump();
  pair.cut();
  pair.zone.sink.unconfirmed = true;  // a full of the partial log left something over
  pair.connect();
  pair.pump();
  EXPECT_EQ(pair.zone.sink.intents.back().reason, wire::IntentReason::none) << "still partial";
  pair.cut();
  ASSERT_TRUE(pair.hub.log.declare_complete().has_value());
  pair.hub.source.refresh();
  pair.connect();
  pair.pump();
  EXPECT_EQ(pair.zone.sink.intents.back().reason, wire::IntentReason::repair);
  EXPECT_EQ(pair.zone.sink.intents.back().why, "log_complete");
  EXPECT_FALSE(pair.zone.sink.unconfirmed);
  EXPECT_TRUE(pair.converged());
}

// FLOW-12: the first seed of the simulator that showed it: a full answer kept what was removed,
// because the leave went with the tombstones after the upsert had been sent.
TEST(FlowRecovery, AFullAnswerDoesNotKeepWhatWasRemovedAndTrimmedWhileItWasSent) {
  SessionPair pair(1);  // no hot tail: pages come from the log
  pair.hub.features.zstd = false;
  pair.zone.window_bytes = 600;
  const std::string large(2'000, 'x');
  for (int i = 0; i < 6; ++i) {
    pair.hub.write({timeout("t" + std::to_string(i), large)});
  }
  pair.hub.write({}, {timeout("t0").key});
  pair.hub.write({timeout("last", large)});
  pair.connect();
  pair.pump(6);  // Hello, Welcome, and the first of the cut
  TrimRequest all;
  all.floor = all.tombstone_floor = pair.hub.log.state().head;
  ASSERT_TRUE(pair.hub.log.trim(all));
  pair.hub.source.refresh();
  pair.pump();
  EXPECT_EQ(pair.zone.session->receiver()->counters().digest_mismatches, 0u);
  for (int i = 0; i < 3 && !pair.converged(); ++i) {
    pair.cut();
    pair.connect();
    pair.pump();
  }
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(pair.zone.sink.items.count(timeout("t0").key), 0u);
}

}  // namespace
}  // namespace zonesync

// Cuts of a zone's up flow: the fence, exactly-once, failures of the log.
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
using Names = std::vector<std::string>;

MemoryChangeLogOptions manual() {
  MemoryChangeLogOptions options;
  options.manual_sync = true;
  return options;
}

TEST(UpCut, AppliesChangesTogetherWithTheCursor) {
  HubHarness hub;
  UpFeed east(hub, "east");
  east.put(dataplane("east", "a"));
  ASSERT_TRUE(east.full_now());
  east.put(dataplane("east", "b"));
  east.put(dataplane("east", "a", "10.0.0.9"));
  const auto result = east.changes_now();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->cursor, east.head());
  EXPECT_EQ(hub.names("east"), (Names{"a", "b"}));
  ASSERT_EQ(hub.segments.back().transactions.size(), 1u) << "content and cursor, together";
  EXPECT_EQ(hub.status("east").up_cursor, east.head());
  EXPECT_EQ(hub.status("east").up_resources, 2u);
}

TEST(UpCut, HistoryKeepsEveryVersionOfOneCut) {
  HubHarness hub;
  UpFeed east(hub, "east");
  ASSERT_TRUE(east.full_now());
  for (const char* text : {"1", "2", "3"}) east.put(dataplane("east", "a", text));
  east.put(dataplane("east", "b"));
  east.remove(dataplane("east", "b").key);
  ASSERT_TRUE(east.changes_now());
  EXPECT_EQ(hub.log.history(dataplane("east", "a").key, 9)->size(), 3u);
  EXPECT_EQ(hub.names("east"), Names{"a"});
}

TEST(UpCut, ALostAckIsNotAppliedTwice) {
  HubHarness hub;
  UpFeed east(hub, "east");
  ASSERT_TRUE(east.full_now());
  east.put(dataplane("east", "a"));
  ASSERT_TRUE(east.changes_now());  // the ack is lost with the connection
  const std::size_t logged = hub.logged_changes();
  const auto admitted = east.reconnect();
  ASSERT_TRUE(admitted);
  EXPECT_EQ(admitted->up_cursor, east.head()) << "Welcome tells the zone what is done";
  EXPECT_EQ(admitted->generation, Generation{1});
  ASSERT_TRUE(east.changes_now());
  EXPECT_EQ(hub.logged_changes(), logged);
}

TEST(UpCut, ACutFromAnOldCursorIsStaleAndOnlyTheCursorMoved) {
  HubHarness hub;
  UpFeed east(hub, "east");
  ASSERT_TRUE(east.full_now());
  const auto before = east.sink->cursor();
  east.put(dataplane("east", "a"));
  ASSERT_TRUE(east.changes_now());
  const std::size_t logged = hub.logged_changes();
  UpCommit again = east.port.seen.back();
  again.cut += 1;
  ASSERT_EQ(again.end->from, before);
  std::optional<CutFailure> failure;
  hub.core->submit_up(again, [&](auto result) {
    if (!result) failure = result.error();
  });
  hub.core->pump();
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, CutFailure::Kind::stale);
  EXPECT_EQ(failure->error.code, ErrorCode::precondition_failed);
  EXPECT_EQ(hub.logged_changes(), logged);
  EXPECT_EQ(hub.core->counters().up_stale, 1u);
}

TEST(UpCut, ACutOfAnotherLogWithTheSameCursorIsStale) {
  HubHarness hub;
  UpFeed east(hub, "east");
  ASSERT_TRUE(east.full_now());
  east.put(dataplane("east", "a"));
  ASSERT_TRUE(east.changes_now());
  UpCommit other = east.port.seen.back();
  other.cut += 1;
  other.end->from = east.head();
  other.log_id.bytes[15] = 99;
  std::optional<CutFailure> failure;
  hub.core->submit_up(other, [&](auto result) {
    if (!result) failure = result.error();
  });
  hub.core->pump();
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, CutFailure::Kind::stale);
}

TEST(UpCut, AnotherInstanceEndsTheOldOneForGood) {
  HubHarness hub;
  UpFeed east(hub, "east", instance(1));
  ASSERT_TRUE(east.full_now());
  ASSERT_TRUE(east.reconnect(instance(2)));
  east.put(dataplane("east", "a"));
  const auto refused = east.send(*east.old_sink, false);
  ASSERT_TRUE(*refused && !**refused);
  EXPECT_EQ((**refused).error().kind, CutFailure::Kind::stale);
  EXPECT_EQ((**refused).error().error.code, ErrorCode::conflict);
  EXPECT_TRUE(hub.names("east").empty());
  EXPECT_TRUE(east.changes_now());
  EXPECT_EQ(hub.names("east"), Names{"a"});
}

TEST(UpCut, AnEarlierSessionOfTheSameInstanceMayReconnect) {
  HubHarness hub;
  UpFeed east(hub, "east");
  ASSERT_TRUE(east.full_now());
  ASSERT_TRUE(east.reconnect());
  east.put(dataplane("east", "a"));
  const auto refused = east.send(*east.old_sink, false);
  ASSERT_TRUE(*refused && !**refused);
  EXPECT_EQ((**refused).error().kind, CutFailure::Kind::stale);
  EXPECT_EQ((**refused).error().error.code, ErrorCode::precondition_failed);
}

TEST(UpCut, AnAdmissionSettlesTheCutsBeforeIt) {
  HubHarness hub(manual());
  UpFeed east(hub, "east");
  const auto first = east.full();
  hub.log.sync();
  ASSERT_TRUE(*first && **first);
  east.put(dataplane("east", "a"));
  const auto cut = east.changes();
  EXPECT_FALSE(*cut) << "not durable yet";
  const auto admitted = east.reconnect(instance(2));
  ASSERT_TRUE(admitted);
  EXPECT_EQ(admitted->up_cursor, east.head());
  EXPECT_EQ(hub.names("east"), Names{"a"});
}

TEST(UpCut, ACutBehindAnAdmissionInTheQueueIsFenced) {
  HubHarness hub;
  UpFeed east(hub, "east");
  ASSERT_TRUE(east.full_now());
  AdmitRequest request;
  request.hello = hub.hello("east", instance(2));
  request.identity = "east";
  request.session = SessionId{77};
  bool admitted = false;
  hub.zones->admit(request, [&](auto result) { admitted = result.has_value(); });
  east.put(dataplane("east", "a"));
  const auto cut = east.changes();  // pumps both, the admission first
  EXPECT_TRUE(admitted);
  ASSERT_TRUE(*cut && !**cut);
  EXPECT_EQ((**cut).error().kind, CutFailure::Kind::stale);
  EXPECT_TRUE(hub.names("east").empty());
}

TEST(UpCut, NothingIsAckedOrPublishedBeforeItIsDurable) {
  HubHarness hub(manual());
  UpFeed east(hub, "east");
  const Revision head = hub.source->head();
  const auto cut = east.full();
  EXPECT_FALSE(*cut);
  EXPECT_EQ(hub.source->head(), head);
  EXPECT_FALSE(hub.status("east").up_cursor);
  hub.log.sync();
  EXPECT_TRUE(*cut && **cut);
  EXPECT_TRUE(hub.status("east").up_cursor);
}

TEST(UpCut, AHubThatDiesBeforeTheFsyncAsksAgainFromTheOldCursor) {
  HubHarness hub(manual());
  UpFeed east(hub, "east");
  const auto first = east.full();
  hub.log.sync();
  const auto kept = east.sink->cursor();
  east.put(dataplane("east", "a"));
  const auto lost = east.changes();
  hub.log.crash();
  hub.restart();
  const auto admitted = east.reconnect();
  ASSERT_TRUE(admitted);
  EXPECT_EQ(admitted->up_cursor, kept);
  EXPECT_TRUE(hub.names("east").empty());
  const auto again = east.changes();
  hub.log.sync();
  ASSERT_TRUE(*again && **again);
  EXPECT_EQ(hub.names("east"), Names{"a"});
  EXPECT_FALSE(*lost);
}

TEST(UpCut, ARewoundHubLogTakesTheCursorBackWithTheContent) {
  HubHarness hub;
  UpFeed east(hub, "east");
  ASSERT_TRUE(east.full_now());
  const auto kept = east.sink->cursor();
  const Revision before = hub.log.state().head;
  east.put(dataplane("east", "a"));
  ASSERT_TRUE(east.changes_now());
  hub.log.rewind_to(before);
  hub.restart();
  ASSERT_TRUE(east.reconnect());
  EXPECT_EQ(east.sink->cursor(), kept);
  ASSERT_TRUE(east.changes_now());
  EXPECT_EQ(hub.names("east"), Names{"a"});
}

TEST(UpCut, IdleMarksWriteNothing) {
  HubHarness hub;
  UpFeed east(hub, "east");
  ASSERT_TRUE(east.full_now());
  const Revision head = hub.log.state().head;
  const std::uint64_t cuts = hub.core->counters().up_cuts;
  for (int at = 0; at < 10; ++at) {
    const auto idle = east.idle();
    ASSERT_TRUE(*idle && **idle);
  }
  EXPECT_EQ(hub.log.state().head, head);
  EXPECT_EQ(hub.core->counters().up_cuts, cuts) << "an idle Mark is no cut";
}

TEST(UpCut, AnIdleMarkStillChecksTheDigest) {
  HubHarness hub;
  UpFeed east(hub, "east");
  east.put(dataplane("east", "a"));
  ASSERT_TRUE(east.full_now());
  east.wrong_digest = Digest{};
  const auto idle = east.idle();
  ASSERT_TRUE(*idle && !**idle);
  EXPECT_EQ((**idle).error().kind, CutFailure::Kind::digest_mismatch);
}

TEST(UpCut, EqualContentMovesOnlyTheCursor) {
  HubHarness hub;
  UpFeed east(hub, "east");
  east.put(dataplane("east", "a"));
  ASSERT_TRUE(east.full_now());
  const std::size_t logged = hub.logged_changes();
  east.put(dataplane("east", "a"));
  ASSERT_TRUE(east.changes_now());
  EXPECT_EQ(hub.logged_changes(), logged);
  EXPECT_EQ(hub.status("east").up_cursor, east.head());
}

TEST(UpCut, AWrongDigestChangesNothing) {
  HubHarness hub;
  UpFeed east(hub, "east");
  east.put(dataplane("east", "a"));
  ASSERT_TRUE(east.full_now());
  const auto cursor = east.sink->cursor();
  const Revision head = hub.log.state().head;
  east.put(dataplane("east", "b"));
  east.wrong_digest = Digest{};
  const auto failed = east.changes_now();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, CutFailure::Kind::digest_mismatch);
  EXPECT_EQ(hub.log.state().head, head);
  EXPECT_EQ(east.sink->cursor(), cursor);
  east.wrong_digest.reset();
  EXPECT_TRUE(east.full_now()) << "the failed attempt left no trace";
  EXPECT_EQ(hub.names("east"), (Names{"a", "b"}));
}

TEST(UpCut, AFullDiskHoldsTheFlowAndARetryCommits) {
  HubHarness hub;
  UpFeed east(hub, "east");
  ASSERT_TRUE(east.full_now());
  east.put(dataplane("east", "a"));
  hub.log.fail_next(Error{ErrorCode::resource_exhausted, "disk full", ""});
  const auto held = east.changes_now();
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().kind, CutFailure::Kind::hold);
  EXPECT_EQ(held.error().hold_reason, "disk_full");
  EXPECT_TRUE(hub.fatals.empty());
  ASSERT_TRUE(east.changes_now()) << "memory went back to what the log says";
  EXPECT_EQ(hub.names("east"), Names{"a"});
}

TEST(UpCut, AFullQueueHoldsTheFlow) {
  HubCore::Options options;
  options.queue.requests = 1;
  HubHarness hub({}, options);
  UpFeed east(hub, "east");
  ASSERT_TRUE(east.full_now());
  WriteRequest request;
  request.ops = {put(policy("p"))};
  hub.submit(request);  // fills the queue
  east.put(dataplane("east", "a"));
  const auto held = east.changes_now();
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().kind, CutFailure::Kind::hold);
  EXPECT_EQ(held.error().hold_reason, "queue_full");
  EXPECT_TRUE(east.changes_now());
}

TEST(UpCut, AStorageErrorIsFatalToEveryWaitingCut) {
  HubCore::Options options;
  options.group_max_changes = 1;
  HubHarness hub({}, options);
  UpFeed east(hub, "east");
  UpFeed west(hub, "west");
  east.port.pumping = false;
  west.port.pumping = false;
  east.put(dataplane("east", "a"));
  west.put(dataplane("west", "a"));
  const auto first = east.full();
  const auto second = west.full();
  hub.log.fail_next(Error{ErrorCode::storage_io, "fsync failed", ""});
  hub.core->pump();
  for (const auto& box : {first, second}) {
    ASSERT_TRUE(*box && !**box);
    EXPECT_EQ((**box).error().kind, CutFailure::Kind::fatal);
  }
  EXPECT_EQ(hub.fatals.size(), 1u);
  const auto refused = hub.zones->find("east");
  ASSERT_NE(refused, nullptr);
  EXPECT_FALSE(hub.admit(hub.hello("east", instance(9))));
}

TEST(UpCut, AnAnswerForADeadSessionIsDropped) {
  HubHarness hub(manual());
  UpFeed east(hub, "east");
  const auto cut = east.full();
  east.sink.reset();
  hub.log.sync();
  EXPECT_FALSE(*cut);
}

TEST(UpCut, TwoZonesKeepTwoResourcesOfOneName) {
  HubHarness hub;
  UpFeed east(hub, "east");
  UpFeed west(hub, "west");
  east.put(dataplane("east", "same", "1.1.1.1"));
  west.put(dataplane("west", "same", "2.2.2.2"));
  ASSERT_TRUE(east.full_now());
  ASSERT_TRUE(west.full_now());
  EXPECT_EQ(hub.names("east"), Names{"same"});
  EXPECT_EQ(hub.names("west"), Names{"same"});
  west.remove(dataplane("west", "same").key);
  ASSERT_TRUE(west.changes_now());
  EXPECT_EQ(hub.names("east"), Names{"same"});
  EXPECT_TRUE(hub.names("west").empty());
}

StagedChange staged(HubHarness& hub, const std::string& name, ChangeKind kind) {
  const Resource resource = dataplane("east", name);
  const Class cls = *class_of(*hub.registry, resource);
  return StagedChange{Revision{7}, kind == ChangeKind::leave
                                       ? wire::make_leave(cls, resource.key)
                                       : wire::make_upsert(cls, resource)};
}

// One transaction of a zone may be as long as the peer likes: what is kept of it is not.
TEST(UpCut, AnEndlessTransactionLeavesInPieces) {
  HubHarness hub;
  UpFeed east(hub, "east");
  east.tuning.piece_max_changes = 10;
  east.tuning.atomic_max_changes = 20;
  ASSERT_TRUE(east.reconnect());
  east.port.pumping = false;
  const std::size_t before = east.port.seen.size();
  wire::Intent intent;
  intent.reason = wire::IntentReason::changes;
  east.sink->begin(intent);
  for (int at = 0; at < 500; ++at) {
    ASSERT_TRUE(east.sink->stage(staged(hub, "d" + std::to_string(at), ChangeKind::upsert)));
  }
  EXPECT_GE(east.port.seen.size() - before, 45u) << "handed on, not kept";
  for (std::size_t at = before; at < east.port.seen.size(); ++at) {
    EXPECT_LE(east.port.seen[at].changes.size(), 10u);
  }
}

TEST(UpCut, MoreRemovesThanAZoneMayHoldAreRefused) {
  HubHarness hub;
  UpFeed east(hub, "east");
  east.tuning.named_max = 50;
  east.tuning.piece_max_changes = 10;
  ASSERT_TRUE(east.reconnect());
  wire::Intent intent;
  intent.reason = wire::IntentReason::changes;
  east.sink->begin(intent);
  Status status;
  int at = 0;
  while (status && at < 500) {
    status = east.sink->stage(staged(hub, "d" + std::to_string(at++), ChangeKind::leave));
  }
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::too_large);
  EXPECT_LE(at, 62);
}

}  // namespace
}  // namespace zonesync::hub

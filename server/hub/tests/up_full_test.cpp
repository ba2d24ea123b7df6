// Full answers and large cuts: pieces, complete and partial logs, the mass-delete guard.
#include <gtest/gtest.h>

#include "protocol/wire/codec.hpp"
#include "server/hub/testing/up_feed.hpp"

namespace zonesync::hub {
namespace {

using testing::dataplane;
using testing::HubHarness;
using testing::instance;
using testing::UpFeed;
using Names = std::vector<std::string>;

MemoryChangeLogOptions manual() {
  MemoryChangeLogOptions options;
  options.manual_sync = true;
  return options;
}

std::string name_of(int number) {
  std::string digits = std::to_string(number);
  return "n" + std::string(4 - digits.size(), '0') + digits;
}

void put_many(UpFeed& feed, int from, int to, const std::string& text = "x") {
  for (int at = from; at < to; ++at) feed.put(dataplane("east", name_of(at), text));
}

/// Sinks of ten changes a piece from the next session on.
void small_pieces(UpFeed& feed) {
  feed.tuning.piece_max_changes = 10;
  feed.tuning.atomic_max_changes = 20;
  ASSERT_TRUE(feed.reconnect());
}

bool moves_cursor(const Transaction& transaction) {
  for (const auto& change : transaction.changes) {
    if (change.key.type == kUpCursorType) return true;
  }
  return false;
}

TEST(UpPieces, AFullAnswerGoesInPiecesAndTheLastMovesTheCursor) {
  HubHarness hub;
  UpFeed east(hub, "east");
  small_pieces(east);
  put_many(east, 0, 35);
  const std::size_t before = hub.segments.size();
  ASSERT_TRUE(east.full_now());
  EXPECT_EQ(hub.names("east").size(), 35u);
  EXPECT_GE(hub.segments.size() - before, 4u);
  for (std::size_t at = before; at < hub.segments.size(); ++at) {
    const auto& transaction = hub.segments[at].transactions.back();
    EXPECT_EQ(moves_cursor(transaction), at + 1 == hub.segments.size());
    EXPECT_LE(transaction.changes.size(), 12u);
  }
}

TEST(UpPieces, RemovesComeLast) {
  HubHarness hub;
  UpFeed east(hub, "east");
  small_pieces(east);
  put_many(east, 0, 15);
  ASSERT_TRUE(east.full_now());
  const std::size_t before = hub.segments.size();
  for (int at = 0; at < 5; ++at) east.remove(dataplane("east", name_of(at)).key);
  put_many(east, 20, 60);
  ASSERT_TRUE(east.changes_now());
  for (std::size_t at = before; at + 1 < hub.segments.size(); ++at) {
    for (const auto& change : hub.segments[at].transactions.back().changes) {
      EXPECT_EQ(change.kind, ChangeKind::upsert);
    }
  }
  EXPECT_GT(hub.segments.size() - before, 2u);
  EXPECT_EQ(hub.names("east").size(), 50u);
}

TEST(UpPieces, ASmallCutIsOneTransaction) {
  HubHarness hub;
  UpFeed east(hub, "east");
  small_pieces(east);
  ASSERT_TRUE(east.full_now());
  const Revision head = hub.log.state().head;
  put_many(east, 0, 20);
  ASSERT_TRUE(east.changes_now());
  EXPECT_EQ(hub.log.state().head, head.next());
}

TEST(UpPieces, ALeaveBehindItsUpsertInOneCutWins) {
  HubHarness hub;
  UpFeed east(hub, "east");
  small_pieces(east);
  ASSERT_TRUE(east.full_now());
  put_many(east, 0, 30);
  east.remove(dataplane("east", name_of(3)).key);  // its upsert went out with a piece
  ASSERT_TRUE(east.changes_now());
  EXPECT_EQ(hub.names("east").size(), 29u);
}

TEST(UpPieces, ACrashBetweenPiecesResumesWithoutLossOrDuplicates) {
  HubCore::Options options;
  options.group_max_changes = 1;  // one piece a segment
  for (int durable = 0; durable < 4; ++durable) {
    HubHarness hub(manual(), options);
    UpFeed east(hub, "east");
    small_pieces(east);
    put_many(east, 0, 35);
    east.port.pumping = false;
    const auto cut = east.full();
    hub.core->pump();
    if (durable > 0) hub.log.crash(1);  // the disk kept the piece, nobody was told
    if (durable == 0) hub.log.crash(0);
    hub.restart();
    for (int more = 1; more < durable; ++more) {
      ASSERT_TRUE(east.reconnect());
      const auto next = east.full();
      hub.core->pump();
      hub.log.crash(1);
      hub.restart();
      EXPECT_FALSE(*next);
    }
    east.port.pumping = true;
    const auto admitted = east.reconnect();
    ASSERT_TRUE(admitted);
    EXPECT_FALSE(admitted->up_cursor) << "no piece but the last moves the cursor";
    const auto again = east.full();
    hub.log.sync();
    ASSERT_TRUE(*again && **again);
    EXPECT_FALSE(*cut);
    EXPECT_EQ(hub.names("east").size(), 35u);
    for (int at = 0; at < 35; ++at) {
      EXPECT_EQ(hub.log.history(dataplane("east", name_of(at)).key, 9)->size(), 1u);
    }
  }
}

// FLOW-19: the answer brings back what a later change of it would remove again.
TEST(UpPieces, AnInterruptedFullAnswerTakesTheCursorBack) {
  HubHarness hub;
  UpFeed east(hub, "east");
  small_pieces(east);
  put_many(east, 0, 15);
  ASSERT_TRUE(east.full_now());
  east.remove(dataplane("east", name_of(0)).key);
  ASSERT_TRUE(east.changes_now());
  east.marks = false;
  east.full();
  ASSERT_EQ(hub.names("east").size(), 15u) << "the first piece is stored, the leave is not";
  hub.restart();
  EXPECT_FALSE(east.reconnect()->up_cursor);
  EXPECT_TRUE(east.sink->has_content()) << "so it is repaired";
  ASSERT_TRUE(east.repair_now());
  EXPECT_EQ(hub.names("east").size(), 14u);
  EXPECT_EQ(east.reconnect()->up_cursor, east.head());
}

// FLOW-19: the zone lost the end of its log, and what the hub has of it with it.
TEST(UpPieces, AnInterruptedCutOfChangesTakesTheCursorBack) {
  HubHarness hub;
  UpFeed east(hub, "east");
  small_pieces(east);
  ASSERT_TRUE(east.full_now());
  const Cursor before = east.head();
  EXPECT_EQ(east.reconnect()->up_cursor, before);
  put_many(east, 0, 30);
  east.marks = false;
  east.changes();
  ASSERT_FALSE(hub.names("east").empty());
  EXPECT_FALSE(east.reconnect()->up_cursor);
  east.marks = true;
  ASSERT_TRUE(east.repair_now());
  EXPECT_EQ(east.reconnect()->up_cursor, east.head());
}

TEST(UpPieces, TheRestOfACutFollowsItsPieces) {
  HubHarness hub;
  UpFeed east(hub, "east");
  small_pieces(east);
  ASSERT_TRUE(east.full_now());
  put_many(east, 0, 30);
  ASSERT_TRUE(east.changes_now()) << "`from` is compared with the cursor before the pieces";
  EXPECT_EQ(east.reconnect()->up_cursor, east.head());
}

TEST(UpPieces, AFailedPieceStopsItsCutAndTheRetryCompletes) {
  HubHarness hub;
  UpFeed east(hub, "east");
  small_pieces(east);
  put_many(east, 0, 35);
  hub.log.fail_next(Error{ErrorCode::resource_exhausted, "disk full", ""});  // the first piece
  const auto held = east.full_now();
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().kind, CutFailure::Kind::hold);
  EXPECT_FALSE(hub.status("east").up_cursor);
  ASSERT_TRUE(east.full_now());
  EXPECT_EQ(hub.names("east").size(), 35u);
  EXPECT_EQ(hub.logged_changes(), 35u);
}

TEST(UpPieces, ACutOfMorePiecesThanTheQueueTakesIsNotHeldForEver) {
  HubCore::Options options;
  options.queue.requests = 3;
  HubHarness hub(manual(), options);
  UpFeed east(hub, "east");
  hub.log.sync();
  small_pieces(east);
  hub.log.sync();
  put_many(east, 0, 100);
  const auto cut = east.full();
  while (hub.log.unsynced() > 0) hub.log.sync();
  ASSERT_TRUE(*cut && **cut);
  EXPECT_EQ(hub.names("east").size(), 100u);
}

TEST(UpPieces, AMissingPieceRefusesTheLastOne) {
  HubHarness hub;
  UpFeed east(hub, "east");
  small_pieces(east);
  put_many(east, 0, 35);
  ASSERT_TRUE(east.full_now());
  UpCommit last = east.port.seen.back();
  last.cut += 1;  // of a cut whose pieces never came
  last.end->from.reset();
  std::optional<CutFailure> failure;
  hub.core->submit_up(last, [&](auto result) {
    if (!result) failure = result.error();
  });
  hub.core->pump();
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, CutFailure::Kind::hold);
}

TEST(UpPieces, ABacklogOverItsBoundHoldsTheFlow) {
  HubHarness hub;
  UpFeed east(hub, "east");
  east.tuning.backlog_max_bytes = 2'000;
  small_pieces(east);
  east.port.pumping = false;
  put_many(east, 0, 100, std::string(200, 'x'));
  const auto cut = east.full();
  hub.core->pump();
  ASSERT_TRUE(*cut && !**cut);
  EXPECT_EQ((**cut).error().hold_reason, "queue_full");
  EXPECT_EQ(east.sink->outstanding(), 0u);
  EXPECT_EQ(east.sink->backlog_bytes(), 0u);
}

TEST(UpPieces, TooManyKeysInOneFullAnswerAreRefused) {
  HubHarness hub;
  UpFeed east(hub, "east");
  east.tuning.named_max = 2;
  ASSERT_TRUE(east.reconnect());
  wire::Intent intent;
  intent.reason = wire::IntentReason::full;
  east.sink->begin(intent);
  const Class cls{"Dataplane", "default", "east", ""};
  Status last;
  for (std::uint64_t at = 1; at <= 3; ++at) {
    last = east.sink->stage(
        {Revision{at}, wire::make_upsert(cls, dataplane("east", name_of(static_cast<int>(at))))});
  }
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, ErrorCode::too_large);
}

// -- complete and partial logs --------------------------------------------------------------------

class UpLogs : public ::testing::Test {
 protected:
  UpLogs() : east(hub, "east") {
    east.put(dataplane("east", "a"));
    east.put(dataplane("east", "b"));
    EXPECT_TRUE(east.full_now().has_value());
  }
  HubHarness hub;
  UpFeed east;
};

TEST_F(UpLogs, ACompleteLogRemovesWhatItDoesNotName) {
  east.new_log(true);
  ASSERT_TRUE(east.reconnect(instance(2)));
  east.put(dataplane("east", "b"));
  east.put(dataplane("east", "c"));
  ASSERT_TRUE(east.full_now());
  EXPECT_EQ(hub.names("east"), (Names{"b", "c"}));
  EXPECT_EQ(hub.log.latest(dataplane("east", "a").key)->value().kind, ChangeKind::leave)
      << "a delete is a fact in the log";
  EXPECT_EQ(hub.log.history(dataplane("east", "b").key, 9)->size(), 1u) << "equal stays as it is";
}

TEST_F(UpLogs, APartialLogRemovesNothing) {
  east.new_log(false);
  ASSERT_TRUE(east.reconnect(instance(2)));
  ASSERT_TRUE(east.full_now()) << "what is unconfirmed stays outside the digest";
  EXPECT_EQ(hub.names("east"), (Names{"a", "b"}));
  EXPECT_TRUE(hub.status("east").rejects.empty()) << "unconfirmed is no reject";
  east.put(dataplane("east", "b", "new"));
  ASSERT_TRUE(east.changes_now());
  EXPECT_EQ(hub.names("east"), (Names{"a", "b"}));
}

TEST_F(UpLogs, UnconfirmedSurvivesARestart) {
  east.new_log(false);
  ASSERT_TRUE(east.reconnect(instance(2)));
  ASSERT_TRUE(east.full_now());
  hub.restart();
  ASSERT_TRUE(east.reconnect(instance(2)));
  const auto idle = east.idle();
  ASSERT_TRUE(*idle && **idle);
  east.put(dataplane("east", "c"));
  ASSERT_TRUE(east.changes_now());
  EXPECT_EQ(hub.names("east"), (Names{"a", "b", "c"}));
}

TEST_F(UpLogs, ALogThatBecameCompleteIsAskedForEverythingAndSettles) {
  east.new_log(false);
  ASSERT_TRUE(east.reconnect(instance(2)));
  east.put(dataplane("east", "b"));
  ASSERT_TRUE(east.full_now());
  east.complete = true;  // publish_complete()
  const auto admitted = east.reconnect(instance(2));
  ASSERT_TRUE(admitted);
  EXPECT_FALSE(admitted->up_cursor);
  ASSERT_TRUE(east.full_now());
  EXPECT_EQ(hub.names("east"), Names{"b"});
  EXPECT_TRUE(hub.live_system(kOfferType).empty());
  EXPECT_TRUE(east.reconnect(instance(2))->up_cursor);
}

TEST_F(UpLogs, AWrongDigestOfAFullAnswerRemovesNothing) {
  east.new_log(true);
  ASSERT_TRUE(east.reconnect(instance(2)));
  east.put(dataplane("east", "c"));
  east.wrong_digest = Digest{};
  const auto failed = east.full_now();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, CutFailure::Kind::digest_mismatch);
  const Names now = hub.names("east");
  EXPECT_TRUE(std::count(now.begin(), now.end(), "a") == 1) << "nothing was removed";
}

TEST_F(UpLogs, AFullAnswerWithTheLeaveOfWhatIsHereRemovesItOnce) {
  for (const bool complete : {true, false}) {
    east.complete = complete;
    east.remove(dataplane("east", "a").key);
    ASSERT_TRUE(east.full_now()) << "the digest agrees";
    EXPECT_EQ(hub.names("east"), Names{"b"});
    EXPECT_TRUE(hub.live_system(kOfferType).empty()) << "a logged leave leaves no doubt";
    east.put(dataplane("east", "a", complete ? "again" : "and again"));
    ASSERT_TRUE(east.changes_now());
  }
}

// -- guard ----------------------------------------------------------------------------------------

class MassDelete : public ::testing::Test {
 protected:
  MassDelete() : east(hub, "east") {
    put_many(east, 0, 250);
    EXPECT_TRUE(east.full_now().has_value());
    east.new_log(true);
    EXPECT_TRUE(east.reconnect(instance(2)).has_value());
  }
  HubHarness hub;
  UpFeed east;
};

TEST_F(MassDelete, IsHeldUntilApprovedAndThenApplied) {
  put_many(east, 0, 10);
  const auto held = east.full_now();
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().kind, CutFailure::Kind::hold);
  EXPECT_EQ(held.error().hold_reason, "mass_delete");
  EXPECT_EQ(hub.names("east").size(), 250u);
  EXPECT_EQ(hub.status("east").hold_reason, "mass_delete");
  EXPECT_FALSE(hub.status("east").hold_down);
  EXPECT_FALSE(east.full_now()) << "asking again does not help";
  ASSERT_TRUE(hub.core->approve_mass_delete("east"));
  ASSERT_TRUE(east.full_now());
  EXPECT_EQ(hub.names("east").size(), 10u);
  EXPECT_EQ(hub.status("east").hold_reason, "");
}

TEST_F(MassDelete, AnApprovalIsForOnce) {
  ASSERT_FALSE(east.full_now());
  ASSERT_TRUE(hub.core->approve_mass_delete("east"));
  ASSERT_TRUE(east.full_now());
  east.new_log(true);
  put_many(east, 0, 250);
  ASSERT_TRUE(east.reconnect(instance(3)));
  ASSERT_TRUE(east.full_now());
  east.new_log(true);
  ASSERT_TRUE(east.reconnect(instance(4)));
  EXPECT_FALSE(east.full_now());
}

TEST_F(MassDelete, AnApprovalOutlivesAFullDisk) {
  ASSERT_FALSE(east.full_now());
  ASSERT_TRUE(hub.core->approve_mass_delete("east"));
  hub.log.fail_next(Error{ErrorCode::resource_exhausted, "disk full", ""});
  ASSERT_FALSE(east.full_now());
  ASSERT_TRUE(east.full_now());
  EXPECT_TRUE(hub.names("east").empty());
}

TEST_F(MassDelete, NothingHeldNothingToApprove) {
  EXPECT_EQ(hub.core->approve_mass_delete("east").error().code, ErrorCode::not_found);
  EXPECT_EQ(hub.core->approve_mass_delete("nobody").error().code, ErrorCode::not_found);
}

TEST_F(MassDelete, HalfAndLessPasses) {
  put_many(east, 0, 125);
  ASSERT_TRUE(east.full_now());
  EXPECT_EQ(hub.names("east").size(), 125u);
}

TEST_F(MassDelete, AWrongDigestIsNotWorthAnApproval) {
  east.wrong_digest = Digest{};
  put_many(east, 0, 1);
  const auto failed = east.full_now();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, CutFailure::Kind::digest_mismatch);
  EXPECT_EQ(hub.core->approve_mass_delete("east").error().code, ErrorCode::not_found);
}

TEST_F(MassDelete, OrdinaryRemovesAreNotGuarded) {
  put_many(east, 0, 250);
  ASSERT_TRUE(east.full_now());
  for (int at = 0; at < 250; ++at) east.remove(dataplane("east", name_of(at)).key);
  ASSERT_TRUE(east.changes_now()) << "each is a fact in the zone's log";
  EXPECT_TRUE(hub.names("east").empty());
}

TEST(MassDeleteSmall, AHundredKeysPassWhateverTheShare) {
  HubHarness hub;
  UpFeed east(hub, "east");
  put_many(east, 0, 100);
  ASSERT_TRUE(east.full_now());
  east.new_log(true);
  ASSERT_TRUE(east.reconnect(instance(2)));
  ASSERT_TRUE(east.full_now());
  EXPECT_TRUE(hub.names("east").empty());
}

}  // namespace
}  // namespace zonesync::hub

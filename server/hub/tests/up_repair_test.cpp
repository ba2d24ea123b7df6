// The hub as the receiver of a repair: what it prints of a zone, and what a repair does there.
#include <gtest/gtest.h>

#include "server/hub/testing/up_feed.hpp"

namespace zonesync::hub {
namespace {

using testing::dataplane;
using testing::HubHarness;
using testing::instance;
using testing::UpFeed;
using Names = std::vector<std::string>;

Resource contradicting(const std::string& name, const std::string& text = "x") {
  Resource resource = dataplane("east", name, text);
  resource.labels[std::string(kZoneLabel)] = "west";
  return resource;
}

class UpRepair : public ::testing::Test {
 protected:
  UpRepair() : east(hub, "east") {
    for (const char* name : {"a", "b", "c", "d"}) east.put(dataplane("east", name));
    EXPECT_TRUE(east.full_now().has_value());
  }
  std::size_t stored() const { return hub.live_system(kOfferType).size(); }
  /// The zone comes back with a log that the hub does not know.
  void reinstalled(bool complete) {
    east.new_log(complete);
    ASSERT_TRUE(east.reconnect(instance(2)));
  }

  HubHarness hub;
  UpFeed east;
};

// REP-01
TEST_F(UpRepair, OnlyWhatDiffersIsSentAndRemoved) {
  reinstalled(true);
  for (const char* name : {"a", "b"}) east.put(dataplane("east", name));
  east.put(dataplane("east", "c", "new"));
  east.put(dataplane("east", "e"));
  ASSERT_TRUE(east.repair_now());
  EXPECT_EQ(east.repaired, 2u);
  EXPECT_EQ(hub.names("east"), (Names{"a", "b", "c", "e"}));
  east.put(dataplane("east", "f"));
  EXPECT_TRUE(east.changes_now()) << "the cursor stands at the end of the repair";
}

// REP-06, FLOW-16: "zone reinstalled without its outbox".
TEST_F(UpRepair, APartialLogRemovesNothing) {
  reinstalled(false);
  east.put(dataplane("east", "a"));
  ASSERT_TRUE(east.repair_now());
  EXPECT_EQ(hub.names("east"), (Names{"a", "b", "c", "d"}));
  EXPECT_EQ(stored(), 3u) << "unconfirmed";
  east.put(dataplane("east", "b"));
  ASSERT_TRUE(east.repair_now());
  EXPECT_EQ(east.repaired, 0u) << "equal content is confirmed by its print";
  EXPECT_EQ(stored(), 2u);
  east.complete = true;
  ASSERT_TRUE(east.repair_now());
  EXPECT_EQ(hub.names("east"), (Names{"a", "b"}));
  EXPECT_EQ(stored(), 0u);
}

// REP-03, REP-07
TEST_F(UpRepair, RejectedVersionsComeAgainAndKeepTheirVerdict) {
  east.put(contradicting("bad"));
  east.put(contradicting("a"));
  east.put(contradicting("lost"));
  ASSERT_TRUE(east.changes_now());
  ASSERT_EQ(stored(), 3u);
  reinstalled(true);
  east.put(contradicting("bad"));
  for (const char* name : {"b", "c", "d"}) east.put(dataplane("east", name));
  east.put(contradicting("a"));
  const auto result = east.repair_now();
  ASSERT_TRUE(result) << "the digest is over what was offered";
  EXPECT_EQ(east.repaired, 2u);
  ASSERT_EQ(result->verdicts.size(), 3u);
  EXPECT_EQ(result->verdicts.back().key, contradicting("lost").key) << "withdrawn (FLOW-26)";
  EXPECT_TRUE(result->verdicts.back().accepted);
  EXPECT_EQ(hub.names("east"), (Names{"a", "b", "c", "d"})) << "the accepted version of a stays";
  EXPECT_EQ(stored(), 2u) << "the reject of a resource that is gone went with it";
}

// FLOW-24: the zone was told of the reject when it connected, and has another version of the key
// at the very revision that it names.
TEST_F(UpRepair, AnAcceptedVersionWithdrawsTheRejectOfAnotherLog) {
  east.put(contradicting("a"));
  ASSERT_TRUE(east.changes_now());
  const auto rejected_at = east.head().revision;
  reinstalled(true);
  for (const char* name : {"b", "c", "d", "e"}) east.put(dataplane("east", name));
  east.put(dataplane("east", "a", "good"));
  ASSERT_EQ(east.head().revision, rejected_at);
  const auto result = east.repair_now();
  ASSERT_TRUE(result);
  ASSERT_EQ(result->verdicts.size(), 1u);
  EXPECT_TRUE(result->verdicts[0].accepted);
  EXPECT_EQ(result->verdicts[0].key, contradicting("a").key);
  EXPECT_EQ(stored(), 0u);
}

// FLOW-24: what a piece said holds, whatever becomes of its cut.
TEST_F(UpRepair, VerdictsOfThePiecesOfACutThatFailedAreToldWithTheNext) {
  east.put(contradicting("a"));
  ASSERT_TRUE(east.changes_now());
  east.tuning.piece_max_changes = 2;
  reinstalled(true);
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g"}) {
    east.put(dataplane("east", name, "good"));
  }
  east.wrong_digest = Digest{};
  ASSERT_FALSE(east.repair_now());
  ASSERT_EQ(stored(), 0u) << "a piece accepted it";
  east.wrong_digest.reset();
  const auto result = east.repair_now();
  ASSERT_TRUE(result);
  ASSERT_EQ(result->verdicts.size(), 1u);
  EXPECT_TRUE(result->verdicts[0].accepted);
}

// REP-06: rejected, and the zone's partial log does not have it.
TEST_F(UpRepair, ARejectThatAPartialLogDoesNotHaveBecomesUnconfirmed) {
  east.put(contradicting("a"));
  east.put(contradicting("bad"));
  ASSERT_TRUE(east.changes_now());
  reinstalled(false);
  for (const char* name : {"b", "c", "d"}) east.put(dataplane("east", name));
  ASSERT_TRUE(east.repair_now());
  EXPECT_EQ(hub.names("east"), (Names{"a", "b", "c", "d"}));
  EXPECT_EQ(stored(), 1u);
  hub.restart();
  ASSERT_TRUE(east.reconnect(instance(2)));
  EXPECT_TRUE(east.idle()->value().has_value()) << "the digest still agrees after a restart";
}

// FLOW-17
TEST_F(UpRepair, AMassDeleteIsHeld) {
  for (int i = 0; i < 250; ++i) east.put(dataplane("east", "n" + std::to_string(i)));
  ASSERT_TRUE(east.changes_now());
  reinstalled(true);
  east.put(dataplane("east", "a"));
  const auto held = east.repair_now();
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().hold_reason, "mass_delete");
  EXPECT_EQ(hub.names("east").size(), 254u);
  ASSERT_TRUE(hub.core->approve_mass_delete("east"));
  ASSERT_TRUE(east.repair_now());
  EXPECT_EQ(hub.names("east"), Names{"a"});
}

// REP-06
TEST_F(UpRepair, AWrongDigestRemovesNothing) {
  reinstalled(true);
  east.put(dataplane("east", "a"));
  east.wrong_digest = Digest{1, 2, 3};
  const auto result = east.repair_now();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, CutFailure::Kind::digest_mismatch);
  EXPECT_EQ(hub.names("east").size(), 4u);
}

// Protocol §4: pieces of at most 1,000 changes, removes only in the last.
TEST_F(UpRepair, GoesInPieces) {
  east.tuning.piece_max_changes = 10;
  reinstalled(true);
  for (int i = 0; i < 35; ++i) east.put(dataplane("east", "n" + std::to_string(i)));
  east.port.seen.clear();
  ASSERT_TRUE(east.repair_now());
  ASSERT_GE(east.port.seen.size(), 4u);
  for (const UpCommit& piece : east.port.seen) {
    EXPECT_LE(piece.changes.size(), 11u);
    EXPECT_EQ(piece.removed != nullptr, piece.end.has_value());
  }
  EXPECT_EQ(hub.names("east").size(), 35u);
}

// REP-02: pieces of an interrupted first answer are content without a cursor.
TEST_F(UpRepair, PiecesOfAnInterruptedAnswerAreNotSentAgain) {
  UpFeed west(hub, "west");
  west.tuning.piece_max_changes = 10;
  ASSERT_TRUE(west.reconnect());
  EXPECT_FALSE(west.sink->has_content());
  for (int i = 0; i < 35; ++i) west.put(dataplane("west", "n" + std::to_string(i)));
  west.wrong_digest = Digest{1, 2, 3};
  ASSERT_FALSE(west.full_now()) << "the last piece never counts";
  west.wrong_digest.reset();
  ASSERT_TRUE(west.reconnect());
  EXPECT_FALSE(west.sink->cursor());
  EXPECT_TRUE(west.sink->has_content());
  ASSERT_TRUE(west.repair_now());
  EXPECT_LE(west.repaired, 11u);
  EXPECT_EQ(hub.names("west").size(), 35u);
}

}  // namespace
}  // namespace zonesync::hub

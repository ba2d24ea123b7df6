// VIEW-01 to VIEW-08: a session moves from one view to the next.
#include <gtest/gtest.h>

#include "protocol/core/testing/scripted_views.hpp"
#include "protocol/core/testing/session_pair.hpp"

namespace zonesync {
namespace {

using testing::SessionPair;
using Feed = testing::ScriptedViews;
using testing::timeout;
using wire::IntentReason;

Resource of_type(const std::string& type, const std::string& name,
                 const std::string& mesh = "default") {
  Resource resource = timeout(name);
  resource.key.type = type;
  resource.key.mesh = mesh;
  return resource;
}

class ViewChanges : public ::testing::Test {
 protected:
  explicit ViewChanges(std::size_t hot_tail = limits::kHotTailBytes)
      : pair(hot_tail), feed(pair.registry) {
    pair.hub.views = &feed;
    pair.tap = [this](SessionRole from, std::string& bytes) {
      if (from == SessionRole::hub) sent += bytes;
      return !lose || --*lose > 0;
    };
  }
  void start() {
    for (int i = 0; i < 20; ++i) {
      pair.hub.write({of_type("MeshTimeout", "t" + std::to_string(i)),
                      of_type("MeshRetry", "r" + std::to_string(i)),
                      of_type("MeshRetry", "far" + std::to_string(i), "far")});
    }
    pair.connect();
    pair.pump();
    ASSERT_TRUE(pair.converged());
    intents = pair.zone.sink.intents.size();
  }
  [[nodiscard]] std::size_t count(const std::string& type) const {
    return static_cast<std::size_t>(
        std::count_if(pair.zone.sink.items.begin(), pair.zone.sink.items.end(),
                      [&](const auto& item) { return item.first.type == type; }));
  }
  [[nodiscard]] bool at_view() const {
    return pair.zone.sink.durable_cursor->view == feed.current().view.id();
  }
  void reconnect() {
    pair.cut();
    pair.connect();
    pair.pump();
  }

  SessionPair pair;
  Feed feed;
  std::string sent;                 // by the hub, all bytes
  std::optional<int> lose;          // the connection breaks at the n-th message
  std::size_t intents = 0;
};

// VIEW-01 VIEW-02
TEST_F(ViewChanges, AClassThatLeftIsDroppedWithoutANewAnswer) {
  start();
  feed.set({"MeshTimeout"});
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_TRUE(at_view());
  EXPECT_EQ(count("MeshRetry"), 0u);
  EXPECT_EQ(count("MeshTimeout"), 20u);
  EXPECT_EQ(pair.zone.sink.intents.size(), intents);
  EXPECT_EQ(pair.hub.session->sender()->acked(), pair.zone.sink.durable_cursor);
}

// V1-09: in v1 the session ends, and the next one lists what the two views differ in; nothing is
// asked for from the beginning.
TEST_F(ViewChanges, InV1AChangeOfViewIsAReconnectWithTheListsOfBothViews) {
  pair.hub.mode = pair.zone.mode = SyncMode::v1;
  start();
  for (const std::set<std::string>& types :
       {std::set<std::string>{"MeshTimeout"}, {"MeshRetry"}, {}}) {
    pair.hub.write({of_type("MeshTimeout", "t1")});
    feed.set(types, types.empty() ? std::set<std::string>{"default"} : std::set<std::string>{});
    pair.hub.write({of_type("MeshTimeout", "another")});
    pair.pump();
    ASSERT_TRUE(pair.zone.closed);
    EXPECT_EQ(pair.zone.closed->code, close_code::kRestart);
    pair.connect();
    pair.pump();
    EXPECT_FALSE(pair.zone.closed) << pair.zone.closed->reason;
    EXPECT_TRUE(pair.converged());
    EXPECT_TRUE(at_view());
    EXPECT_EQ(pair.zone.sink.intents.back().reason, IntentReason::changes);
  }
}

// VIEW-03
TEST_F(ViewChanges, AClassThatEntersIsReadFromTheLog) {
  feed.set({"MeshTimeout"});
  start();
  pair.hub.write({}, {of_type("MeshRetry", "r3").key});
  feed.set({});
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(count("MeshRetry"), 39u);
  EXPECT_EQ(pair.zone.sink.intents.size(), intents);
}

TEST_F(ViewChanges, TwoChangesInARowAndBack) {
  start();
  const ViewId before = feed.current().view.id();
  feed.set({"MeshTimeout"});
  pair.pump();
  feed.set({"MeshRetry"}, {"far"});
  pair.pump();
  EXPECT_EQ(pair.zone.sink.items.size(), 20u);
  feed.set({});
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(pair.zone.sink.items.size(), 60u);
  EXPECT_EQ(pair.zone.sink.durable_cursor->view, before);
  EXPECT_EQ(pair.zone.sink.intents.size(), intents);
}

// VIEW-05
TEST_F(ViewChanges, NothingOutsideTheScopeLeavesTheHub) {
  start();
  feed.set({"MeshTimeout"});
  pair.hub.write({of_type("MeshRetry", "canary-name", "canary-mesh")});
  sent.clear();
  pair.pump();
  pair.hub.write({of_type("MeshRetry", "canary-later"), of_type("MeshTimeout", "t3")});
  pair.hub.write({}, {of_type("MeshRetry", "canary-later").key});
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(sent.find("canary"), std::string::npos);
}

/// The same after the zone was away, and far behind: the log tells, not the hot tail.
class ColdViewChanges : public ViewChanges {
 protected:
  ColdViewChanges() : ViewChanges(1) {}
};

TEST_F(ColdViewChanges, AZoneThatWasAwayMovesByChanges) {
  start();
  pair.cut();
  feed.set({"MeshTimeout"});
  pair.hub.write({of_type("MeshRetry", "canary-name", "canary-mesh")});
  pair.hub.write({of_type("MeshTimeout", "new")});
  for (int i = 0; i < 20; ++i) {
    pair.hub.write({}, {of_type("MeshRetry", "r" + std::to_string(i)).key});
  }
  sent.clear();
  pair.connect();
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(pair.zone.sink.intents.back().reason, IntentReason::changes);
  EXPECT_EQ(count("MeshRetry"), 0u);
  EXPECT_EQ(sent.find("canary"), std::string::npos);
  feed.set({});
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(count("MeshRetry"), 21u);
}

// VIEW-05, VIEW-06: which classes the receiver has can not be read from what is trimmed.
TEST_F(ColdViewChanges, AViewThatChangesBehindTheTrimFloorBeginsAnew) {
  start();
  const Revision base = pair.hub.log.state().head;
  for (int i = 0; i < 3; ++i) pair.hub.write({of_type("MeshTimeout", "t1")});
  pair.hub.log.trim(Revision{base.value + 3});
  pair.hub.source.refresh();
  feed.set({"MeshTimeout"});
  pair.pump();
  ASSERT_TRUE(pair.hub.closed);
  EXPECT_EQ(pair.hub.closed->code, close_code::kRestart);
  pair.connect();
  pair.pump();
  EXPECT_EQ(pair.zone.sink.intents.back().why, "view_changed");
  EXPECT_TRUE(pair.converged());
}

// VIEW-06
TEST_F(ViewChanges, AnUnknownOldViewIsAnsweredWithARepair) {
  start();
  pair.cut();
  feed.set({"MeshTimeout"});
  feed.forget();
  pair.connect();
  pair.pump();
  EXPECT_EQ(pair.zone.sink.intents.back().why, "view_changed");
  EXPECT_EQ(pair.zone.sink.intents.back().reason, IntentReason::repair);
  EXPECT_TRUE(pair.converged());
}

// VIEW-06
TEST_F(ViewChanges, AnOldViewBelowTheTrimFloorIsAnsweredWithARepair) {
  start();
  pair.cut();
  feed.set({"MeshTimeout"});
  pair.hub.write({of_type("MeshRetry", "r1")});
  pair.hub.write({of_type("MeshRetry", "r2")});
  pair.hub.log.trim(Revision{22});
  pair.hub.source.refresh();
  pair.connect();
  pair.pump();
  EXPECT_EQ(pair.zone.sink.intents.back().reason, IntentReason::repair);
  EXPECT_TRUE(pair.converged());
}

// VIEW-08
TEST_F(ViewChanges, AZoneThatDoesNotTakeDropIsAskedToConnectAgain) {
  pair.zone.views_feature = false;
  start();
  feed.set({"MeshTimeout"});
  pair.pump();
  ASSERT_TRUE(pair.hub.closed);
  EXPECT_EQ(pair.hub.closed->code, close_code::kRestart);
  pair.connect();
  pair.pump();
  EXPECT_EQ(pair.zone.sink.intents.back().reason, IntentReason::repair);
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(pair.zone.sink.items.size(), 20u);
}

// VIEW-04: a cut to the new view ends at or after the entry that brought it.
TEST_F(ViewChanges, TheCutWaitsForTheEntryThatDecidesTheView) {
  start();
  feed.set({"MeshTimeout"}, {}, pair.hub.source.head().next());
  pair.pump();
  EXPECT_FALSE(at_view());
  pair.hub.write({of_type("MeshRetry", "r1")});
  pair.pump();
  EXPECT_TRUE(at_view());
  EXPECT_TRUE(pair.converged());
}

TEST_F(ViewChanges, AResourceThatMovedBetweenClassesStaysWhereItIs) {
  // Scope labels are no part of the default types; the sync label moves a class just as well.
  feed.set({"MeshTimeout"});
  start();
  Resource home = of_type("MeshRetry", "r1");
  home.labels[std::string(kSyncLabel)] = "disabled";
  pair.hub.write({home});
  pair.hub.write({of_type("MeshRetry", "r1")});
  home.key.name = "r2";
  pair.hub.write({home});
  feed.set({});
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(count("MeshRetry"), 39u);
}

/// Big resources and a small window: changes of the view fall into the middle of a cut.
class ViewsInFlight : public ViewChanges {
 protected:
  void begin_large() {
    pair.hub.features.zstd = pair.hub.features.patch = false;  // big on the wire, too
    pair.zone.window_bytes = 100'000;
    feed.set({"MeshTimeout", "MeshRetry"});
    for (int i = 0; i < 30; ++i) {
      Resource big = of_type("MeshRetry", "r" + std::to_string(i));
      big.spec = "{\"value\":\"" + std::string(30'000, 'x') + "\"}";
      Resource other = of_type("MeshTimeout", "t" + std::to_string(i));
      other.spec = big.spec;
      pair.hub.write({big, other});
    }
  }
};

TEST_F(ViewsInFlight, AtEveryStepOfACutTheViewMayChange) {
  begin_large();
  pair.connect();
  pair.pump();
  ASSERT_TRUE(pair.converged());
  const std::vector<std::set<std::string>> ways = {{"MeshTimeout"}, {"MeshRetry"}, {}, {"Mesh"}};
  int round = 0;
  for (std::size_t step = 1; step < 40; ++step) {
    const std::string value(20'000, static_cast<char>('a' + round % 26));
    for (int i = 0; i < 12; ++i) {
      Resource big = of_type(i % 2 == 0 ? "MeshRetry" : "MeshTimeout", "r" + std::to_string(i));
      big.spec = "{\"value\":\"" + value + "\"}";
      pair.hub.write({big});
    }
    pair.pump(step % 7 + 1);
    feed.set(ways[static_cast<std::size_t>(round++) % ways.size()]);
    pair.pump(step % 5 + 1);
    feed.set(ways[static_cast<std::size_t>(round++ * 3) % ways.size()]);
    if (step % 3 == 0) pair.pump();
    ASSERT_FALSE(pair.zone.closed) << pair.zone.closed->reason;
  }
  feed.set({});
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_EQ(pair.zone.sink.intents.size(), 1u);
  EXPECT_EQ(pair.hub.session->sender()->counters().intents_full, 1u);
}

TEST_F(ViewsInFlight, APartOfWhatLeftIsNotSentOn) {
  pair.zone.window_bytes = 100'000;
  feed.set({"MeshRetry"});
  start();
  Resource huge = of_type("MeshRetry", "huge");
  huge.spec = "{\"value\":\"" + std::string(3'000'000, 'x') + "\"}";
  pair.hub.write({huge});
  pair.pump(3);
  feed.set({"MeshTimeout"});
  sent.clear();
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_LT(sent.size(), 100'000u);
  EXPECT_FALSE(pair.zone.closed);
}

TEST_F(ViewsInFlight, APartOfWhatStaysIsSentToItsEnd) {
  pair.zone.window_bytes = 100'000;
  feed.set({"MeshRetry"});
  start();
  Resource huge = of_type("MeshRetry", "huge");
  huge.spec = "{\"value\":\"" + std::string(3'000'000, 'x') + "\"}";
  pair.hub.write({huge});
  pair.pump(3);
  feed.set({});
  pair.pump();
  EXPECT_TRUE(pair.converged());
  EXPECT_FALSE(pair.zone.closed);
  EXPECT_EQ(pair.zone.sink.items.size(), 61u);
}

TEST_F(ViewsInFlight, ADisconnectAtAnyMessageLosesNothing) {
  begin_large();
  for (int at = 1; at < 25; ++at) {
    feed.set(at % 2 == 0 ? std::set<std::string>{"MeshTimeout"} : std::set<std::string>{});
    if (pair.hub.session) pair.cut();
    pair.connect();
    lose = at;
    pair.pump();
    lose.reset();
    feed.set({"MeshRetry"});
    reconnect();
    ASSERT_TRUE(pair.converged()) << at;
    ASSERT_EQ(pair.zone.sink.items.size(), 30u) << at;
  }
}

// FLOW-34
TEST_F(ViewChanges, ASenderLetsTheReceiverAskForEverythingAgain) {
  start();
  EXPECT_TRUE(pair.hub.session->sender()->ask_resync());
  pair.pump();
  EXPECT_EQ(pair.zone.sink.intents.back().why, "resync");
  EXPECT_EQ(pair.zone.sink.intents.back().reason, IntentReason::full);
  EXPECT_TRUE(pair.converged());
}

// FLOW-33
TEST_F(ViewChanges, WordsOfOtherVersionsAboutASenderAreIgnored) {
  start();
  pair.zone.session->receiver()->on_sender_hold(wire::Hold{"tired", "", false});
  pair.hub.write({of_type("MeshTimeout", "new")});
  pair.pump();
  EXPECT_TRUE(pair.converged());
}

// VIEW-02
TEST(DropRules, AReceiverWhoseViewIsFixedRefusesDrop) {
  class Fixed final : public CutSink {
    [[nodiscard]] std::optional<Cursor> cursor() const override { return std::nullopt; }
    void begin(const wire::Intent&) override {}
    Status stage(StagedChange) override { return {}; }
    void commit(const CutEnd&, CommitToken, CommitDone) override {}
  } fixed;
  EXPECT_EQ(static_cast<CutSink&>(fixed).drop(Class{}).error().code, ErrorCode::protocol);
}

}  // namespace
}  // namespace zonesync

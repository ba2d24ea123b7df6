// A full answer says what is there, not how it came to be (docs/protocol.md FLOW-05): history that
// the log keeps costs a new zone nothing.
#include <gtest/gtest.h>

#include "protocol/core/testing/script.hpp"
#include "protocol/core/testing/scripted_views.hpp"

namespace zonesync::testing {
namespace {

constexpr std::size_t kSmallMessage = 1u << 10;

Resource retry(const std::string& name, const std::string& text = "1s") {
  Resource resource = timeout(name, text);
  resource.key.type = "MeshRetry";
  return resource;
}

std::string name_of(int number) { return "t" + std::to_string(number); }

class FullAnswer : public ::testing::Test {
 protected:
  FullAnswer() { EXPECT_TRUE(pair.hub.log.declare_complete()); }

  /// `count` resources, each written `versions` times, some of them in one transaction.
  void write_history(int count, int versions) {
    for (int version = 0; version < versions; ++version) {
      for (int i = 0; i < count; i += 2) {
        const std::string text = std::to_string(version) + std::string(100, 'x');
        pair.hub.write({timeout(name_of(i), text), timeout(name_of(i + 1), text)});
      }
    }
  }
  void use_small_messages() {
    pair.hub.message_target_bytes = pair.hub.cut_target_bytes = kSmallMessage;
    pair.hub.features.zstd = false;
  }
  [[nodiscard]] const FlowSenderCounters& sent() const {
    return pair.hub.session->sender()->counters();
  }
  void pump_until_sent(std::uint64_t changes) {
    while (pair.hub.session->sender() == nullptr || sent().changes < changes) {
      ASSERT_GT(pair.pump(1), 0u);
    }
  }
  void expect_in_step() {
    EXPECT_TRUE(pair.converged());
    EXPECT_FALSE(pair.zone.closed);
    EXPECT_EQ(pair.zone.session->receiver()->counters().digest_mismatches, 0u);
  }

  SessionPair pair;
};

// FLOW-05
TEST_F(FullAnswer, SendsWhatIsThereAndNotItsHistory) {
  write_history(40, 25);
  for (int i = 0; i < 10; ++i) pair.hub.write({}, {timeout(name_of(i)).key});
  pair.connect();
  pair.pump();
  expect_in_step();
  EXPECT_EQ(pair.zone.sink.items.size(), 30u);
  EXPECT_EQ(sent().changes, 30u) << "neither old versions nor leaves";
}

// FLOW-05: what was sent and leaves before the end of the answer must leave there too.
TEST_F(FullAnswer, ALeaveDuringTheAnswerIsSent) {
  use_small_messages();
  write_history(40, 2);
  pair.connect();
  pump_until_sent(10);
  pair.hub.write({}, {timeout("t0").key, timeout("t1").key});
  pair.pump();
  expect_in_step();
  EXPECT_EQ(pair.zone.sink.items.count(timeout("t0").key), 0u);
}

// FLOW-05, STG-02: what an earlier attempt brought leaves with the rest of the answer.
TEST_F(FullAnswer, ALeaveBetweenTwoAttemptsIsSent) {
  pair.zone.sink.keeps_staged = true;
  use_small_messages();
  write_history(40, 1);
  pair.connect();
  pump_until_sent(10);
  pair.cut();
  pair.hub.write({}, {timeout("t0").key, timeout("t1").key});
  pair.connect();
  pair.pump();
  EXPECT_EQ(sent().resumes, 1u);
  expect_in_step();
  EXPECT_EQ(pair.zone.sink.items.count(timeout("t0").key), 0u);
}

// FLOW-05, FLOW-12: an entry is left out because of one that came after the Intent: the cut must
// not end before that one.
TEST_F(FullAnswer, WhatTookThePlaceOfALeftOutEntryIsInTheCut) {
  use_small_messages();
  write_history(40, 1);
  pair.connect();
  pump_until_sent(10);
  pair.hub.write({retry("between", std::string(2 * kSmallMessage, 'y'))});
  for (int i = 20; i < 40; ++i) {
    pair.hub.write({timeout(name_of(i), std::string(kSmallMessage, 'z'))});
  }
  pair.pump();
  expect_in_step();
  EXPECT_LE(sent().changes, 20u + 1 + 20);
}

// FLOW-06: a resource that moved to another class is one resource.
TEST_F(FullAnswer, AMovedResourceIsSentOnce) {
  Resource home = timeout("mover");
  home.labels[std::string(kSyncLabel)] = "disabled";
  for (int i = 0; i < 10; ++i) {
    pair.hub.write({timeout("mover", std::to_string(i))});
    pair.hub.write({home});
  }
  pair.hub.write({timeout("mover", "last")});
  pair.connect();
  pair.pump();
  expect_in_step();
  EXPECT_EQ(pair.zone.sink.items.size(), 1u);
  EXPECT_EQ(sent().changes, 1u);
}

// VIEW-03: what enters a view is a first sync of that class.
TEST_F(FullAnswer, AClassThatEntersComesWithoutItsHistory) {
  ScriptedViews views(pair.registry);
  views.set({"MeshTimeout"});
  pair.hub.views = &views;
  for (int version = 0; version < 30; ++version) {
    pair.hub.write({retry("a", std::to_string(version)), retry("b", std::to_string(version))});
  }
  pair.hub.write({timeout("t0")});
  pair.connect();
  pair.pump();
  const std::uint64_t before = sent().changes;
  views.set({"MeshTimeout", "MeshRetry"});
  pair.hub.write({timeout("t1")});
  pair.pump();
  expect_in_step();
  EXPECT_EQ(pair.zone.sink.items.size(), 4u);
  EXPECT_EQ(sent().changes - before, 3u);
}

// STG-03: something of the place's revision was left out, or would be now: sent again as a whole.
TEST_F(FullAnswer, APlaceInsideARevisionWithLeftOutEntriesBeginsItAnew) {
  pair.zone.sink.keeps_staged = true;
  use_small_messages();
  std::vector<Resource> many;
  for (int i = 0; i < 60; ++i) many.push_back(timeout(name_of(i), std::string(100, 'x')));
  const Revision whole = pair.hub.write(many);
  pair.connect();
  pump_until_sent(20);
  pair.cut();
  ASSERT_TRUE(pair.zone.sink.staged());
  ASSERT_EQ(pair.zone.sink.staged()->at.revision, whole);
  ASSERT_GT(pair.zone.sink.staged()->changes, 10u);
  pair.hub.write({timeout("t3", "new"), timeout("t50", "new")});
  pair.connect();
  pair.pump();
  EXPECT_EQ(sent().resumes, 1u);
  EXPECT_EQ(sent().changes, 60u) << "58 of the revision, 2 of the next";
  expect_in_step();
}

// The same without anything left out: the count is good, nothing comes twice.
TEST_F(FullAnswer, APlaceInsideARevisionThatIsWholeGoesOnThere) {
  pair.zone.sink.keeps_staged = true;
  use_small_messages();
  std::vector<Resource> many;
  for (int i = 0; i < 60; ++i) many.push_back(timeout(name_of(i), std::string(100, 'x')));
  pair.hub.write(many);
  pair.connect();
  pump_until_sent(20);
  pair.cut();
  const std::uint64_t staged = pair.zone.sink.staged()->changes;
  pair.hub.write({timeout("t50", "new")});
  pair.connect();
  pair.pump();
  EXPECT_EQ(sent().changes, 60u - staged) << "without t50 of then, with t50 of now";
  expect_in_step();
}

// STG-02, STG-03: a first sync of a log with history, a failure at every single message.
TEST(FullAnswerScript, InterruptedAnywhere) {
  const Script script{
      "full answer of a log with history",
      [](SessionPair& pair) {
        EXPECT_TRUE(pair.hub.log.declare_complete());
        pair.hub.message_target_bytes = pair.hub.cut_target_bytes = kSmallMessage;
        pair.hub.features.zstd = false;
        pair.zone.sink.keeps_staged = true;
        for (int version = 0; version < 3; ++version) {
          std::vector<Resource> many;
          for (int i = 0; i < 24; ++i) many.push_back(timeout(name_of(i), std::to_string(version)));
          pair.hub.write(many);
          pair.hub.write({retry("r" + std::to_string(version))}, {timeout(name_of(version)).key});
        }
      },
      {{"a leave and a new version",
        [](SessionPair& pair) {
          pair.hub.write({timeout("t9", "new")}, {timeout("t20").key});
        }},
       {"a new zone",
        [](SessionPair& pair) {
          pair.cut();
          pair.zone.sink.durable_cursor.reset();
          pair.zone.sink.items.clear();
          pair.hub.write({timeout("t10", "new")}, {retry("r1").key});
        }}}};
  std::size_t runs = 0;
  for (const std::string& wrong : play_with_faults(script, &runs)) ADD_FAILURE() << wrong;
  EXPECT_GT(runs, 40u);
}

}  // namespace
}  // namespace zonesync::testing

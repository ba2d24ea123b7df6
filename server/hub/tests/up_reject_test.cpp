// What the hub refuses of a zone: alone, stored, and cleared (P4).
#include <gtest/gtest.h>

#include "protocol/wire/codec.hpp"
#include "server/hub/testing/up_feed.hpp"

namespace zonesync::hub {
namespace {

using testing::dataplane;
using testing::HubHarness;
using testing::UpFeed;
using Names = std::vector<std::string>;

Resource unknown_type(const std::string& name, const std::string& text = "x") {
  Resource resource = dataplane("east", name, text);
  resource.key.type = "NoSuchType";
  return resource;
}

/// Refused for its content: it says it comes from somewhere else.
Resource contradicting(const std::string& name, const std::string& text = "x") {
  Resource resource = dataplane("east", name, text);
  resource.labels[std::string(kZoneLabel)] = "west";
  return resource;
}

class UpReject : public ::testing::Test {
 protected:
  UpReject() : east(hub, "east") {
    const auto first = east.full_now();
    EXPECT_TRUE(first.has_value());
  }
  std::vector<RejectRecord> rejects() const { return hub.status("east").rejects; }
  std::size_t stored() const { return hub.live_system(kOfferType).size(); }

  HubHarness hub;
  UpFeed east;
};

TEST_F(UpReject, OneBadResourceIsRefusedAlone) {
  east.put(dataplane("east", "a"));
  east.put(contradicting("bad"));
  east.put(dataplane("east", "b"));
  const auto result = east.changes_now();
  ASSERT_TRUE(result) << "the digest over what was offered agrees";
  EXPECT_EQ(hub.names("east"), (Names{"a", "b"}));
  ASSERT_EQ(result->verdicts.size(), 1u);
  EXPECT_EQ(result->verdicts[0].key, contradicting("bad").key);
  EXPECT_FALSE(result->verdicts[0].accepted);
  EXPECT_FALSE(result->verdicts[0].reject.text.empty());
  ASSERT_EQ(rejects().size(), 1u);
  EXPECT_FALSE(rejects()[0].down);
  EXPECT_EQ(rejects()[0].key.name, "bad");
  EXPECT_EQ(stored(), 1u);
  EXPECT_EQ(hub.status("east").up_cursor, east.head()) << "nothing after it waits";
  EXPECT_EQ(hub.core->counters().up_rejects, 1u);
}

TEST_F(UpReject, TheLastAcceptedVersionStays) {
  east.put(dataplane("east", "a", "good"));
  ASSERT_TRUE(east.changes_now());
  const auto good = hub.log.latest(dataplane("east", "a").key);
  east.put(contradicting("a"));
  ASSERT_TRUE(east.changes_now());
  EXPECT_EQ((*hub.log.latest(dataplane("east", "a").key))->hash, (*good)->hash);
  EXPECT_EQ(stored(), 1u);
}

TEST_F(UpReject, ACorrectedVersionClearsIt) {
  east.put(contradicting("a"));
  ASSERT_TRUE(east.changes_now());
  east.put(dataplane("east", "a", "fixed"));
  ASSERT_TRUE(east.changes_now()) << "digest agrees after the correction";
  EXPECT_EQ(hub.names("east"), Names{"a"});
  EXPECT_EQ(stored(), 0u);
  EXPECT_TRUE(rejects().empty());
}

TEST_F(UpReject, GoingBackToTheAcceptedVersionClearsIt) {
  east.put(dataplane("east", "a"));
  ASSERT_TRUE(east.changes_now());
  east.put(contradicting("a"));
  ASSERT_TRUE(east.changes_now());
  const std::size_t logged = hub.logged_changes();
  east.put(dataplane("east", "a"));
  ASSERT_TRUE(east.changes_now());
  EXPECT_EQ(hub.logged_changes(), logged) << "the log had it all the time";
  EXPECT_EQ(stored(), 0u);
}

// FLOW-26: and the zone is told so.
TEST_F(UpReject, ALeaveClearsIt) {
  east.put(dataplane("east", "kept"));
  east.put(contradicting("a"));
  ASSERT_TRUE(east.changes_now());
  east.remove(contradicting("a").key);
  const auto result = east.changes_now();
  ASSERT_TRUE(result) << "digest agrees after the leave";
  ASSERT_EQ(result->verdicts.size(), 1u);
  EXPECT_TRUE(result->verdicts[0].accepted);
  EXPECT_EQ(stored(), 0u);
  EXPECT_TRUE(rejects().empty());
  EXPECT_EQ(hub.names("east"), Names{"kept"});
}

TEST_F(UpReject, ALeaveRemovesTheAcceptedVersionToo) {
  east.put(dataplane("east", "a"));
  ASSERT_TRUE(east.changes_now());
  east.put(contradicting("a"));
  ASSERT_TRUE(east.changes_now());
  east.remove(contradicting("a").key);
  ASSERT_TRUE(east.changes_now());
  EXPECT_TRUE(hub.names("east").empty());
  EXPECT_EQ(stored(), 0u);
}

TEST_F(UpReject, SurvivesARestartAndTheDigestStillAgrees) {
  east.put(dataplane("east", "a"));
  east.put(contradicting("bad"));
  ASSERT_TRUE(east.changes_now());
  east.put(contradicting("a"));
  ASSERT_TRUE(east.changes_now());
  hub.restart();
  ASSERT_TRUE(east.reconnect());
  const auto idle = east.idle();
  ASSERT_TRUE(*idle && **idle);
  EXPECT_EQ(rejects().size(), 2u);
  EXPECT_EQ(hub.status("east").rejects_total, 2u);
  east.put(dataplane("east", "bad"));
  ASSERT_TRUE(east.changes_now());
  EXPECT_EQ(rejects().size(), 1u);
}

TEST_F(UpReject, SayingTheSameAgainLogsItOnce) {
  east.put(contradicting("bad"));
  ASSERT_TRUE(east.changes_now());
  const Revision head = hub.log.state().head;
  const auto again = east.full_now();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->verdicts.size(), 1u) << "the zone hears it again";
  EXPECT_EQ(hub.log.state().head, head);
}

TEST_F(UpReject, AnUnregisteredTypeMayWork) {
  east.put(unknown_type("a"));
  const auto result = east.changes_now();
  ASSERT_TRUE(result);
  ASSERT_EQ(result->verdicts.size(), 1u);
  EXPECT_EQ(result->verdicts[0].reject.code, "not_found");
  EXPECT_TRUE(result->verdicts[0].reject.retryable);
}

TEST_F(UpReject, ATypeThatGlobalProvidesIsRefused) {
  Resource mesh = dataplane("east", "m");
  mesh.key.type = "Mesh";
  mesh.key.mesh = "";
  east.put(mesh);
  const auto result = east.changes_now();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->verdicts.size(), 1u);
  EXPECT_TRUE(hub.names("east").empty());
}

TEST_F(UpReject, AClassThatIsNotTheResourcesOwnIsRefused) {
  east.put_as(Class{"Dataplane", "default", "east", "elsewhere"}, dataplane("east", "a"));
  const auto result = east.changes_now();
  ASSERT_TRUE(result);
  ASSERT_EQ(result->verdicts.size(), 1u);
  EXPECT_EQ(result->verdicts[0].reject.code, "invalid");
}

TEST_F(UpReject, AZoneCannotWriteAnothersOrigin) {
  UpFeed west(hub, "west");
  west.put(dataplane("west", "a", "true"));
  ASSERT_TRUE(west.full_now());
  east.put(dataplane("west", "a", "forged"));
  east.put(dataplane("west", "new", "forged"));
  const auto result = east.changes_now();
  ASSERT_TRUE(result);
  ASSERT_EQ(result->verdicts.size(), 2u);
  EXPECT_EQ(result->verdicts[0].reject.code, "forbidden");
  EXPECT_EQ(hub.names("west"), Names{"a"});
  EXPECT_EQ(hub.log.history(dataplane("west", "a").key, 10)->size(), 1u);
  EXPECT_EQ(hub.status("west").rejects_total, 0u);
  const auto idle = west.idle();
  EXPECT_TRUE(*idle && **idle) << "west's digest is untouched";
}

TEST_F(UpReject, AZoneCannotWriteOriginGlobal) {
  Resource forged = dataplane("global", "a");
  east.put(forged);
  const auto result = east.changes_now();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->verdicts.size(), 1u);
  EXPECT_TRUE(hub.names("global").empty());
}

TEST_F(UpReject, ALeaveOfAnothersKeyIsAProtocolError) {
  const ResourceKey key = dataplane("west", "a").key;
  const Class cls{"Dataplane", "default", "west", ""};
  const Status staged = east.sink->stage({Revision{9}, wire::make_leave(cls, key)});
  ASSERT_FALSE(staged);
  EXPECT_EQ(staged.error().code, ErrorCode::protocol);
}

// FLOW-26
TEST_F(UpReject, ACompleteLogThatNoLongerNamesItClearsIt) {
  east.put(dataplane("east", "a"));
  ASSERT_TRUE(east.changes_now());
  east.put(contradicting("a"));
  east.put(contradicting("b"));
  ASSERT_TRUE(east.changes_now());
  EXPECT_EQ(stored(), 2u);
  east.new_log(true);
  ASSERT_TRUE(east.reconnect());
  const auto result = east.full_now();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->verdicts.size(), 2u) << "both are withdrawn";
  for (const Verdict& each : result->verdicts) EXPECT_TRUE(each.accepted);
  EXPECT_EQ(stored(), 0u);
  EXPECT_TRUE(hub.names("east").empty());
}

}  // namespace
}  // namespace zonesync::hub

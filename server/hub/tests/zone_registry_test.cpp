// Which zones exist, which instance may speak, deletion.
#include <gtest/gtest.h>

#include "server/hub/testing/up_feed.hpp"

namespace zonesync::hub {
namespace {

using testing::dataplane;
using testing::HubHarness;
using testing::instance;
using testing::UpFeed;
using Names = std::vector<std::string>;

Status deleted(HubHarness& hub, const std::string& zone, bool force = false) {
  Status status = fail(ErrorCode::internal, "not answered");
  hub.zones->delete_zone(zone, force, [&](const Status& result) { status = result; });
  hub.core->pump();
  return status;
}

Status registered(HubHarness& hub, const std::string& zone) {
  Status status = fail(ErrorCode::internal, "not answered");
  hub.zones->register_zone(zone, hub.now_ms, [&](const Status& result) { status = result; });
  hub.core->pump();
  return status;
}

TEST(Admission, FirstContactRegistersTheZone) {
  HubHarness hub;
  const auto admitted = hub.admit(hub.hello("east", instance(1)));
  ASSERT_TRUE(admitted);
  EXPECT_TRUE(admitted->registered);
  EXPECT_EQ(admitted->generation, Generation{1});
  EXPECT_FALSE(admitted->up_cursor);
  EXPECT_FALSE(admitted->replaced);
  const ZoneStatus status = hub.status("east");
  EXPECT_TRUE(status.connected);
  EXPECT_EQ(status.software, "test/1");
  EXPECT_EQ(status.first_seen_ms, hub.now_ms);
}

TEST(Admission, WithoutAutoRegistrationAnUnknownZoneIsRefused) {
  HubHarness hub;
  hub.auto_register = false;
  hub.restart();
  EXPECT_EQ(hub.admit(hub.hello("east", instance(1))).error().code,
            close_code::kZoneNotAllowed);
  ASSERT_TRUE(registered(hub, "east"));
  EXPECT_TRUE(hub.admit(hub.hello("east", instance(1))));
}

TEST(Admission, TheIdentityIsTheCredentialsNotTheHellos) {
  HubHarness hub;
  const auto refused = hub.admit(hub.hello("west", instance(1)), "east");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, close_code::kZoneNotAllowed);
  EXPECT_EQ(hub.zones->find("west"), nullptr);
  EXPECT_EQ(hub.zones->find("east"), nullptr);
}

TEST(Admission, OtherProtocolVersionsAreRefused) {
  HubHarness hub;
  wire::Hello newer = hub.hello("east", instance(1));
  newer.version_min = 3;
  newer.version_max = 4;
  EXPECT_EQ(hub.admit(newer).error().code, close_code::kVersion);
  wire::Hello older = hub.hello("east", instance(1));
  older.version_min = older.version_max = 1;
  EXPECT_EQ(hub.admit(older).error().code, close_code::kVersion);
  wire::Hello wide = hub.hello("east", instance(1));
  wide.version_min = 1;
  wide.version_max = 9;
  EXPECT_TRUE(hub.admit(wide));
}

TEST(Admission, TheSameInstanceReplacesItsOwnSessionAtOnce) {
  HubHarness hub;
  ASSERT_TRUE(hub.admit(hub.hello("east", instance(1))));
  const SessionId first = hub.last_session();
  const Revision head = hub.log.state().head;
  const auto again = hub.admit(hub.hello("east", instance(1)));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->generation, Generation{1});
  EXPECT_EQ(again->replaced, first);
  ASSERT_EQ(hub.closed.size(), 1u);
  EXPECT_EQ(hub.closed[0].first, first);
  EXPECT_EQ(hub.log.state().head, head) << "a reconnect writes nothing";
  hub.close("east", first);
  EXPECT_EQ(hub.zones->session_of("east"), hub.last_session()) << "the late end of the old one";
  EXPECT_TRUE(hub.status("east").connected);
}

TEST(Admission, TheGenerationIsDurableBeforeTheWelcome) {
  MemoryChangeLogOptions options;
  options.manual_sync = true;
  HubHarness hub(options);
  ASSERT_TRUE(hub.admit(hub.hello("east", instance(1))));
  AdmitRequest request;
  request.hello = hub.hello("east", instance(2));
  request.identity = "east";
  request.session = SessionId{50};
  std::optional<Generation> welcomed;
  hub.zones->admit(request, [&](auto result) { welcomed = result->generation; });
  hub.core->pump();
  EXPECT_FALSE(welcomed);
  EXPECT_TRUE(hub.closed.empty()) << "the old one is told when the new one is durable";
  hub.log.sync();
  EXPECT_EQ(welcomed, Generation{2});
  EXPECT_EQ(hub.closed.size(), 1u);
  hub.restart();
  EXPECT_EQ(hub.zones->find("east")->generation, Generation{2});
}

TEST(Admission, ARetiredInstanceNeverComesBack) {
  HubHarness hub;
  ASSERT_TRUE(hub.admit(hub.hello("east", instance(1))));
  ASSERT_TRUE(hub.admit(hub.hello("east", instance(2))));
  EXPECT_EQ(hub.admit(hub.hello("east", instance(1))).error().code, close_code::kSuperseded);
  hub.restart();
  EXPECT_EQ(hub.admit(hub.hello("east", instance(1))).error().code, close_code::kSuperseded);
  EXPECT_TRUE(hub.admit(hub.hello("east", instance(2))));
}

TEST(Admission, OfTwoInTheQueueTheLaterWins) {
  HubHarness hub;
  std::vector<bool> admitted;
  for (std::uint8_t number = 1; number <= 2; ++number) {
    AdmitRequest request;
    request.hello = hub.hello("east", instance(number));
    request.identity = "east";
    request.session = SessionId{number};
    hub.zones->admit(request, [&](auto result) { admitted.push_back(result.has_value()); });
  }
  hub.core->pump();
  EXPECT_EQ(admitted, (std::vector<bool>{false, true}));
  EXPECT_EQ(hub.zones->session_of("east"), SessionId{2});
}

TEST(Admission, ManyTakeoversOfALiveSessionLookLikeTwoAgents) {
  HubHarness hub;
  ASSERT_TRUE(hub.admit(hub.hello("east", instance(1))));
  for (std::uint8_t number = 2; number <= 4; ++number) {
    ASSERT_TRUE(hub.admit(hub.hello("east", instance(number)))) << int(number);
  }
  const SessionId current = hub.last_session();
  const auto refused = hub.admit(hub.hello("east", instance(5)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, close_code::kRateLimited);
  EXPECT_EQ(refused.error().retry_after, limits::kDuplicateZoneWait);
  EXPECT_EQ(hub.duplicates, Names{"east"});
  EXPECT_EQ(hub.zones->session_of("east"), current) << "the current one stays";
  EXPECT_EQ(hub.closed.size(), 3u);
  EXPECT_TRUE(hub.admit(hub.hello("east", instance(4)))) << "its own reconnect is no takeover";
  hub.now += limits::kDuplicateZoneWindow + std::chrono::seconds(1);
  EXPECT_TRUE(hub.admit(hub.hello("east", instance(5))));
}

TEST(Admission, AnAgentThatCrashesAndReturnsIsNoDuplicate) {
  HubHarness hub;
  for (std::uint8_t number = 1; number <= 9; ++number) {
    ASSERT_TRUE(hub.admit(hub.hello("east", instance(number))));
    hub.close("east", hub.last_session());
  }
  EXPECT_TRUE(hub.duplicates.empty());
}

TEST(Admission, AFullDiskLeavesTheCurrentSessionInPlace) {
  HubHarness hub;
  UpFeed east(hub, "east");
  ASSERT_TRUE(east.full_now());
  const auto current = hub.zones->session_of("east");
  hub.log.fail_next(Error{ErrorCode::resource_exhausted, "disk full", ""});
  ASSERT_FALSE(hub.admit(hub.hello("east", instance(2))));
  EXPECT_EQ(hub.zones->session_of("east"), current);
  EXPECT_TRUE(hub.closed.empty());
  east.put(dataplane("east", "a"));
  EXPECT_TRUE(east.changes_now()) << "the newcomer was refused, so the current one may go on";
}

TEST(Registration, Errors) {
  HubHarness hub;
  EXPECT_TRUE(registered(hub, "east"));
  EXPECT_EQ(registered(hub, "east").error().code, ErrorCode::conflict);
  EXPECT_EQ(registered(hub, "Not A Name").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(registered(hub, "global").error().code, ErrorCode::invalid_argument);
  hub.restart();
  EXPECT_NE(hub.zones->find("east"), nullptr);
  EXPECT_EQ(hub.status("east").first_seen_ms, 0);
}

// -- deletion -------------------------------------------------------------------------------------

void fill(UpFeed& feed, const std::string& zone, int count) {
  for (int at = 0; at < count; ++at) {
    feed.put(dataplane(zone, "n" + std::to_string(at)));
    Resource insight = dataplane(zone, "n" + std::to_string(at));
    insight.key.type = "DataplaneInsight";
    feed.put(insight);
  }
}

TEST(Deletion, GoesInBoundedTransactionsDependantsFirst) {
  HubHarness hub;  // ten resources a step
  UpFeed east(hub, "east");
  UpFeed west(hub, "west");
  fill(east, "east", 15);
  fill(west, "west", 2);
  ASSERT_TRUE(east.full_now());
  ASSERT_TRUE(west.full_now());
  hub.close("east", *hub.zones->session_of("east"));
  const std::size_t before = hub.segments.size();
  ASSERT_TRUE(deleted(hub, "east"));
  bool dataplanes_began = false;
  for (std::size_t at = before; at < hub.segments.size(); ++at) {
    for (const auto& transaction : hub.segments[at].transactions) {
      EXPECT_LE(transaction.changes.size(), 10u);
      for (const auto& change : transaction.changes) {
        if (change.key.type == "Dataplane") dataplanes_began = true;
        if (change.key.type == "DataplaneInsight") {
          EXPECT_FALSE(dataplanes_began);
        }
      }
    }
  }
  EXPECT_GE(hub.segments.size() - before, 4u);
  EXPECT_TRUE(hub.names("east").empty());
  EXPECT_EQ(hub.names("west").size(), 4u);
  EXPECT_EQ(hub.zones->find("east"), nullptr);
  EXPECT_FALSE(hub.table->snapshot_of("east", hub.source->head(), 0));
  EXPECT_EQ(hub.live_system(kUpCursorType).size(), 1u) << "only west's";
  EXPECT_EQ(hub.live_system(kZoneType).size(), 1u);
}

TEST(Deletion, ErrorsAndForce) {
  HubHarness hub;
  EXPECT_EQ(deleted(hub, "east").error().code, ErrorCode::not_found);
  UpFeed east(hub, "east");
  ASSERT_TRUE(east.full_now());
  EXPECT_EQ(deleted(hub, "east").error().code, ErrorCode::conflict);
  EXPECT_TRUE(deleted(hub, "east", true));
  ASSERT_EQ(hub.closed.size(), 1u);
  EXPECT_EQ(hub.closed[0].second, close_code::kZoneNotAllowed);
  east.put(dataplane("east", "late"));
  EXPECT_FALSE(east.changes_now()) << "the closed session cannot bring anything back";
  EXPECT_TRUE(hub.names("east").empty());
}

TEST(Deletion, TakesRejectsAlong) {
  HubHarness hub;
  UpFeed east(hub, "east");
  for (int at = 0; at < 25; ++at) {
    Resource bad = dataplane("east", "bad" + std::to_string(at));
    bad.labels[std::string(kZoneLabel)] = "west";
    east.put(bad);
  }
  ASSERT_TRUE(east.full_now());
  EXPECT_EQ(hub.live_system(kOfferType).size(), 25u);
  ASSERT_TRUE(deleted(hub, "east", true));
  EXPECT_TRUE(hub.live_system(kOfferType).empty());
}

TEST(Deletion, ADeletedZoneMayComeBackEmpty) {
  HubHarness hub;
  UpFeed east(hub, "east");
  fill(east, "east", 3);
  ASSERT_TRUE(east.full_now());
  ASSERT_TRUE(deleted(hub, "east", true));
  const auto admitted = east.reconnect();
  ASSERT_TRUE(admitted);
  EXPECT_FALSE(admitted->up_cursor) << "it has to publish everything again";
  ASSERT_TRUE(east.full_now());
  EXPECT_EQ(hub.names("east").size(), 6u);
}

TEST(Deletion, ContinuesAfterARestart) {
  MemoryChangeLogOptions options;
  options.manual_sync = true;
  HubHarness hub(options);
  UpFeed east(hub, "east");
  fill(east, "east", 15);
  const auto cut = east.full();
  hub.log.sync();
  ASSERT_TRUE(*cut && **cut);
  bool answered = false;
  hub.zones->delete_zone("east", true, [&](const Status&) { answered = true; });
  hub.core->pump();
  hub.log.crash(1);  // the intention is durable, nothing else
  hub.restart();
  EXPECT_FALSE(hub.admit(hub.hello("east", instance(1)))) << "being deleted";
  hub.log.sync();
  EXPECT_TRUE(hub.names("east").empty());
  EXPECT_EQ(hub.zones->find("east"), nullptr);
  EXPECT_FALSE(answered);
}

TEST(Deletion, AFullDiskInTheMiddleCanBeAskedAgain) {
  HubHarness hub;
  UpFeed east(hub, "east");
  fill(east, "east", 15);
  ASSERT_TRUE(east.full_now());
  std::size_t steps = 0;
  hub.zones->delete_zone("east", true, [&](const Status& status) {
    EXPECT_EQ(status.error().code, ErrorCode::resource_exhausted);
    ++steps;
  });
  hub.on_committed = [&] {
    if (hub.segments.size() >= 2 && steps == 0) {
      hub.log.fail_next(Error{ErrorCode::resource_exhausted, "disk full", ""});
    }
  };
  hub.core->pump();
  hub.on_committed = nullptr;
  ASSERT_EQ(steps, 1u);
  EXPECT_FALSE(hub.names("east").empty());
  EXPECT_TRUE(deleted(hub, "east", true));
  EXPECT_TRUE(hub.names("east").empty());
}

TEST(Deletion, ASecondRequestWhileOneRunsIsAConflict) {
  MemoryChangeLogOptions options;
  options.manual_sync = true;
  HubHarness hub(options);
  ASSERT_TRUE(hub.admit(hub.hello("east", instance(1))));
  bool done = false;
  hub.zones->delete_zone("east", true, [&](const Status&) { done = true; });
  hub.core->pump();
  EXPECT_EQ(deleted(hub, "east", true).error().code, ErrorCode::conflict);
  hub.log.sync();
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace zonesync::hub

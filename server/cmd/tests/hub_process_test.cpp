#include <random>

#include "protocol/transport/testing/fault_proxy.hpp"
#include "server/cmd/tests/process_fixture.hpp"

namespace zonesync {
namespace {

using testing::eventually;
using testing::kDeadline;
using testing::policy;
using testing::ProcessFixture;
using testing::zone_ingress;

class HubProcessTest : public ProcessFixture {
 protected:
  bool has(const client::Client& client, const ResourceKey& key) {
    return client.snapshot().get(key).has_value();
  }
  bool hub_has(const ResourceKey& key) {
    const auto latest = hub->log().latest(key);
    return latest && *latest && (*latest)->kind == ChangeKind::upsert;
  }
};

TEST_F(HubProcessTest, AWriteReachesTheZones) {
  const auto east = start_client("east");
  const auto west = start_client("west");
  const auto written = write(policy("a"));
  ASSERT_TRUE(written) << describe(written.error());
  EXPECT_TRUE(east->wait_revision(written->revision, deadline()));
  EXPECT_TRUE(west->wait_revision(written->revision, deadline()));
  EXPECT_TRUE(has(*east, policy("a").key));
  EXPECT_TRUE(has(*west, policy("a").key));
}

TEST_F(HubProcessTest, WhatAZonePublishesReachesTheOthersAndNeverReturns) {
  const auto east = start_client("east");
  const auto west = start_client("west");
  const Resource ingress = zone_ingress("east", "in");
  ASSERT_TRUE(east->publish(ingress));
  const auto barrier = east->sync_barrier(deadline());
  ASSERT_TRUE(barrier) << describe(barrier.error());
  EXPECT_TRUE(hub_has(ingress.key));
  EXPECT_TRUE(west->wait_revision(*barrier, deadline()));
  EXPECT_TRUE(has(*west, ingress.key));
  EXPECT_FALSE(has(*east, ingress.key));
  ASSERT_TRUE(east->remove(ingress.key));
  const auto removed = east->sync_barrier(deadline());
  ASSERT_TRUE(removed);
  EXPECT_FALSE(hub_has(ingress.key));
  EXPECT_TRUE(west->wait_revision(*removed, deadline()));
  EXPECT_FALSE(has(*west, ingress.key));
}

TEST_F(HubProcessTest, StatusShowsProgressAndConvergence) {
  const auto east = start_client("east");
  const auto written = write(policy("a"));
  ASSERT_TRUE(written);
  ASSERT_TRUE(eventually([&] {
    const auto status = hub->zone("east");
    return status && status->connected && status->converged == hub::Convergence::yes;
  }));
  const auto status = *hub->zone("east");
  EXPECT_EQ(status.lag_revisions, 0u);
  EXPECT_GT(status.counters.bytes_tx, 0u);
  EXPECT_EQ(status.generation, Generation{1});
}

TEST_F(HubProcessTest, WaitRevisionAnswersWhenTheZonesAreThere) {
  const auto east = start_client("east");
  ASSERT_TRUE(eventually([&] { return hub->zone("east").has_value(); }));
  const auto written = write(policy("a"));
  const auto result = await<hub::WaitResult>([&](auto done) {
    hub->wait_revision({"east"}, written->revision, kDeadline,
                       [done](hub::WaitResult wait) { done(std::move(wait)); });
  });
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->reached);
  const auto late = await<hub::WaitResult>([&](auto done) {
    hub->wait_revision({"nowhere"}, written->revision, std::chrono::milliseconds(1),
                       [done](hub::WaitResult wait) { done(std::move(wait)); });
  });
  EXPECT_FALSE(late->reached);
  EXPECT_EQ(late->missing_zones, std::vector<std::string>{"nowhere"});
}

TEST_F(HubProcessTest, AWrongTokenIsRefusedWithAnEvent) {
  auto config = client_config("east");
  config.token[config.token.size() - 5] ^= 1;
  const auto east = start_client(config);
  ASSERT_TRUE(eventually([&] { return log->count("sync.upgrade.refused") > 0; }));
  EXPECT_FALSE(hub->zone("east").has_value());
}

TEST_F(HubProcessTest, ATokenOfAnotherZoneIsRefused) {
  auto config = client_config("east");
  config.token = token("west").token;
  const auto east = start_client(config);
  ASSERT_TRUE(eventually([&] { return log->count("sync.zone.not_allowed") > 0; }));
  EXPECT_GE(hub->counters().sessions_refused, 1u);
  EXPECT_FALSE(hub->zone("east").has_value());
  EXPECT_FALSE(hub->zone("west").has_value());
}

TEST_F(HubProcessTest, ANewInstanceRetiresTheOldOne) {
  const auto first = start_client("east");
  ASSERT_TRUE(eventually([&] { return first->status().connected; }))
      << first->status().last_error.value_or(client::LastError{}).message;
  const auto second = start_client("east");
  ASSERT_TRUE(eventually([&] { return first->status().state == client::State::superseded; }));
  ASSERT_TRUE(eventually([&] { return second->status().connected; }));
  EXPECT_EQ(hub->zone("east")->generation, Generation{2});
}

TEST_F(HubProcessTest, ARevokedTokenEndsTheSession) {
  auto config = client_config("east");
  const auto issued = token("east");
  config.token = issued.token;
  const auto east = start_client(config);
  ASSERT_TRUE(eventually([&] { return east->status().connected; }));
  const auto file = init_.zone_keys_dir / auth::kRevocationFile;
  ASSERT_TRUE(auth::RevocationList::append(file, issued.jti));
  EXPECT_TRUE(eventually([&] { return log->count("sync.credential_ended") > 0; }));
  EXPECT_TRUE(eventually([&] { return !hub->zone("east")->connected; }));
}

TEST_F(HubProcessTest, ARestartResumesByCursorAndKeepsEverything) {
  const auto east = start_client("east");
  for (int at = 0; at < 20; ++at) ASSERT_TRUE(write(policy("p" + std::to_string(at))));
  ASSERT_TRUE(east->publish(zone_ingress("east", "in")));
  ASSERT_TRUE(east->sync_barrier(deadline()));
  const auto before = east->status().counters;
  stop_hub();
  start_hub();
  ASSERT_TRUE(eventually([&] { return east->status().connected; }));
  const auto barrier = east->sync_barrier(deadline());
  ASSERT_TRUE(barrier);
  const auto after = east->status().counters;
  EXPECT_EQ(after.changes_received, before.changes_received);
  EXPECT_EQ(after.intents_full, before.intents_full);
  EXPECT_EQ(hub->zone("east")->up_resources, 1u);
}

// STG-03, P9: an interrupted first sync goes on, and the hub shows that it did.
TEST_F(HubProcessTest, AnInterruptedFirstSyncGoesOnAndIsCounted) {
  std::minstd_rand random(7);
  Revision head;
  for (int at = 0; at < 40; ++at) {
    std::string text;
    while (text.size() < 100'000) text += static_cast<char>('a' + random() % 26);
    const auto written = write(policy("p" + std::to_string(at), text));
    ASSERT_TRUE(written);
    head = written->revision;
  }
  auto proxy = FaultProxy::start("127.0.0.1", port_);
  ASSERT_TRUE(proxy);
  (*proxy)->reset_after(ProxyDirection::to_client, 1'500'000);
  auto config = client_config("east");
  config.hub_url = "wss://127.0.0.1:" + std::to_string((*proxy)->port()) + "/sync";
  const auto east = start_client(config);
  ASSERT_TRUE(east->wait_revision(head, deadline()));
  EXPECT_EQ(east->status().counters.resumes, 1u);
  EXPECT_EQ(east->status().counters.changes_received, 40u) << "nothing is sent twice";
  ASSERT_TRUE(eventually([&] { return hub->zone("east")->counters.cuts_resumed == 1; }));
  EXPECT_EQ(hub->zone("east")->counters.intents_full, 2u);
}

TEST_F(HubProcessTest, DeletingAZoneRemovesWhatItPublished) {
  auto east = start_client("east");
  ASSERT_TRUE(east->publish(zone_ingress("east", "in")));
  ASSERT_TRUE(east->sync_barrier(deadline()));
  const auto remove = [&](bool force) {
    return await<int>([&](auto done) {
      hub->delete_zone("east", force, [done](Status status) {
        done(status ? Result<int>(0) : fail(status.error()));
      });
    });
  };
  EXPECT_EQ(remove(false).error().code, ErrorCode::conflict);
  east->stop();
  ASSERT_TRUE(eventually([&] { return !hub->zone("east")->connected; }));
  ASSERT_TRUE(remove(false));
  EXPECT_FALSE(hub_has(zone_ingress("east", "in").key));
  EXPECT_FALSE(hub->zone("east").has_value());
}

/// `count` ingresses as one batch per thousand.
void publish_many(client::Client& client, const std::string& zone, int count) {
  std::vector<client::PublishOp> ops;
  for (int at = 0; at < count; ++at) {
    Resource resource = zone_ingress(zone, "in-" + std::to_string(at));
    ops.push_back({resource.key, resource});
    if (ops.size() < 1'000 && at + 1 < count) continue;
    ASSERT_TRUE(client.publish_batch(ops));
    ops.clear();
  }
}

TEST_F(HubProcessTest, AFirstUpSyncOfManyResourcesTravelsInPieces) {
  auto east = client::Client::create(client_config("east"));
  ASSERT_TRUE(east);
  publish_many(**east, "east", 3'500);
  ASSERT_TRUE((*east)->start());
  ASSERT_TRUE((*east)->sync_barrier(deadline()));
  EXPECT_EQ(hub->zone("east")->up_resources, 3'500u);
  EXPECT_EQ(hub->zone("east")->counters.digest_mismatches, 0u);
}

TEST_F(HubProcessTest, AReinstalledZoneRemovesNothingUntilItSaysItIsComplete) {
  {
    const auto east = start_client("east");
    publish_many(*east, "east", 300);
    ASSERT_TRUE(east->sync_barrier(deadline()));
  }
  const auto east = start_client("east");  // no store directory: a new, partial log
  publish_many(*east, "east", 20);
  ASSERT_TRUE(east->sync_barrier(deadline()));
  EXPECT_EQ(hub->zone("east")->up_resources, 300u);
  EXPECT_EQ(hub->zone("east")->counters.digest_mismatches, 0u);
  ASSERT_TRUE(east->publish_complete());
  ASSERT_TRUE(eventually([&] { return hub->zone("east")->hold_reason == "mass_delete"; }));
  EXPECT_EQ(hub->zone("east")->up_resources, 300u);
  const auto approved = await<int>([&](auto done) {
    hub->approve_mass_delete("east", [done](Status status) {
      done(status ? Result<int>(0) : fail(status.error()));
    });
  });
  ASSERT_TRUE(approved);
  EXPECT_TRUE(eventually([&] { return hub->zone("east")->up_resources == 20; }));
  EXPECT_TRUE(eventually([&] { return hub->zone("east")->hold_reason.empty(); }));
}

TEST_F(HubProcessTest, AfterAStopEveryWriteIsUnavailable) {
  hub->stop();
  EXPECT_EQ(write(policy("a")).error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace zonesync

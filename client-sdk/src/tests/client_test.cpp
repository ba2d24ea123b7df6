#include "client-sdk/src/tests/client_fixture.hpp"

namespace zonesync::client {
namespace {

TEST_F(ClientTest, ReceivesWhatTheHubHasAndWhatComes) {
  hub_.write({make_change(mesh("default"))});
  auto client = make(config());
  ASSERT_TRUE(client->start());
  ASSERT_TRUE(client->wait_revision(Revision{1}, soon()));
  EXPECT_TRUE(client->snapshot().get(mesh("default").key));
  hub_.write({make_change(mesh("second"))});
  ASSERT_TRUE(client->wait_revision(Revision{2}, soon()));
  EXPECT_EQ(client->snapshot().revision(), Revision{2});
  EXPECT_FALSE(client->snapshot().from_cache());
}

TEST_F(ClientTest, PublishesUpAndTheBarrierProvesIt) {
  auto client = make(config());
  ASSERT_TRUE(client->start());
  const auto result = client->publish(dataplane("a"));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->published, 1u);
  EXPECT_EQ(client->publish(dataplane("a"))->unchanged, 1u);
  ASSERT_TRUE(client->sync_barrier(soon()));
  hub_.on_hub([](testing::FakeHub& hub) {
    EXPECT_NE(hub.up_replica_.snapshot()->find({"Dataplane", "default", "east", "a"}), nullptr);
  });
  EXPECT_EQ(client->published()->size(), 1u);
  ASSERT_TRUE(client->remove({"Dataplane", "default", "", "a"}));
  EXPECT_TRUE(client->published()->empty());
}

TEST_F(ClientTest, RefusedPublicationSaysWhy) {
  auto client = make(config());
  const auto result = client->publish(make_resource("Mesh", "", "", "default"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::forbidden);
}

TEST_F(ClientTest, RestartServesTheStoreAndResumes) {
  hub_.write({make_change(mesh("a")), make_change(mesh("b"))});
  Config durable = config();
  durable.store_dir = directory_ + "/store";
  {
    auto client = make(durable);
    ASSERT_TRUE(client->start());
    ASSERT_TRUE(client->publish(dataplane("mine")));
    ASSERT_TRUE(client->wait_revision(Revision{1}, soon()));
  }
  hub_.write({make_change(mesh("c"))});
  auto client = make(durable);
  EXPECT_TRUE(client->snapshot().from_cache());
  EXPECT_TRUE(client->snapshot().get(mesh("a").key));
  EXPECT_EQ(client->published()->size(), 1u);
  ASSERT_TRUE(client->start());
  ASSERT_TRUE(client->wait_revision(Revision{2}, soon()));
  watch(*client);
  wait_status(*client, [](const ClientStatus& s) { return s.state == State::synced; });
  EXPECT_EQ(client->status().counters.changes_received, 1u);
  EXPECT_EQ(client->status().counters.intents_changes, 1u);
}

TEST_F(ClientTest, StoreIsUsedByOneClientOnly) {
  Config durable = config();
  durable.store_dir = directory_ + "/store";
  auto first = make(durable);
  const auto second = Client::create(durable);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::unavailable);
}

TEST_F(ClientTest, ReconnectsByItself) {
  auto client = make(config());
  watch(*client);
  ASSERT_TRUE(client->start());
  wait_status(*client, [](const ClientStatus& s) { return s.connected; });
  hub_.drop_sessions();
  hub_.write({make_change(mesh("late"))});
  ASSERT_TRUE(client->wait_revision(Revision{1}, soon()));
  wait_status(*client, [](const ClientStatus& s) { return s.counters.sessions >= 2; });
}

TEST_F(ClientTest, WrongTokenIsAuthFailedAndANewFileHeals) {
  Config wrong = config();
  wrong.token.clear();
  wrong.token_file = directory_ + "/token";
  std::ofstream(wrong.token_file) << "wrong\n";
  auto client = make(wrong);
  watch(*client);
  ASSERT_TRUE(client->start());
  wait_status(*client, [](const ClientStatus& s) { return s.state == State::auth_failed; });
  EXPECT_EQ(client->status().last_error->http_status, 401u);
  std::ofstream(wrong.token_file) << "secret\n";
  client->reconnect();
  wait_status(*client, [](const ClientStatus& s) { return s.connected; });
}

TEST_F(ClientTest, MissingTokenFileIsReported) {
  Config wrong = config();
  wrong.token.clear();
  wrong.token_file = directory_ + "/none";
  auto client = make(wrong);
  watch(*client);
  ASSERT_TRUE(client->start());
  wait_status(*client, [](const ClientStatus& s) { return s.last_error.has_value(); });
  EXPECT_EQ(client->status().last_error->code, ErrorCode::not_found);
}

TEST_F(ClientTest, CutsAreWholeOrderedAndRetried) {
  auto client = make(config());
  std::mutex mutex;
  std::vector<Cut> cuts;
  int refusals = 2;
  client->on_cut([&](const Cut& cut) {
    const std::lock_guard lock(mutex);
    if (!cut.initial && refusals-- > 0) return CutAnswer::try_again("busy");
    cuts.push_back(cut);
    changed_.notify_all();
    return CutAnswer::ok();
  });
  int told = 0;
  client->subscribe({"MeshTimeout"}, [&](const CutChange&) { ++told; });
  ASSERT_TRUE(client->start());
  hub_.write({make_change(make_resource("MeshTimeout", "default", "global", "t")),
              make_change(mesh("default"))});
  watch(*client);
  const Deadline deadline = soon();
  std::unique_lock lock(mutex);
  while (cuts.empty() || cuts.back().changes.size() < 2) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    changed_.wait_for(lock, 50ms);
  }
  EXPECT_EQ(cuts.back().changes[0].key.type, "Mesh");
  lock.unlock();
  client->stop();
  EXPECT_EQ(told, 1);
}

TEST_F(ClientTest, RejectsReachTheHub) {
  auto client = make(config());
  client->set_validator("Mesh", [](const Resource&) -> std::optional<Reject> {
    return Reject{"invalid", "/spec", "never", false};
  });
  ASSERT_TRUE(client->start());
  hub_.write({make_change(mesh("default"))});
  ASSERT_TRUE(client->wait_revision(Revision{1}, soon()));
  EXPECT_FALSE(client->snapshot().get(mesh("default").key));
  std::vector<Verdict> verdicts;
  const Deadline deadline = soon();
  while (verdicts.empty() && std::chrono::steady_clock::now() < deadline) {
    ASSERT_TRUE(client->sync_barrier(soon()));  // one round trip
    hub_.on_hub([&](testing::FakeHub& hub) { verdicts = hub.verdicts; });
  }
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].reject.text, "never");
}

TEST_F(ClientTest, StopIsIdempotentAndFailsCalls) {
  auto client = make(config());
  ASSERT_TRUE(client->start());
  client->stop();
  client->stop();
  EXPECT_EQ(client->status().state, State::closed);
  EXPECT_EQ(client->publish(dataplane("a")).error().code, ErrorCode::canceled);
  EXPECT_EQ(client->sync_barrier(soon()).error().code, ErrorCode::canceled);
}

TEST_F(ClientTest, StopFromACallbackDoesNotDeadlock) {
  auto client = make(config());
  client->on_cut([&](const Cut&) {
    client->stop();
    return CutAnswer::ok();
  });
  ASSERT_TRUE(client->start());
  EXPECT_EQ(client->sync_barrier(soon()).error().code, ErrorCode::canceled);
}

TEST_F(ClientTest, DeadlinesEndWaits) {
  auto client = make(config());
  ASSERT_TRUE(client->start());
  const auto status = client->wait_revision(Revision{99}, std::chrono::steady_clock::now() + 30ms);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::timeout);
}

TEST(ClientConfig, MistakesAreNamed) {
  const auto field_of = [](const std::function<void(Config&)>& change) {
    Config config;
    config.hub_url = "wss://hub:5685/sync";
    config.zone = "east";
    config.token = "t";
    change(config);
    const Status status = check_config(config);
    return status ? std::string("ok") : status.error().field;
  };
  EXPECT_EQ(field_of([](Config&) {}), "ok");
  EXPECT_EQ(field_of([](Config& c) { c.hub_url = "http://x"; }), "hub_url");
  EXPECT_EQ(field_of([](Config& c) { c.hub_url = "ws://example.com/sync"; }), "hub_url");
  EXPECT_EQ(field_of([](Config& c) { c.hub_url = "wss://hub:0/"; }), "hub_url");
  EXPECT_EQ(field_of([](Config& c) { c.hub_url = "wss://user:pw@hub/"; }), "hub_url");
  EXPECT_EQ(field_of([](Config& c) { c.hub_url = "ws://[::1]:1/sync"; }), "ok");
  EXPECT_EQ(field_of([](Config& c) { c.zone = "Global!"; }), "zone");
  EXPECT_EQ(field_of([](Config& c) { c.token.clear(); }), "token_file");
  EXPECT_EQ(field_of([](Config& c) { c.token_file = "f"; }), "token");
  EXPECT_EQ(field_of([](Config& c) { c.client_key_file = "k"; }), "client_key_file");
  EXPECT_EQ(field_of([](Config& c) { c.backoff.base = {}; }), "backoff");
}

}  // namespace
}  // namespace zonesync::client

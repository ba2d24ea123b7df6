// The client against bad networks, wrong certificates and large states.
#include <random>

#include "client-sdk/src/tests/client_fixture.hpp"
#include "protocol/transport/testing/fault_proxy.hpp"

namespace zonesync::client {
namespace {

class ClientLinkTest : public ClientTest {};

TEST_F(ClientLinkTest, UnknownAuthorityIsRefusedByUs) {
  const TestCertificates others;
  Config wrong = config();
  wrong.ca_file = others.ca_file();
  auto client = make(wrong);
  watch(*client);
  ASSERT_TRUE(client->start());
  wait_status(*client, [](const ClientStatus& s) { return s.last_error.has_value(); });
  EXPECT_EQ(client->status().last_error->code, ErrorCode::unauthenticated);
  EXPECT_EQ(client->status().state, State::auth_failed);
  EXPECT_FALSE(client->status().connected);
}

TEST_F(ClientLinkTest, MissingAuthorityFileIsReported) {
  Config wrong = config();
  wrong.ca_file = directory_ + "/none.pem";
  auto client = make(wrong);
  watch(*client);
  ASSERT_TRUE(client->start());
  wait_status(*client, [](const ClientStatus& s) { return s.last_error.has_value(); });
  EXPECT_NE(client->status().last_error->message.find("none.pem"), std::string::npos);
}

TEST_F(ClientLinkTest, PlainTextToATlsPortFailsClearly) {
  Config wrong = config();
  wrong.hub_url = "ws://127.0.0.1:" + std::to_string(hub_.port()) + "/sync";
  wrong.ca_file.clear();
  auto client = make(wrong);
  watch(*client);
  ASSERT_TRUE(client->start());
  wait_status(*client, [](const ClientStatus& s) { return s.counters.connects >= 3; });
  EXPECT_FALSE(client->status().connected);
}

TEST_F(ClientLinkTest, PlainLoopbackWorks) {
  HubServer plain("east", true);
  plain.write({make_change(mesh("default"))});
  Config open = config();
  open.hub_url = plain.url();
  open.ca_file.clear();
  auto client = make(open);
  ASSERT_TRUE(client->start());
  EXPECT_TRUE(client->wait_revision(Revision{1}, soon()));
}

TEST_F(ClientLinkTest, StateLargerThanEveryWindowArrives) {
  const std::string big(700'000, 'x');
  for (int i = 0; i < 20; ++i) {
    hub_.write({make_change(mesh("m" + std::to_string(i), "{\"v\":\"" + big + "\"}"))});
  }
  auto client = make(config());
  ASSERT_TRUE(client->start());
  ASSERT_TRUE(client->wait_revision(Revision{20}, soon()));
  EXPECT_EQ(client->snapshot().size(), 20u);
  EXPECT_GE(client->status().resources, 1u);
}

/// Letters and digits that hardly compress, different for every seed.
std::string noise(unsigned seed, std::size_t bytes) {
  std::minstd_rand random(seed + 1);
  std::string text;
  while (text.size() < bytes) text += "abcdefghijklmnopqrstuvwxyzABCDEF0123456789"[random() % 42];
  return text;
}

// STG-07: stopped in the middle of a first sync, started again: only the rest travels.
TEST_F(ClientLinkTest, AStoppedClientGoesOnWhereItStood) {
  auto started = FaultProxy::start("127.0.0.1", hub_.port());
  ASSERT_TRUE(started.has_value());
  FaultProxy& proxy = **started;
  for (unsigned i = 0; i < 60; ++i) {
    hub_.write({make_change(
        mesh("m" + std::to_string(i), "{\"v\":\"" + noise(i, 100'000) + "\"}"))});
  }
  Config through = config();
  through.hub_url = hub_.url_to(proxy.port());
  through.store_dir = directory_ + "/store";
  proxy.limit(ProxyDirection::to_client, 4u << 20);
  std::uint64_t staged = 0;
  {
    auto client = make(through);
    watch(*client);
    ASSERT_TRUE(client->start());
    wait_status(*client, [](const ClientStatus& s) { return s.staged_bytes > 1'000'000; });
    client->stop();
    staged = client->status().staged_bytes;
    EXPECT_EQ(client->status().cursor, std::nullopt) << "nothing of an open cut is visible";
    EXPECT_EQ(client->status().counters.spills, 0u);
  }
  proxy.heal();
  auto client = make(through);
  ASSERT_TRUE(client->start());
  ASSERT_TRUE(client->wait_revision(Revision{60}, soon()));
  EXPECT_EQ(client->snapshot().size(), 60u);
  EXPECT_EQ(client->status().counters.resumes, 1u);
  EXPECT_LT(client->status().counters.bytes_rx, 6'000'000u - staged / 2);
}

TEST_F(ClientLinkTest, PublishesMoreThanTheFirstGrant) {
  auto client = make(config());
  ASSERT_TRUE(client->start());
  const std::string big(300'000, 'x');
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(client->publish(dataplane("d" + std::to_string(i), "{\"v\":\"" + big + "\"}")));
  }
  ASSERT_TRUE(client->sync_barrier(soon()));
  hub_.on_hub([](testing::FakeHub& hub) {
    EXPECT_EQ(hub.up_replica_.snapshot()->size(), 20u);
  });
}

TEST_F(ClientLinkTest, ConvergesOverALinkThatKeepsBreaking) {
  auto started = FaultProxy::start("127.0.0.1", hub_.port());
  ASSERT_TRUE(started.has_value());
  FaultProxy& proxy = **started;
  for (int i = 0; i < 200; ++i) hub_.write({make_change(mesh("m" + std::to_string(i)))});
  Config through = config();
  through.hub_url = hub_.url_to(proxy.port());
  through.store_dir = directory_ + "/store";
  auto client = make(through);
  watch(*client);
  ASSERT_TRUE(client->start());
  ASSERT_TRUE(client->wait_revision(Revision{200}, soon()));
  for (int round = 0; round < 5; ++round) {
    proxy.cut();
    const std::uint64_t revision = 201 + static_cast<std::uint64_t>(round);
    hub_.write({make_change(mesh("round" + std::to_string(round)))});
    ASSERT_TRUE(client->publish(dataplane("d" + std::to_string(round))));
    wait_status(*client, [](const ClientStatus& s) { return !s.connected; });
    EXPECT_EQ(client->snapshot().revision().value, revision - 1);
    proxy.heal();
    ASSERT_TRUE(client->wait_revision(Revision{revision}, soon()));
  }
  ASSERT_TRUE(client->sync_barrier(soon()));
  EXPECT_EQ(client->status().counters.changes_received, 205u);
  EXPECT_EQ(client->status().counters.intents_full, 1u);
  hub_.on_hub([](testing::FakeHub& hub) {
    EXPECT_EQ(hub.up_replica_.snapshot()->size(), 5u);
  });
}

}  // namespace
}  // namespace zonesync::client

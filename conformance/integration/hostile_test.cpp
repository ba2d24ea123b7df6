// Issue 2, Must show 6: refused, with a reason in the hub's log, and nobody else notices.
#include <gtest/gtest.h>

#include "conformance/integration/support/cluster.hpp"
#include "conformance/integration/support/raw_peer.hpp"
#include "protocol/core/session.hpp"
#include "protocol/wire/codec.hpp"
#include "server/auth/credentials.hpp"
#include "server/auth/signing_keys.hpp"

namespace zonesync::integration {
namespace {

/// A hub with one well-behaved zone, whose session must survive everything.
class Hostile : public ::testing::Test {
 protected:
  Hostile() : cluster({"east"}) {}
  void SetUp() override {
    cluster.put("before", "1s");
    ASSERT_TRUE(cluster.converges());
    session = number_at(cluster.hub.zone("east"), "/session");
    ASSERT_GT(session, 0);
  }
  void TearDown() override {
    EXPECT_GT(cluster.put("after", "2s"), 0u) << "the hub still takes writes";
    EXPECT_TRUE(cluster.converges()) << "the other zone is still served";
    EXPECT_EQ(number_at(cluster.hub.zone("east"), "/session"), session) << "by the same session";
    EXPECT_EQ(cluster.hub.stop(), 0);
  }
  RawPeer::Options peer(const std::string& token) {
    RawPeer::Options options;
    options.port = cluster.hub.sync_port();
    options.ca_file = cluster.hub.ca_file();
    options.token = token;
    return options;
  }
  std::string token(const std::string& zone, const std::string& valid_for = "24h") {
    const std::string text = read_file(cluster.hub.zone_token_file(zone, valid_for));
    return text.substr(0, text.find('\n'));
  }
  static std::string hello(const std::string& zone) {
    wire::Hello hello;
    hello.zone = zone;
    hello.instance.id.bytes[5] = 9;
    hello.software = "raw/1";
    hello.up_log.log_id.bytes[1] = 1;
    hello.up_log.era.id.bytes[1] = 1;
    hello.down_window_bytes = limits::kFlowWindowBytes;
    std::string out;
    wire::append(out, hello);
    return out;
  }
  void expect_upgrade_refused(const std::string& bearer, unsigned status, const char* event) {
    RawPeer bad(peer(bearer));
    const auto failure = bad.connect();
    ASSERT_TRUE(failure.has_value());
    EXPECT_EQ(failure->http_status, status) << describe(failure->error);
    EXPECT_TRUE(cluster.hub.logged(event)) << cluster.hub.process().recent_lines();
  }
  Cluster cluster;
  std::int64_t session = 0;
};

TEST_F(Hostile, NoToken) { expect_upgrade_refused("", 401, "token.missing"); }
TEST_F(Hostile, NotAToken) { expect_upgrade_refused("garbage", 401, "token.malformed"); }

TEST_F(Hostile, ATokenOfAnotherHub) {
  const HubUnderTest other(cluster.workspace, "other-hub");
  HubUnderTest& issuer = const_cast<HubUnderTest&>(other);
  const std::string text = read_file(issuer.zone_token_file("west"));
  expect_upgrade_refused(text.substr(0, text.find('\n')), 401, "token.bad_signature");
}

TEST_F(Hostile, AnExpiredToken) {
  const auto keys = auth::SigningKeys::load(cluster.hub.directory() + "/keys/zone",
                                            auth::KeyPurpose::zone);
  ASSERT_TRUE(keys.has_value());
  auth::ZoneTokenRequest request;
  request.zone = "west";
  request.audience = "zonesync-hub";
  request.valid_for = std::chrono::hours(1);
  const auto yesterday = std::chrono::time_point_cast<std::chrono::seconds>(
      std::chrono::system_clock::now() - std::chrono::hours(24));
  const auto issued = auth::issue_zone_token(*keys, request, yesterday);
  ASSERT_TRUE(issued.has_value());
  expect_upgrade_refused(issued->token, 401, "token.expired");
}

TEST_F(Hostile, ARevokedToken) {
  const std::string file = cluster.hub.zone_token_file("west");
  RawPeer good(peer(read_file(file).substr(0, read_file(file).find('\n'))));
  ASSERT_FALSE(good.connect().has_value());
  const RunResult revoked = run({program("zonesync-hub"), "token", "revoke", "--dir",
                                 cluster.hub.directory(), "--token-file", file});
  ASSERT_EQ(revoked.code, 0) << revoked.output;
  EXPECT_EQ(good.read_to_end().code, close_code::kUnauthenticated) << "the live session ends";
  expect_upgrade_refused(read_file(file).substr(0, read_file(file).find('\n')), 401,
                         "token.revoked");
}

TEST_F(Hostile, ATokenOfAnotherZone) {
  RawPeer bad(peer(token("west")));
  ASSERT_FALSE(bad.connect().has_value());
  bad.send(hello("east"));
  EXPECT_EQ(bad.read_to_end().code, close_code::kZoneNotAllowed);
  EXPECT_TRUE(cluster.hub.logged("sync.zone.not_allowed")) << cluster.hub.process().recent_lines();
}

TEST_F(Hostile, AnUnknownAuthorityAtTheClient) {
  const HubUnderTest other(cluster.workspace, "other-hub");
  auto options = peer(token("west"));
  options.ca_file = other.ca_file();
  RawPeer bad(options);
  const auto failure = bad.connect();
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->error.code, ErrorCode::unauthenticated);
  EXPECT_TRUE(cluster.hub.logged("tls.handshake_failed")) << cluster.hub.process().recent_lines();
}

TEST_F(Hostile, PlainTextOnTheTlsPort) {
  const std::string answer = plain_tcp_exchange(
      cluster.hub.sync_port(), "GET /sync HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(answer.find("101"), std::string::npos);
  EXPECT_TRUE(cluster.hub.logged("tls.handshake_failed")) << cluster.hub.process().recent_lines();
}

TEST_F(Hostile, AMessageOfTwoMebibytes) {
  RawPeer bad(peer(token("west")));
  ASSERT_FALSE(bad.connect().has_value());
  bad.send(hello("west"));
  ASSERT_TRUE(bad.read().has_value()) << "Welcome";
  bad.send(std::string(2u << 20, 'x'));
  EXPECT_EQ(bad.read_to_end().code, close_code::kTooBig);
  EXPECT_TRUE(cluster.hub.logged("sync.message.too_big")) << cluster.hub.process().recent_lines();
}

TEST_F(Hostile, GarbageInsteadOfHello) {
  RawPeer bad(peer(token("west")));
  ASSERT_FALSE(bad.connect().has_value());
  bad.send(std::string(512, '\xee'));
  EXPECT_EQ(bad.read_to_end().code, close_code::kMalformed);
  EXPECT_TRUE(cluster.hub.logged("sync.protocol_error")) << cluster.hub.process().recent_lines();
}

TEST_F(Hostile, GarbageAfterWelcome) {
  RawPeer bad(peer(token("west")));
  ASSERT_FALSE(bad.connect().has_value());
  bad.send(hello("west"));
  ASSERT_TRUE(bad.read().has_value()) << "Welcome";
  bad.send(std::string(512, '\xee'));
  EXPECT_EQ(bad.read_to_end().code, close_code::kMalformed);
  EXPECT_TRUE(cluster.hub.logged("sync.protocol_error")) << cluster.hub.process().recent_lines();
  EXPECT_TRUE(eventually([&] {  // once the hub has seen the connection end
    return cluster.hub.call("GET", "/zones/west").body.find("4400") != std::string::npos;
  })) << "the status says why: " << cluster.hub.call("GET", "/zones/west").body;
}

// Holds cost their sender nothing, so each must not be a line in somebody's log.
TEST_F(Hostile, AFloodOfHoldsDoesNotFloodTheLog) {
  RawPeer bad(peer(token("west")));
  ASSERT_FALSE(bad.connect().has_value());
  bad.send(hello("west"));
  ASSERT_TRUE(bad.read().has_value()) << "Welcome";
  std::string flood;
  for (int at = 0; at < 3'000; ++at) {
    wire::append(flood, wire::FlowId::down,
                 wire::Hold{"reason-" + std::to_string(at), "flood", false});
  }
  bad.send(flood);
  bad.send(std::string(512, '\xee'));
  EXPECT_EQ(bad.read_to_end().code, close_code::kMalformed);
  EXPECT_TRUE(cluster.hub.logged("sync.protocol_error"));
  const std::string lines = cluster.hub.process().recent_lines(200'000);
  std::size_t count = 0;
  for (std::size_t at = lines.find("sync.zone.holds"); at != std::string::npos;
       at = lines.find("sync.zone.holds", at + 1)) {
    ++count;
  }
  EXPECT_GT(count, 0u);
  EXPECT_LE(count, 200u) << "20 lines a second";
}

TEST_F(Hostile, AnUnknownSubprotocol) {
  auto options = peer(token("west"));
  options.subprotocols = {"zonesync.v9.future"};
  RawPeer bad(options);
  const auto failure = bad.connect();
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->http_status, 400u);
  EXPECT_NE(failure->body.find("zonesync.v2.delta"), std::string::npos) << "the list of ours";
}

}  // namespace
}  // namespace zonesync::integration

#include <fstream>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "protocol/transport/tests/harness.hpp"

namespace zonesync::testing {
namespace {

using boost::asio::ip::tcp;

// A TLS websocket server that echoes, on its own threads.
class EchoServer {
  IoPool pool_{2};  // first: outlives what uses it

 public:
  explicit EchoServer(ListenerOptions options = {}, UpgradeHandler handler = accept_all()) {
    if (!options.tls) options.tls = server_tls();
    auto made = Listener::start(pool_, options, logger, [handler](ByteStreamPtr stream) {
      accept_websocket(std::move(stream), {.message_max_bytes = 1u << 20}, handler,
                       [](Result<WebSocketPtr> socket) {
                         if (socket) echo(*socket);
                       });
    });
    EXPECT_TRUE(made) << describe(made.error());
    listener = *made;
  }
  ~EchoServer() {
    listener->stop();
    pool_.stop();
  }

  static void echo(const WebSocketPtr& socket) {
    socket->async_read([socket](Result<std::string> message) {
      if (!message) return;
      socket->async_write(std::move(*message), [socket](const Status& status) {
        if (status) echo(socket);
      });
    });
  }

  [[nodiscard]] WebSocketClientOptions client_options() const {
    WebSocketClientOptions options;
    options.target = {.host = "localhost", .port = listener->port(), .tls = client_tls(),
                      .connect_address = "127.0.0.1"};
    return options;
  }

  /// Waits for the first event of that name; its reason.
  std::string reason_of(const std::string& event) {
    Loop loop;
    EXPECT_TRUE(loop.run_until([&] { return logger->count(event) > 0; }));
    for (const auto& logged : logger->events()) {
      if (logged.event != event) continue;
      for (const auto& field : logged.fields) {
        if (field.name == "reason") return field.value;
      }
    }
    return {};
  }

  std::shared_ptr<CapturingLogger> logger = std::make_shared<CapturingLogger>();
  std::shared_ptr<Listener> listener;
};

tl::expected<WebSocketPtr, ConnectFailure> connect(Loop& loop,
                                                   const WebSocketClientOptions& options) {
  std::optional<tl::expected<WebSocketPtr, ConnectFailure>> got;
  connect_websocket(loop.context, options, [&got](auto result) { got = std::move(result); });
  EXPECT_TRUE(loop.run_until([&got] { return got.has_value(); }));
  return std::move(*got);
}

TEST(Tls, echoes_small_and_large_messages) {
  EchoServer server;
  Loop loop;
  auto socket = connect(loop, server.client_options());
  ASSERT_TRUE(socket) << describe(socket.error().error);
  EXPECT_EQ((*socket)->peer().tls_version, "TLSv1.3");
  for (const std::size_t size : {1u, 70'000u, 1u << 20}) {
    const std::string message(size, 'm');
    std::optional<std::string> got;
    (*socket)->async_read([&](Result<std::string> result) { got = result.value_or("error"); });
    EXPECT_TRUE(write_one(loop, *socket, message));
    ASSERT_TRUE(loop.run_until([&] { return got.has_value(); }));
    EXPECT_EQ(*got, message);
  }
}

TEST(Tls, the_address_itself_is_verified_when_no_name_is_given) {
  EchoServer server;
  Loop loop;
  auto options = server.client_options();
  options.target.host = "127.0.0.1";
  EXPECT_TRUE(connect(loop, options));
}

TEST(Tls, a_certificate_for_another_name_is_refused) {
  EchoServer server;
  Loop loop;
  auto options = server.client_options();
  options.target.host = "hub.example";
  const auto socket = connect(loop, options);
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().error.code, ErrorCode::unauthenticated);
  EXPECT_NE(socket.error().error.message.find("mismatch"), std::string::npos)
      << socket.error().error.message;
}

TEST(Tls, an_unknown_ca_is_refused_and_logged_by_the_server) {
  EchoServer server;
  const TestCertificates other;
  Loop loop;
  auto options = server.client_options();
  options.target.tls = client_tls(other);
  const auto socket = connect(loop, options);
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().error.code, ErrorCode::unauthenticated);
  EXPECT_EQ(socket.error().http_status, 0u);
  EXPECT_NE(server.reason_of("tls.handshake_failed"), "");
  EXPECT_EQ(server.listener->handshakes_failed(), 1u);
}

TEST(Tls, plain_text_on_the_tls_port_is_refused_and_logged) {
  EchoServer server;
  Loop loop;
  tcp::socket socket(loop.context);
  socket.connect({boost::asio::ip::make_address("127.0.0.1"), server.listener->port()});
  boost::asio::write(socket, boost::asio::buffer(std::string("GET /sync HTTP/1.1\r\n\r\n")));
  EXPECT_EQ(server.reason_of("tls.handshake_failed"), "plain HTTP on a TLS port");
}

TEST(Tls, garbage_on_the_tls_port_is_refused_and_others_go_on) {
  EchoServer server;
  Loop loop;
  tcp::socket socket(loop.context);
  socket.connect({boost::asio::ip::make_address("127.0.0.1"), server.listener->port()});
  boost::asio::write(socket, boost::asio::buffer(std::string(1000, '\xEE')));
  EXPECT_NE(server.reason_of("tls.handshake_failed"), "");
  EXPECT_TRUE(connect(loop, server.client_options()));
}

TEST(Tls, a_client_that_says_nothing_is_cut_at_the_handshake_deadline) {
  EchoServer server({.handshake_timeout = 20ms});
  Loop loop;
  tcp::socket socket(loop.context);
  socket.connect({boost::asio::ip::make_address("127.0.0.1"), server.listener->port()});
  EXPECT_EQ(server.reason_of("tls.handshake_failed"), "no handshake in time");
}

TEST(Tls, a_tls_client_on_a_plain_port_fails_without_hanging) {
  IoPool pool(1);
  auto listener = Listener::start(pool, {}, nullptr, [](ByteStreamPtr stream) {
    accept_websocket(std::move(stream), {}, accept_all(), [](const auto&) {});
  });
  ASSERT_TRUE(listener);
  Loop loop;
  WebSocketClientOptions options;
  options.target = {.host = "127.0.0.1", .port = (*listener)->port(), .tls = client_tls()};
  const auto socket = connect(loop, options);
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().error.code, ErrorCode::protocol) << socket.error().error.message;
  (*listener)->stop();
  pool.stop();
}

TEST(Tls, refusals_reach_the_client_with_status_body_and_delay) {
  EchoServer server({}, [](const UpgradeRequest& request, const UpgradeDecide& decide) {
    auto decision = request.bearer_token.empty()
                        ? UpgradeDecision::reject(401, "unauthenticated", "no token")
                        : UpgradeDecision::reject(503, "busy", "come back");
    decision.retry_after = 3s;
    decide(decision);
  });
  Loop loop;
  auto options = server.client_options();
  auto refused = connect(loop, options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().http_status, 401u);
  EXPECT_EQ(refused.error().error.code, ErrorCode::unauthenticated);
  EXPECT_NE(refused.error().body.find("no token"), std::string::npos);
  options.bearer_token = "t";
  refused = connect(loop, options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().http_status, 503u);
  EXPECT_EQ(refused.error().error.code, ErrorCode::unavailable);
  EXPECT_EQ(refused.error().retry_after, 3s);
}

TEST(Tls, the_chosen_subprotocol_reaches_both_sides_and_none_is_an_error) {
  EchoServer server({}, [](const UpgradeRequest& request, const UpgradeDecide& decide) {
    decide(UpgradeDecision::accept(request.subprotocols.size() > 1 ? request.subprotocols[1] : ""));
  });
  Loop loop;
  auto options = server.client_options();
  options.subprotocols = {"first", "second"};
  auto socket = connect(loop, options);
  ASSERT_TRUE(socket);
  EXPECT_EQ((*socket)->subprotocol(), "second");
  options.subprotocols = {"first"};
  socket = connect(loop, options);
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().error.code, ErrorCode::unsupported);
}

TEST(Tls, nobody_listening_is_unavailable) {
  std::uint16_t port = 0;
  {
    EchoServer server;
    port = server.listener->port();
  }
  Loop loop;
  WebSocketClientOptions options;
  options.target = {.host = "127.0.0.1", .port = port, .tls = client_tls()};
  const auto socket = connect(loop, options);
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().error.code, ErrorCode::unavailable);
}

TEST(Tls, a_required_client_certificate_names_the_zone) {
  auto tls = TlsContext::server({.certificate_file = certificates().certificate_file(),
                                 .key_file = certificates().key_file(),
                                 .client_ca_file = certificates().ca_file(),
                                 .require_client_certificate = true});
  ASSERT_TRUE(tls);
  std::promise<PeerInfo> seen;
  EchoServer server({.tls = *tls}, [&](const UpgradeRequest& request, const UpgradeDecide& decide) {
    seen.set_value(request.peer);
    decide(UpgradeDecision::accept(""));
  });
  Loop loop;
  auto options = server.client_options();
  auto refused = connect(loop, options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(server.reason_of("tls.handshake_failed"), "the peer sent no client certificate");
  auto with = TlsContext::client({.ca_file = certificates().ca_file(),
                                  .certificate_file = certificates().client_certificate_file(),
                                  .key_file = certificates().client_key_file()});
  ASSERT_TRUE(with);
  options.target.tls = *with;
  EXPECT_TRUE(connect(loop, options));
  const PeerInfo peer = seen.get_future().get();
  EXPECT_TRUE(peer.certificate_verified);
  EXPECT_EQ(peer.certificate_uris, std::vector<std::string>{"spiffe://test/zone/east"});
}

TEST(Listener, refuses_more_connections_than_allowed_and_frees_their_slots) {
  EchoServer server({.connections_max = 1});
  Loop loop;
  {
    auto first = connect(loop, server.client_options());
    ASSERT_TRUE(first);
    EXPECT_FALSE(connect(loop, server.client_options()));
    EXPECT_EQ(server.logger->count("listener.full"), 1u);
  }
  EXPECT_TRUE(loop.run_until([&] { return server.listener->connections() == 0; }));
  EXPECT_TRUE(connect(loop, server.client_options()));
}

TEST(Listener, a_port_in_use_and_a_bad_address_are_clear_errors) {
  EchoServer server;
  IoPool pool(1);
  const auto used = Listener::start(pool, {.port = server.listener->port()}, nullptr, {});
  ASSERT_FALSE(used);
  EXPECT_EQ(used.error().code, ErrorCode::unavailable);
  EXPECT_NE(used.error().message.find(std::to_string(server.listener->port())), std::string::npos);
  const auto bad = Listener::start(pool, {.address = "no-address"}, nullptr, {});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::invalid_argument);
}

TEST(TlsContext, errors_name_the_file) {
  const auto missing = TlsContext::server({.certificate_file = "/nowhere/c.pem", .key_file = "k"});
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("/nowhere/c.pem"), std::string::npos);
  const auto swapped = TlsContext::server({.certificate_file = certificates().certificate_file(),
                                           .key_file = certificates().client_key_file()});
  ASSERT_FALSE(swapped);
  EXPECT_NE(swapped.error().message.find("client.key"), std::string::npos);
  EXPECT_FALSE(TlsContext::client({.ca_file = certificates().key_file()}));
}

TEST(TlsContext, reload_serves_the_new_certificate_and_a_failed_one_keeps_the_old) {
  const TestCertificates mine;
  const TestCertificates next;
  auto tls = TlsContext::server(
      {.certificate_file = mine.certificate_file(), .key_file = mine.key_file()});
  ASSERT_TRUE(tls);
  EchoServer server({.tls = *tls});
  Loop loop;
  auto options = server.client_options();
  options.target.tls = client_tls(mine);
  EXPECT_TRUE(connect(loop, options));
  const auto copy = [](const std::string& from, const std::string& to) {
    std::ofstream(to, std::ios::binary) << std::ifstream(from, std::ios::binary).rdbuf();
  };
  copy(next.key_file(), mine.key_file());
  EXPECT_FALSE((*tls)->reload());  // key and certificate do not match
  EXPECT_TRUE(connect(loop, options));
  copy(next.certificate_file(), mine.certificate_file());
  EXPECT_TRUE((*tls)->reload());
  EXPECT_FALSE(connect(loop, options));
  options.target.tls = client_tls(next);
  EXPECT_TRUE(connect(loop, options));
}

}  // namespace
}  // namespace zonesync::testing

#include <thread>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "protocol/transport/testing/fault_proxy.hpp"
#include "protocol/transport/tests/harness.hpp"

namespace zonesync::testing {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// A client and a server socket with the proxy between them, used with blocking calls.
struct Wire {
  Wire() : acceptor(context, {asio::ip::address_v4::loopback(), 0}) {
    auto made = FaultProxy::start("127.0.0.1", acceptor.local_endpoint().port());
    EXPECT_TRUE(made);
    proxy = std::move(*made);
    client = dial();
    server = acceptor.accept();
  }

  tcp::socket dial() {
    tcp::socket socket(context);
    socket.connect({asio::ip::address_v4::loopback(), proxy->port()});
    return socket;
  }

  static std::string read(tcp::socket& socket, std::size_t size) {
    std::string bytes(size, '\0');
    error_code ended;
    bytes.resize(asio::read(socket, asio::buffer(bytes), ended));
    return bytes;
  }

  static error_code read_error(tcp::socket& socket) {
    char byte = 0;
    error_code error;
    asio::read(socket, asio::buffer(&byte, 1), error);
    return error;
  }

  asio::io_context context;
  tcp::acceptor acceptor;
  std::unique_ptr<FaultProxy> proxy;
  tcp::socket client{context};
  tcp::socket server{context};
};

void write(tcp::socket& socket, const std::string& bytes) {
  asio::write(socket, asio::buffer(bytes));
}

TEST(FaultProxy, forwards_and_counts_both_ways) {
  Wire wire;
  write(wire.client, "hello");
  EXPECT_EQ(Wire::read(wire.server, 5), "hello");
  write(wire.server, "ok");
  EXPECT_EQ(Wire::read(wire.client, 2), "ok");
  const auto counters = wire.proxy->counters();
  EXPECT_EQ(counters.bytes_to_server, 5u);
  EXPECT_EQ(counters.bytes_to_client, 2u);
  EXPECT_EQ(counters.connections_accepted, 1u);
  EXPECT_EQ(counters.connections_open, 1u);
}

TEST(FaultProxy, passes_a_half_close_on) {
  Wire wire;
  write(wire.client, "last");
  wire.client.shutdown(tcp::socket::shutdown_send);
  EXPECT_EQ(Wire::read(wire.server, 100), "last");
  write(wire.server, "answer");
  EXPECT_EQ(Wire::read(wire.client, 6), "answer");
  wire.server.close();
  EXPECT_EQ(Wire::read_error(wire.client), asio::error::eof);
  EXPECT_EQ(wire.proxy->counters().connections_open, 0u);
}

TEST(FaultProxy, cut_resets_and_refuses_until_healed) {
  Wire wire;
  wire.proxy->cut();
  EXPECT_EQ(Wire::read_error(wire.client), asio::error::connection_reset);
  EXPECT_EQ(Wire::read_error(wire.server), asio::error::connection_reset);
  tcp::socket refused = wire.dial();
  EXPECT_TRUE(Wire::read_error(refused));
  EXPECT_EQ(wire.proxy->counters().connections_refused, 1u);
  wire.proxy->heal();
  tcp::socket again = wire.dial();
  tcp::socket accepted = wire.acceptor.accept();
  write(again, "x");
  EXPECT_EQ(Wire::read(accepted, 1), "x");
}

TEST(FaultProxy, stall_holds_bytes_and_heal_lets_them_go) {
  Wire wire;
  wire.proxy->stall(ProxyDirection::to_server);
  write(wire.client, "held");
  write(wire.server, "other way");
  EXPECT_EQ(Wire::read(wire.client, 9), "other way");
  EXPECT_EQ(wire.proxy->counters().bytes_to_server, 0u);
  wire.proxy->heal();
  EXPECT_EQ(Wire::read(wire.server, 4), "held");
}

TEST(FaultProxy, half_open_swallows_one_direction) {
  Wire wire;
  wire.proxy->half_open(ProxyDirection::to_server);
  write(wire.client, "lost");
  write(wire.server, "seen");
  EXPECT_EQ(Wire::read(wire.client, 4), "seen");
  EXPECT_EQ(wire.proxy->counters().bytes_to_server, 0u);
  EXPECT_EQ(wire.proxy->counters().connections_open, 1u);
}

TEST(FaultProxy, bandwidth_and_latency_make_it_slow_and_lose_nothing) {
  Wire wire;
  wire.proxy->limit(ProxyDirection::to_client, 1'000'000);
  wire.proxy->delay(ProxyDirection::to_client, 10ms);
  const std::string bytes(100'000, 'b');
  const auto before = std::chrono::steady_clock::now();
  std::thread writer([&] { write(wire.server, bytes); });
  EXPECT_EQ(Wire::read(wire.client, bytes.size()), bytes);
  writer.join();
  EXPECT_GE(std::chrono::steady_clock::now() - before, 100ms);  // 100 kB at 1 MB/s, 10 ms late
}

TEST(FaultProxy, resets_after_the_given_number_of_bytes) {
  Wire wire;
  wire.proxy->reset_after(ProxyDirection::to_server, 1000);
  write(wire.client, std::string(1500, 'x'));
  EXPECT_LE(Wire::read(wire.server, 1500).size(), 1000u);
  EXPECT_TRUE(Wire::read_error(wire.client));
  EXPECT_EQ(wire.proxy->counters().bytes_to_server, 1000u);
  tcp::socket again = wire.dial();  // fires once
  tcp::socket accepted = wire.acceptor.accept();
  write(again, std::string(1500, 'x'));
  EXPECT_EQ(Wire::read(accepted, 1500).size(), 1500u);
}

TEST(FaultProxy, new_connections_follow_a_moved_server) {
  Wire wire;
  tcp::acceptor moved(wire.context, {asio::ip::address_v4::loopback(), 0});
  wire.proxy->set_server("127.0.0.1", moved.local_endpoint().port());
  tcp::socket client = wire.dial();
  tcp::socket accepted = moved.accept();
  write(client, "moved");
  EXPECT_EQ(Wire::read(accepted, 5), "moved");
}

TEST(FaultProxy, a_server_that_is_not_there_resets_the_client) {
  Wire wire;
  wire.acceptor.close();
  tcp::socket client = wire.dial();
  EXPECT_TRUE(Wire::read_error(client));
}

TEST(FaultProxy, stop_resets_what_is_open) {
  Wire wire;
  wire.proxy->stop();
  EXPECT_EQ(Wire::read_error(wire.client), asio::error::connection_reset);
}

}  // namespace
}  // namespace zonesync::testing

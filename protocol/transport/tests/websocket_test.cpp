#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "protocol/transport/any_stream.hpp"
#include "protocol/transport/tests/harness.hpp"
#include "protocol/transport/upgrade.hpp"

namespace zonesync::testing {
namespace {

TEST(WebSocket, echoes_both_ways_over_memory) {
  Loop loop;
  MemoryPair pair(loop);
  EXPECT_TRUE(write_one(loop, pair.client, "up"));
  EXPECT_EQ(read_one(loop, pair.server), "up");
  EXPECT_TRUE(write_one(loop, pair.server, std::string(1000, 'd')));
  EXPECT_EQ(read_one(loop, pair.client), std::string(1000, 'd'));
  EXPECT_EQ(pair.server->traffic().bytes_rx, 2u);
  EXPECT_EQ(pair.server->traffic().messages_tx, 1u);
}

TEST(WebSocket, carries_empty_and_binary_messages) {
  Loop loop;
  MemoryPair pair(loop);
  EXPECT_TRUE(write_one(loop, pair.client, ""));
  EXPECT_EQ(read_one(loop, pair.server), "");
  const std::string bytes("\x00\xff\x01", 3);
  EXPECT_TRUE(write_one(loop, pair.client, bytes));
  EXPECT_EQ(read_one(loop, pair.server), bytes);
}

TEST(WebSocket, reassembles_a_message_that_arrives_byte_by_byte) {
  Loop loop;
  MemoryPair pair(loop, {.read_max_bytes = 1});
  std::optional<std::string> got;
  const std::string message(5000, 'x');
  pair.server->async_read([&](Result<std::string> result) { got = result.value_or("error"); });
  EXPECT_TRUE(write_one(loop, pair.client, message));
  ASSERT_TRUE(loop.run_until([&] { return got.has_value(); }));
  EXPECT_EQ(*got, message);
}

TEST(WebSocket, a_message_of_the_largest_size_passes_through_a_small_pipe) {
  Loop loop;
  MemoryPair pair(loop, {.buffer_max_bytes = 1000});
  std::optional<std::string> got;
  const std::string message(1u << 20, 'x');
  pair.client->async_read([&](Result<std::string> result) { got = result.value_or("error"); });
  EXPECT_TRUE(write_one(loop, pair.server, message));
  ASSERT_TRUE(loop.run_until([&] { return got.has_value(); }));
  EXPECT_EQ(*got, message);
}

TEST(WebSocket, received_bytes_start_8_aligned) {
  Loop loop;
  MemoryPair pair(loop);
  for (const std::size_t size : {8u, 15u, 16u, 4096u}) {
    EXPECT_TRUE(write_one(loop, pair.client, std::string(size, 'a')));
    const auto got = read_one(loop, pair.server);
    ASSERT_TRUE(got);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(got->data()) % 8, 0u) << size;
  }
}

TEST(WebSocket, message_over_the_limit_closes_with_1009_on_both_sides) {
  Loop loop;
  MemoryPair pair(loop);
  pair.server->set_message_max(100);
  std::optional<Result<std::string>> got;
  pair.server->async_read([&](Result<std::string> result) { got = std::move(result); });
  pair.client->async_write(std::string(101, 'x'), [](const Status&) {});
  EXPECT_EQ(read_one(loop, pair.client), std::nullopt);
  ASSERT_TRUE(loop.run_until([&] { return got.has_value(); }));
  ASSERT_FALSE(*got);
  EXPECT_EQ(got->error().code, ErrorCode::too_large);
  EXPECT_EQ(pair.server->close_info().code, 1009);
  EXPECT_EQ(pair.client->close_info().code, 1009);
}

TEST(WebSocket, the_limit_can_be_raised_while_open) {
  Loop loop;
  MemoryPair pair(loop, {}, {.message_max_bytes = 10});
  EXPECT_TRUE(write_one(loop, pair.client, "hello"));
  EXPECT_EQ(read_one(loop, pair.server), "hello");
  pair.server->set_message_max(1000);
  EXPECT_TRUE(write_one(loop, pair.client, std::string(1000, 'y')));
  EXPECT_EQ(read_one(loop, pair.server), std::string(1000, 'y'));
}

TEST(WebSocket, close_carries_code_and_reason_to_the_peer) {
  Loop loop;
  MemoryPair pair(loop);
  std::optional<Status> closed;
  pair.server->async_read([](const Result<std::string>&) {});
  pair.server->async_close({4409, "superseded"}, [&](Status status) { closed = status; });
  EXPECT_EQ(read_one(loop, pair.client), std::nullopt);
  EXPECT_EQ(pair.client->close_info().code, 4409);
  EXPECT_EQ(pair.client->close_info().reason, "superseded");
  ASSERT_TRUE(loop.run_until([&] { return closed.has_value(); }));
  EXPECT_TRUE(*closed);
}

TEST(WebSocket, a_long_close_reason_is_cut_between_characters) {
  const std::string reason = std::string(122, 'a') + "\xC3\xA9";
  EXPECT_EQ(cut_close_reason(reason), std::string(122, 'a'));
  EXPECT_EQ(cut_close_reason("short"), "short");
}

TEST(WebSocket, close_ends_at_its_deadline_when_the_peer_reads_nothing) {
  Loop loop;
  MemoryPair pair(loop, {}, {.close_timeout = 20ms, .message_max_bytes = 1000});
  std::optional<Status> closed;
  pair.server->async_close({1001, ""}, [&](Status status) { closed = status; });
  ASSERT_TRUE(loop.run_until([&] { return closed.has_value(); }));
  EXPECT_FALSE(*closed);
}

TEST(WebSocket, a_lost_connection_is_1006) {
  Loop loop;
  MemoryPair pair(loop);
  pair.client->abort();
  EXPECT_EQ(read_one(loop, pair.server), std::nullopt);
  EXPECT_EQ(pair.server->close_info().code, 1006);
}

TEST(WebSocket, a_second_close_is_answered_and_harmless) {
  Loop loop;
  MemoryPair pair(loop);
  int answers = 0;
  pair.client->async_read([](const Result<std::string>&) {});
  pair.server->async_close({1000, ""}, [&](const Status&) { ++answers; });
  pair.server->async_close({1000, ""}, [&](const Status&) { ++answers; });
  EXPECT_TRUE(loop.run_until([&] { return answers == 2; }));
}

// A client that speaks bytes, to send what no proper client sends.
class RawClient {
 public:
  explicit RawClient(Loop& loop, const WebSocketLimits& limits = {},
                     UpgradeHandler handler = accept_all())
      : loop_(loop) {
    auto [near, far] = make_memory_pair(loop.context.get_executor());
    stream_.emplace(std::move(far));
    accept_websocket(std::move(near), limits, std::move(handler), [this](auto result) {
      if (result) server = *result;
      outcome = result ? Status() : Status(fail(result.error()));
    });
  }

  /// Sends and reads the answer's head, or what came until the end.
  std::string exchange(std::string bytes) {
    sent_ += std::move(bytes);
    boost::asio::async_write(*stream_, boost::asio::buffer(sent_),
                             [](boost::system::error_code, std::size_t) {});
    bool done = false;
    boost::asio::async_read_until(*stream_, answer_, "\r\n\r\n",
                                  [&](boost::system::error_code, std::size_t) { done = true; });
    EXPECT_TRUE(loop_.run_until([&] { return done; }));
    const std::string head(static_cast<const char*>(answer_.data().data()), answer_.size());
    answer_.consume(answer_.size());
    return head;
  }

  void send(std::string bytes) {
    sent_ = std::move(bytes);
    bool done = false;
    boost::asio::async_write(*stream_, boost::asio::buffer(sent_),
                             [&](boost::system::error_code, std::size_t) { done = true; });
    EXPECT_TRUE(loop_.run_until([&] { return done; }));
  }

  /// What came after the upgrade, `bytes` of it at least.
  std::string receive(std::size_t bytes) {
    const std::size_t missing = bytes - std::min(bytes, answer_.size());
    bool done = false;
    boost::asio::async_read(*stream_, answer_, boost::asio::transfer_at_least(missing),
                            [&](boost::system::error_code, std::size_t) { done = true; });
    EXPECT_TRUE(loop_.run_until([&] { return done; }));
    return {static_cast<const char*>(answer_.data().data()), answer_.size()};
  }

  void drop() { stream_->stream().close(); }

  WebSocketPtr server;
  std::optional<Status> outcome;

 private:
  Loop& loop_;
  std::optional<AnyStream> stream_;
  std::string sent_;
  boost::asio::streambuf answer_;
};

const std::string kUpgrade =
    "GET /sync HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

TEST(Upgrade, accepts_a_proper_request) {
  Loop loop;
  RawClient client(loop);
  EXPECT_TRUE(client.exchange(kUpgrade + "\r\n").starts_with("HTTP/1.1 101 "));
  ASSERT_TRUE(loop.run_until([&] { return client.outcome.has_value(); }));
  EXPECT_TRUE(*client.outcome);
}

TEST(Upgrade, never_negotiates_compression) {
  Loop loop;
  RawClient client(loop);
  const auto answer =
      client.exchange(kUpgrade + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
  EXPECT_EQ(answer.find("permessage-deflate"), std::string::npos) << answer;
}

TEST(Upgrade, refuses_origin_wrong_path_bodies_and_plain_requests) {
  const std::pair<std::string, std::string> cases[] = {
      {kUpgrade + "Origin: https://evil.example\r\n\r\n", "403"},
      {"GET /other HTTP/1.1\r\nHost: h\r\n\r\n", "404"},
      {"GET /syncx HTTP/1.1\r\nHost: h\r\n\r\n", "404"},
      {"GET /sync HTTP/1.1\r\nHost: h\r\n\r\n", "426"},
      {kUpgrade + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
      {kUpgrade + "X: " + std::string(9000, 'x') + "\r\n\r\n", "431"},
      {"\x16\x03\x01 garbage\r\n\r\n", "400"},
  };
  for (const auto& [request, status] : cases) {
    Loop loop;
    RawClient client(loop);
    const auto answer = client.exchange(request);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + status)) << answer;
    ASSERT_TRUE(loop.run_until([&] { return client.outcome.has_value(); }));
    EXPECT_FALSE(*client.outcome);
  }
}

TEST(Upgrade, header_that_never_ends_is_cut_at_the_deadline) {
  Loop loop;
  RawClient client(loop, {.upgrade_timeout = 20ms});
  EXPECT_EQ(client.exchange("GET /sync HT"), "");
  ASSERT_TRUE(loop.run_until([&] { return client.outcome.has_value(); }));
  EXPECT_EQ(client.outcome->error().code, ErrorCode::timeout);
}

TEST(Upgrade, a_decision_that_never_comes_is_cut_at_the_deadline) {
  Loop loop;
  RawClient client(loop, {.upgrade_timeout = 20ms},
                   [](const UpgradeRequest&, const UpgradeDecide&) {});
  EXPECT_EQ(client.exchange(kUpgrade + "\r\n"), "");
  ASSERT_TRUE(loop.run_until([&] { return client.outcome.has_value(); }));
  EXPECT_EQ(client.outcome->error().code, ErrorCode::timeout);
}

TEST(Upgrade, a_client_that_leaves_early_is_an_error_not_a_crash) {
  Loop loop;
  RawClient client(loop);
  client.drop();
  ASSERT_TRUE(loop.run_until([&] { return client.outcome.has_value(); }));
  EXPECT_FALSE(*client.outcome);
}

TEST(Upgrade, handler_sees_token_protocols_and_no_authorization_header) {
  Loop loop;
  UpgradeRequest seen;
  RawClient client(loop, {}, [&](const UpgradeRequest& request, const UpgradeDecide& decide) {
    seen = request;
    auto decision = UpgradeDecision::reject(429, "slow down", "too many");
    decision.retry_after = 7s;
    decide(decision);
    decide(UpgradeDecision::accept(""));  // the second answer is ignored
  });
  const auto answer = client.exchange(
      kUpgrade + "Authorization: bearer s3cret\r\nSec-WebSocket-Protocol: a.v2, b\r\n\r\n");
  EXPECT_NE(answer.find("Retry-After: 7\r\n"), std::string::npos) << answer;
  EXPECT_EQ(seen.bearer_token, "s3cret");
  EXPECT_EQ(seen.subprotocols, (std::vector<std::string>{"a.v2", "b"}));
  for (const auto& [name, value] : seen.headers) EXPECT_EQ(value.find("s3cret"), std::string::npos);
}

// Frames by hand: 0x81 = final text, 0x82 = final binary; 0x80 | n = masked, n bytes.
TEST(Frames, text_closes_with_1003) {
  Loop loop;
  RawClient client(loop);
  client.exchange(kUpgrade + "\r\n");
  ASSERT_TRUE(loop.run_until([&] { return client.server != nullptr; }));
  client.send(std::string("\x81\x82\x00\x00\x00\x00hi", 8));
  std::optional<Result<std::string>> got;
  client.server->async_read([&](Result<std::string> result) { got = std::move(result); });
  EXPECT_EQ(client.receive(4).substr(0, 4), std::string("\x88\x37\x03\xeb", 4));  // 1003
  loop.context.restart();
  loop.context.poll();
  EXPECT_FALSE(got) << "told of the end, its owner cuts the connection before the peer has read";
  client.send(std::string("\x88\x82\x00\x00\x00\x00\x03\xeb", 8));  // the answer
  ASSERT_TRUE(loop.run_until([&] { return got.has_value(); }));
  EXPECT_EQ(got->error().code, ErrorCode::protocol);
  EXPECT_EQ(client.server->close_info().code, 1003);
}

// A peer may send its close frame and be gone: our answer fails, its code must not be lost.
TEST(Frames, the_close_code_survives_a_peer_that_does_not_wait_for_the_answer) {
  Loop loop;
  RawClient client(loop);
  client.exchange(kUpgrade + "\r\n");
  ASSERT_TRUE(loop.run_until([&] { return client.server != nullptr; }));
  client.send(std::string("\x88\x84\x00\x00\x00\x00\x11\x39", 8) + "no");  // 4409
  client.drop();
  EXPECT_EQ(read_one(loop, client.server), std::nullopt);
  EXPECT_EQ(client.server->close_info().code, 4409);
  EXPECT_EQ(client.server->close_info().reason, "no");
}

TEST(Frames, unmasked_and_reserved_frames_are_protocol_errors) {
  for (const std::string& frame : {std::string("\x82\x02hi", 4),                       // unmasked
                                   std::string("\xF2\x82\x00\x00\x00\x00hi", 8),       // rsv bits
                                   std::string("\x83\x82\x00\x00\x00\x00hi", 8)}) {    // opcode 3
    Loop loop;
    RawClient client(loop);
    client.exchange(kUpgrade + "\r\n");
    ASSERT_TRUE(loop.run_until([&] { return client.server != nullptr; }));
    client.send(frame);
    std::optional<Result<std::string>> got;
    client.server->async_read([&](Result<std::string> result) { got = std::move(result); });
    ASSERT_TRUE(loop.run_until([&] { return got.has_value(); }));
    EXPECT_FALSE(*got);
    EXPECT_EQ(client.server->close_info().code, 1002);
  }
}

}  // namespace
}  // namespace zonesync::testing

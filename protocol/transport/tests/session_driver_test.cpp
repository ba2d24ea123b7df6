#include <deque>
#include <thread>

#include <gtest/gtest.h>

#include "protocol/transport/session_driver.hpp"
#include "protocol/transport/tests/harness.hpp"

namespace zonesync::testing {
namespace {

// A session that says what the test put into `outbox` and notes what it hears.
struct ScriptedSession final : SessionPort {
  void on_open(TimePoint) override { log.push_back("open"); }
  void on_message(std::string bytes, TimePoint) override {
    log.push_back("message " + bytes);
    if (bytes == "bye") close = CloseInfo{4400, "you said bye"};
  }
  void on_closed(const CloseInfo& info, TimePoint) override {
    log.push_back("closed " + std::to_string(info.code));
    ++closed;
  }
  void on_tick(TimePoint) override {
    log.push_back("tick");
    deadline.reset();
  }
  std::optional<std::string> next_message(TimePoint) override {
    ++pulls;
    if (outbox.empty()) return std::nullopt;
    auto message = std::move(outbox.front());
    outbox.pop_front();
    return message;
  }
  std::optional<TimePoint> next_deadline() const override { return deadline; }
  std::optional<CloseInfo> wants_close() const override {
    return outbox.empty() ? close : std::nullopt;
  }
  std::size_t message_max_bytes() const override { return log.size() > 1 ? 1u << 20 : 100; }

  std::vector<std::string> log;
  std::deque<std::string> outbox;
  std::optional<TimePoint> deadline;
  std::optional<CloseInfo> close;
  int pulls = 0;
  int closed = 0;
};

struct Fixture {
  explicit Fixture(const MemoryStreamOptions& options = {},
                   const WebSocketLimits& limits = {.message_max_bytes = 1u << 20})
      : pair(loop, options, limits),
        driver(SessionDriver::make(pair.server, session)) {
    pair.server.reset();
  }

  [[nodiscard]] bool heard(const std::string& entry) {
    return loop.run_until([&] { return !session->log.empty() && session->log.back() == entry; });
  }

  Loop loop;
  MemoryPair pair;
  std::shared_ptr<ScriptedSession> session = std::make_shared<ScriptedSession>();
  std::shared_ptr<SessionDriver> driver;
};

TEST(SessionDriver, opens_delivers_and_sends_what_it_pulls) {
  Fixture f;
  f.session->outbox = {"one", "two"};
  f.driver->start();
  EXPECT_EQ(read_one(f.loop, f.pair.client), "one");
  EXPECT_EQ(read_one(f.loop, f.pair.client), "two");
  EXPECT_TRUE(write_one(f.loop, f.pair.client, "up"));
  EXPECT_TRUE(f.heard("message up"));
  EXPECT_EQ(f.session->log.front(), "open");
  EXPECT_EQ(f.driver->traffic().messages_tx, 2u);
  EXPECT_EQ(f.driver->traffic().bytes_tx, 6u);
  EXPECT_EQ(f.driver->traffic().bytes_rx, 2u);
}

TEST(SessionDriver, wake_pulls_and_many_wakes_pull_once) {
  Fixture f;
  f.driver->start();
  EXPECT_TRUE(f.heard("open"));
  const int before = f.session->pulls;
  for (int i = 0; i < 100; ++i) f.driver->wake();
  EXPECT_TRUE(f.loop.run_until([&] { return f.session->pulls > before; }));
  f.loop.context.restart();
  f.loop.context.poll();
  EXPECT_EQ(f.session->pulls, before + 1);
  f.session->outbox = {"late"};
  f.driver->wake();
  EXPECT_EQ(read_one(f.loop, f.pair.client), "late");
}

TEST(SessionDriver, pulls_nothing_while_the_write_slot_is_taken) {
  Fixture f({.buffer_max_bytes = 100});
  f.session->outbox = {std::string(10'000, 'x'), "second", "third"};
  f.driver->start();
  EXPECT_TRUE(f.heard("open"));
  for (int i = 0; i < 10; ++i) f.driver->wake();
  f.loop.context.restart();
  f.loop.context.poll();
  EXPECT_EQ(f.session->outbox.size(), 2u);  // the peer reads nothing: only one is out
  EXPECT_EQ(read_one(f.loop, f.pair.client), std::string(10'000, 'x'));
  EXPECT_EQ(read_one(f.loop, f.pair.client), "second");
}

TEST(SessionDriver, ticks_at_the_deadline) {
  Fixture f;
  f.session->deadline = steady_clock().now() + 5ms;
  f.driver->start();
  EXPECT_TRUE(f.heard("tick"));
  f.driver->post([&] { f.session->deadline = steady_clock().now() - 1s; });
  EXPECT_TRUE(f.loop.run_until([&] { return f.session->log.size() == 3; }));
}

TEST(SessionDriver, a_session_that_wants_to_close_speaks_first) {
  Fixture f;
  f.driver->start();
  f.session->outbox = {"last words"};
  f.session->close = CloseInfo{4409, "superseded"};
  f.driver->wake();
  EXPECT_EQ(read_one(f.loop, f.pair.client), "last words");
  EXPECT_EQ(read_one(f.loop, f.pair.client), std::nullopt);
  EXPECT_EQ(f.pair.client->close_info().code, 4409);
  EXPECT_TRUE(f.heard("closed 4409"));
}

// A stalled peer was kept for ever: the Goodbye waited behind a write that it never took.
TEST(SessionDriver, a_closing_session_ends_though_its_peer_reads_nothing) {
  Fixture f({.buffer_max_bytes = 100});
  f.session->deadline = steady_clock().now() + 1h;
  f.session->outbox = {std::string(10'000, 'x')};
  f.driver->start();
  EXPECT_TRUE(f.heard("open"));
  f.driver->post([&] {
    f.session->outbox = {"Goodbye"};
    f.session->close = CloseInfo{4408, "no packet for too long"};
    f.session->deadline.reset();
  });
  EXPECT_TRUE(f.heard("closed 4408"));
}

TEST(SessionDriver, the_peers_close_code_reaches_the_session_once) {
  Fixture f;
  f.driver->start();
  f.pair.client->async_read([](const Result<std::string>&) {});
  f.pair.client->async_close({1001, "going away"}, [](const Status&) {});
  EXPECT_TRUE(f.heard("closed 1001"));
  f.driver->wake();
  f.driver->request_close({1000, ""});
  f.loop.context.restart();
  f.loop.context.poll();
  EXPECT_EQ(f.session->closed, 1);
}

TEST(SessionDriver, a_lost_connection_is_1006) {
  Fixture f;
  f.driver->start();
  EXPECT_TRUE(f.heard("open"));
  f.pair.client->abort();
  EXPECT_TRUE(f.heard("closed 1006"));
}

TEST(SessionDriver, a_close_asked_for_inside_on_message_is_sent) {
  Fixture f;
  f.driver->start();
  EXPECT_TRUE(write_one(f.loop, f.pair.client, "bye"));
  EXPECT_EQ(read_one(f.loop, f.pair.client), std::nullopt);
  EXPECT_EQ(f.pair.client->close_info().code, 4400);
  EXPECT_TRUE(f.heard("closed 4400"));
}

TEST(SessionDriver, the_message_limit_follows_the_session) {
  Fixture f;
  f.driver->start();
  EXPECT_TRUE(write_one(f.loop, f.pair.client, "hello"));
  EXPECT_TRUE(f.heard("message hello"));
  EXPECT_TRUE(write_one(f.loop, f.pair.client, std::string(1000, 'b')));
  EXPECT_TRUE(f.heard("message " + std::string(1000, 'b')));
}

TEST(SessionDriver, a_first_message_over_the_limit_ends_the_session_with_1009) {
  Fixture f;
  f.driver->start();
  f.pair.client->async_write(std::string(1000, 'b'), [](const Status&) {});
  EXPECT_EQ(read_one(f.loop, f.pair.client), std::nullopt);
  EXPECT_TRUE(f.heard("closed 1009"));
}

TEST(SessionDriver, request_close_from_another_thread_ends_it) {
  Fixture f;
  f.driver->start();
  std::thread other([&] { f.driver->request_close({1012, "restart"}); });
  other.join();
  EXPECT_EQ(read_one(f.loop, f.pair.client), std::nullopt);
  EXPECT_EQ(f.pair.client->close_info().code, 1012);
  EXPECT_TRUE(f.heard("closed 1012"));
}

TEST(SessionDriver, lets_go_of_session_and_socket_at_the_end) {
  Fixture f;
  const std::weak_ptr<ScriptedSession> weak = f.session;
  f.driver->start();
  f.pair.client->abort();
  EXPECT_TRUE(f.heard("closed 1006"));
  f.session.reset();
  EXPECT_TRUE(weak.expired());
}

/// A websocket whose operations the test ends by hand.
struct ManualSocket final : WebSocket {
  explicit ManualSocket(boost::asio::any_io_executor on) : executor(std::move(on)) {}
  void async_read(ReadHandler handler) override { read = std::move(handler); }
  void async_write(std::string, DoneHandler handler) override { written = std::move(handler); }
  void async_write(SharedBytes, DoneHandler handler) override { written = std::move(handler); }
  void async_close(CloseInfo, DoneHandler handler) override { handler({}); }
  void abort() noexcept override { ++aborts; }
  void set_message_max(std::size_t) override {}
  CloseInfo close_info() const override { return {}; }
  const std::string& subprotocol() const override { return name; }
  const PeerInfo& peer() const override { return about; }
  TrafficCounters traffic() const override { return {}; }
  boost::asio::any_io_executor get_executor() override { return executor; }

  boost::asio::any_io_executor executor;
  ReadHandler read;
  DoneHandler written;
  std::string name;
  PeerInfo about;
  int aborts = 0;
};

// A reset ends the read first; the outstanding write ends later, when the driver let go of the
// socket. The flush timer it armed then crashed the hub five seconds later.
TEST(SessionDriver, a_write_that_fails_after_the_end_starts_nothing) {
  boost::asio::io_context context;
  const auto socket = std::make_shared<ManualSocket>(context.get_executor());
  const auto session = std::make_shared<ScriptedSession>();
  session->outbox = {"never arrives"};
  const auto driver = SessionDriver::make(socket, session);
  driver->start();
  context.run();
  ASSERT_TRUE(socket->written);
  socket->read(fail(ErrorCode::unavailable, "reset"));
  ASSERT_EQ(session->closed, 1);
  socket->written(fail(ErrorCode::unavailable, "reset"));
  context.restart();
  EXPECT_EQ(context.run(), 0u) << "no timer is left behind";
  EXPECT_EQ(session->closed, 1);
}

}  // namespace
}  // namespace zonesync::testing

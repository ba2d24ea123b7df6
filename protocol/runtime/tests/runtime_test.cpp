#include <future>
#include <string>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "protocol/runtime/clock.hpp"
#include "protocol/runtime/io_pool.hpp"
#include "protocol/runtime/logger.hpp"
#include "protocol/runtime/timer.hpp"

namespace zonesync {
namespace {
using namespace std::chrono_literals;

TEST(IoPool, hands_out_contexts_in_turn) {
  IoPool pool(3);
  auto* first = &pool.next();
  EXPECT_NE(first, &pool.next());
  (void)pool.next();
  EXPECT_EQ(first, &pool.next());
}

TEST(IoPool, runs_work_on_its_own_thread) {
  IoPool pool(2);
  std::promise<std::thread::id> where[2];
  pool.post(0, [&] { where[0].set_value(std::this_thread::get_id()); });
  pool.post(1, [&] { where[1].set_value(std::this_thread::get_id()); });
  EXPECT_NE(where[0].get_future().get(), where[1].get_future().get());
}

TEST(IoPool, drain_lets_outstanding_work_end) {
  IoPool pool(1);
  bool ran = false;
  pool.post(0, [&] { pool.post(0, [&] { ran = true; }); });
  EXPECT_TRUE(pool.drain(10s));
  EXPECT_TRUE(ran);
}

TEST(IoPool, drain_cuts_off_what_does_not_end) {
  IoPool pool(1);
  Timer timer(pool.at(0));
  std::promise<void> armed;
  pool.post(0, [&] {
    timer.arm_after(1h, [] {});
    armed.set_value();
  });
  armed.get_future().get();
  EXPECT_FALSE(pool.drain(1ms));
}

TEST(Timer, fires_once_and_not_after_cancel) {
  boost::asio::io_context context;
  Timer timer(context);
  int fired = 0;
  timer.arm_after(0ms, [&] { ++fired; });
  context.run();
  EXPECT_EQ(fired, 1);
  EXPECT_FALSE(timer.armed());
  timer.arm_after(0ms, [&] { ++fired; });
  timer.cancel();
  context.restart();
  context.run();
  EXPECT_EQ(fired, 1);
}

TEST(Timer, rearming_replaces_an_expiry_already_queued) {
  boost::asio::io_context context;
  Timer timer(context);
  std::string order;
  timer.arm_at(TimePoint::min(), [&] { order += "old"; });
  boost::asio::post(context, [&] { timer.arm_after(0ms, [&] { order += "new"; }); });
  context.run();
  EXPECT_TRUE(order == "new" || order == "oldnew") << order;
}

TEST(ManualClock, stands_still_until_advanced) {
  ManualClock clock;
  const TimePoint before = clock.now();
  EXPECT_EQ(clock.now(), before);
  clock.advance(5s);
  EXPECT_EQ(clock.now() - before, 5s);
}

TEST(Logger, json_escapes_quotes_newlines_and_terminal_codes) {
  const LogEvent event{LogLevel::warn, "tls.handshake_failed", "a \"b\"\n\x1b[31mred\xC2\x9b",
                       {{"peer", "127.0.0.1:5"}}};
  EXPECT_EQ(format_event(event, LogFormat::json, "T", 4096),
            "{\"time\":\"T\",\"level\":\"warn\",\"event\":\"tls.handshake_failed\","
            "\"msg\":\"a \\\"b\\\"\\n\\u001b[31mred\\u009b\",\"peer\":\"127.0.0.1:5\"}");
}

TEST(Logger, logfmt_quotes_only_where_needed) {
  const LogEvent event{LogLevel::info, "x.y", "two words", {{"n", "5"}, {"empty", ""}}};
  EXPECT_EQ(format_event(event, LogFormat::logfmt, "T", 4096),
            "time=T level=info event=x.y msg=\"two words\" n=5 empty=\"\"");
}

TEST(Logger, long_lines_are_cut_and_stay_parsable) {
  const LogEvent event{LogLevel::info, "x.y", std::string(100'000, '\n'), {{"n", "5"}}};
  const std::string line = format_event(event, LogFormat::json, "T", 4096);
  EXPECT_LE(line.size(), 4096u);
  EXPECT_TRUE(line.ends_with("\"truncated\":\"true\"}")) << line.substr(line.size() - 40);
}

TEST(Logger, capturing_logger_counts_events) {
  CapturingLogger logger;
  logger.log({LogLevel::info, "a", "", {}});
  logger.log({LogLevel::info, "a", "", {}});
  EXPECT_EQ(logger.count("a"), 2u);
  EXPECT_EQ(logger.count("b"), 0u);
}

}  // namespace
}  // namespace zonesync

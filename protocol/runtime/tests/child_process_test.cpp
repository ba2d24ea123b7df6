#include "protocol/runtime/child_process.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

namespace zonesync {
namespace {

using namespace std::chrono_literals;

ChildProcess::Options shell(const std::string& script) {
  ChildProcess::Options options;
  options.argv = {"/bin/sh", "-c", script};
  return options;
}

TEST(ChildProcess, ReadsLinesAndExitCode) {
  auto child = ChildProcess::start(shell("echo one; echo two >&2; exit 7")).value();
  const auto exit = child->wait(60s);
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->code, 7);
  EXPECT_TRUE(child->wait_line([](const auto& line) { return line == "two"; }, 60s).has_value());
}

TEST(ChildProcess, WaitLineStartsAfterTheLineBefore) {
  auto child = ChildProcess::start(shell("echo a1; echo b; echo a2; exec cat")).value();
  const auto is_a = [](const std::string& line) { return line[0] == 'a'; };
  EXPECT_EQ(child->wait_line(is_a, 60s), "a1");
  EXPECT_EQ(child->wait_line(is_a, 60s), "a2");
}

TEST(ChildProcess, AKilledChildSaysSo) {
  auto child = ChildProcess::start(shell("echo up; exec sleep 600")).value();
  ASSERT_TRUE(child->wait_line([](const auto& line) { return line == "up"; }, 60s));
  EXPECT_TRUE(child->running());
  child->signal(SIGKILL);
  const auto exit = child->wait(60s);
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->signal, SIGKILL);
  EXPECT_FALSE(child->running());
  child->signal(SIGKILL);  // reaped: no process of somebody else is hit
}

// A zone behind the fault proxy never saw its hub die: a child held a copy of the proxy's socket.
TEST(ChildProcess, InheritsNoDescriptors) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);  // without O_CLOEXEC, as Asio opens its sockets
  auto child = ChildProcess::start(shell("echo up; exec sleep 60")).value();
  ASSERT_TRUE(child->wait_line([](const auto& line) { return line == "up"; }, 60s).has_value());
  ::close(ends[1]);
  pollfd end{ends[0], POLLIN, 0};
  EXPECT_EQ(::poll(&end, 1, 0), 1) << "the other end is still open: in the child";
  ::close(ends[0]);
}

TEST(ChildProcess, AMissingProgramIsAnError) {
  ChildProcess::Options options;
  options.argv = {"/nonexistent/program"};
  EXPECT_EQ(ChildProcess::start(options).error().code, ErrorCode::not_found);
  EXPECT_EQ(ChildProcess::start({}).error().code, ErrorCode::invalid_argument);
}

TEST(ChildProcess, NothingComesOfAChildThatEndsSilently) {
  auto child = ChildProcess::start(shell("exit 0")).value();
  EXPECT_FALSE(child->wait_line([](const auto&) { return true; }, 60s).has_value());
}

}  // namespace
}  // namespace zonesync

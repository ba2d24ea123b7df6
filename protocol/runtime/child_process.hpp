// A child process of ours: started, watched line by line, signalled, reaped. For the demo and for
// tests with real processes.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "protocol/model/result.hpp"

namespace zonesync {

/// Life cycle: start() → ... → wait() or the destructor, which kills (SIGKILL) and reaps. The child
/// dies with the thread that started it (PR_SET_PDEATHSIG): start it from a thread that lives on.
/// Thread rule: every call from any thread; `on_line` runs on a reader thread of the object.
class ChildProcess {
 public:
  struct Options {
    std::vector<std::string> argv;             // argv[0] is a path
    std::vector<std::string> extra_env;        // NAME=value, beside our own environment
    std::string stderr_file;                   // empty = read by lines; else appended to this file
    std::function<void(const std::string&)> on_line;  // every line of stdout and, if read, stderr
    std::size_t keep_lines = 2'000;            // newest lines kept for wait_line and messages
  };
  struct Exit {
    int code = 0;       // exit status, or 0
    int signal = 0;     // or the signal that ended it
  };

  [[nodiscard]] static Result<std::unique_ptr<ChildProcess>> start(Options options);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool running();
  /// Sends a signal to this child, by its id; nothing when it was reaped.
  void signal(int number);
  /// Waits until the child ended; nothing when the deadline passed first.
  [[nodiscard]] std::optional<Exit> wait(std::chrono::milliseconds deadline);
  /// Waits for a line (past or future) that `matches`; nothing when the child ended or the deadline
  /// passed without one. Each call starts after the line that the call before returned.
  [[nodiscard]] std::optional<std::string> wait_line(
      const std::function<bool(const std::string&)>& matches, std::chrono::milliseconds deadline);
  /// The newest lines, for failure messages.
  [[nodiscard]] std::string recent_lines(std::size_t count = 40);

 private:
  ChildProcess() = default;
  void read_lines(int fd);
  void add_line(std::string line);
  bool reap(bool block);

  Options options_;
  pid_t pid_ = -1;
  std::vector<std::thread> readers_;
  std::mutex mutex_;                   // guards everything below
  std::condition_variable changed_;
  std::deque<std::string> lines_;
  std::uint64_t first_line_ = 0;       // number of lines_.front()
  std::uint64_t next_unseen_ = 0;      // for wait_line
  unsigned open_pipes_ = 0;
  std::optional<Exit> exit_;
};

}  // namespace zonesync

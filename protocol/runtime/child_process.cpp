#include "protocol/runtime/child_process.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace zonesync {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(20);

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> all;
  for (std::string& each : strings) all.push_back(each.data());
  all.push_back(nullptr);
  return all;
}

std::vector<std::string> environment(const std::vector<std::string>& extra) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) all.emplace_back(*entry);
  all.insert(all.end(), extra.begin(), extra.end());
  return all;
}

/// In the child, between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(pid_t parent, int out, int err, char* const* argv, char* const* env) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // the parent died meanwhile
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = ::open("/dev/null", O_RDONLY);
  if (null < 0 || ::dup2(null, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(err, 2) < 0) ::_exit(127);
  // Asio's sockets would live on in the child: a connection that the parent resets would stay open.
  ::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
  ::execve(argv[0], argv, env);
  ::_exit(127);
}

}  // namespace

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(Options options) {
  if (options.argv.empty()) return fail(ErrorCode::invalid_argument, "no program given", "argv");
  if (::access(options.argv[0].c_str(), X_OK) != 0) {
    return fail(ErrorCode::not_found, "cannot execute " + options.argv[0], "argv");
  }
  int out[2];
  if (::pipe2(out, O_CLOEXEC) != 0) {
    return fail(ErrorCode::unavailable, std::string("pipe: ") + std::strerror(errno));
  }
  int err = out[1];
  if (!options.stderr_file.empty()) {
    err = ::open(options.stderr_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (err < 0) {
      const std::string why = std::strerror(errno);
      ::close(out[0]);
      ::close(out[1]);
      return fail(ErrorCode::storage_io, "cannot open: " + why, options.stderr_file);
    }
  }
  std::vector<std::string> env = environment(options.extra_env);
  std::unique_ptr<ChildProcess> child(new ChildProcess);
  child->options_ = std::move(options);
  const auto argv = pointers(child->options_.argv);
  const auto envp = pointers(env);
  const pid_t parent = ::getpid();
  child->pid_ = ::fork();
  if (child->pid_ == 0) become(parent, out[1], err, argv.data(), envp.data());
  const int fork_error = errno;
  ::close(out[1]);
  if (err != out[1]) ::close(err);
  if (child->pid_ < 0) {
    ::close(out[0]);
    return fail(ErrorCode::unavailable, std::string("fork: ") + std::strerror(fork_error));
  }
  child->open_pipes_ = 1;
  child->readers_.emplace_back([raw = child.get(), fd = out[0]] { raw->read_lines(fd); });
  return child;
}

ChildProcess::~ChildProcess() {
  if (pid_ > 0) {
    signal(SIGKILL);
    reap(true);
  }
  for (std::thread& reader : readers_) reader.join();
}

void ChildProcess::read_lines(int fd) {
  constexpr std::size_t kLineMax = 64u << 10;
  std::string partial;
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    for (ssize_t i = 0; i < got; ++i) {
      if (buffer[i] != '\n' && partial.size() < kLineMax) {
        partial.push_back(buffer[i]);
      } else {
        add_line(std::move(partial));
        partial.clear();
      }
    }
  }
  if (!partial.empty()) add_line(std::move(partial));
  ::close(fd);
  const std::lock_guard lock(mutex_);
  --open_pipes_;
  changed_.notify_all();
}

void ChildProcess::add_line(std::string line) {
  if (options_.on_line) options_.on_line(line);
  const std::lock_guard lock(mutex_);
  lines_.push_back(std::move(line));
  if (lines_.size() > options_.keep_lines) {
    lines_.pop_front();
    ++first_line_;
  }
  changed_.notify_all();
}

bool ChildProcess::reap(bool block) {
  const std::lock_guard lock(mutex_);
  if (exit_) return true;
  int status = 0;
  pid_t got = 0;
  do {
    got = ::waitpid(pid_, &status, block ? 0 : WNOHANG);
  } while (got < 0 && errno == EINTR);
  if (got != pid_) return false;
  Exit exit;
  if (WIFEXITED(status)) exit.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) exit.signal = WTERMSIG(status);
  exit_ = exit;
  return true;
}

bool ChildProcess::running() { return !reap(false); }

void ChildProcess::signal(int number) {
  if (reap(false)) return;
  const std::lock_guard lock(mutex_);
  if (!exit_) ::kill(pid_, number);
}

std::optional<ChildProcess::Exit> ChildProcess::wait(std::chrono::milliseconds deadline) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  while (!reap(false)) {
    if (std::chrono::steady_clock::now() >= until) return std::nullopt;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPoll);  // woken early when its output ends
  }
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, until, [&] { return open_pipes_ == 0; });
  return exit_;
}

std::optional<std::string> ChildProcess::wait_line(
    const std::function<bool(const std::string&)>& matches, std::chrono::milliseconds deadline) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  std::unique_lock lock(mutex_);
  for (;;) {
    if (next_unseen_ < first_line_) next_unseen_ = first_line_;
    while (next_unseen_ < first_line_ + lines_.size()) {
      const std::string& line = lines_[next_unseen_++ - first_line_];
      if (matches(line)) return line;
    }
    if (open_pipes_ == 0) return std::nullopt;
    if (changed_.wait_until(lock, until) == std::cv_status::timeout) return std::nullopt;
  }
}

std::string ChildProcess::recent_lines(std::size_t count) {
  const std::lock_guard lock(mutex_);
  std::string text;
  const std::size_t begin = lines_.size() > count ? lines_.size() - count : 0;
  for (std::size_t i = begin; i < lines_.size(); ++i) text += lines_[i] + "\n";
  return text;
}

}  // namespace zonesync

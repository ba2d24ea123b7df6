#include "conformance/adapters/json_lines.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "conformance/adapters/resource_json.hpp"

namespace zonesync::conform {
namespace {

constexpr auto kDeadline = std::chrono::seconds(30);
constexpr int kSliceMs = 2;
constexpr std::size_t kLineMaxBytes = 64u << 20;

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Result<std::unique_ptr<JsonLines>> JsonLines::start(const std::string& command) {
  int in[2];
  int out[2];
  if (::pipe2(in, O_CLOEXEC) != 0) return fail(ErrorCode::unavailable, "no pipe for the adapter");
  if (::pipe2(out, O_CLOEXEC) != 0) {
    ::close(in[0]);
    ::close(in[1]);
    return fail(ErrorCode::unavailable, "no pipe for the adapter");
  }
  ::signal(SIGPIPE, SIG_IGN);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::setpgid(0, 0);
    ::dup2(in[0], 0);
    ::dup2(out[1], 1);
    ::execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  if (pid < 0) {
    ::close(in[1]);
    ::close(out[0]);
    return fail(ErrorCode::unavailable, "the adapter cannot be started: " + command);
  }
  auto lines = std::unique_ptr<JsonLines>(new JsonLines());
  lines->pid_ = pid;
  lines->to_ = in[1];
  lines->from_ = out[0];
  return lines;
}

JsonLines::~JsonLines() {
  ::close(to_);
  constexpr int kTries = 100;
  int status = 0;
  bool gone = false;
  for (int at = 0; at < kTries && !gone; ++at) {
    gone = ::waitpid(pid_, &status, WNOHANG) == pid_;
    if (!gone) {
      pollfd none{from_, POLLIN, 0};
      if (::poll(&none, 1, 5) > 0) {   // what it still says is of no interest
        char rest[4'096];
        if (::read(from_, rest, sizeof rest) < 0) break;
      }
    }
  }
  if (!gone) {
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, &status, 0);
  }
  ::close(from_);
}

Result<std::string> JsonLines::read_line(const std::function<void()>& meanwhile) {
  const auto until = std::chrono::steady_clock::now() + kDeadline;
  for (;;) {
    if (const auto end = buffer_.find('\n'); end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    if (std::chrono::steady_clock::now() >= until) {
      return fail(ErrorCode::timeout, "the adapter did not answer in 30 s");
    }
    if (buffer_.size() > kLineMaxBytes) return fail(ErrorCode::too_large, "an adapter's line");
    if (meanwhile) meanwhile();
    pollfd ready{from_, POLLIN, 0};
    if (::poll(&ready, 1, kSliceMs) <= 0) continue;
    char bytes[65'536];
    const ssize_t got = ::read(from_, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail(ErrorCode::unavailable, "the adapter ended");
    buffer_.append(bytes, static_cast<std::size_t>(got));
  }
}

Result<boost::json::object> JsonLines::call(std::string_view op, boost::json::object request,
                                            const std::function<void()>& meanwhile) {
  const std::uint64_t id = next_id_++;
  request["id"] = id;
  request["op"] = op;
  if (!write_all(to_, boost::json::serialize(request) + "\n")) {
    return fail(ErrorCode::unavailable, "the adapter ended");
  }
  for (;;) {
    auto line = read_line(meanwhile);
    if (!line) return fail(line.error());
    boost::system::error_code failed;
    boost::json::value value = boost::json::parse(*line, failed);
    if (failed || !value.is_object()) {
      return fail(ErrorCode::protocol, "the adapter's line is no JSON object: " +
                                           line->substr(0, 100));
    }
    boost::json::object& answer = value.get_object();
    if (number_at(answer, "id") != id) continue;
    if (!flag_at(answer, "ok")) {
      return fail(ErrorCode::invalid_argument,
                  std::string(op) + ": " + text_at(answer, "error"));
    }
    return std::move(answer);
  }
}

}  // namespace zonesync::conform

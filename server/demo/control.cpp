#include "server/demo/control.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace zonesync::demo {
namespace {

constexpr std::size_t kLineMax = 1024;
constexpr int kAnswerTimeoutMs = 10'000;

bool make_address(const std::string& path, sockaddr_un& address) {
  address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  return true;
}

/// One line, at most kLineMax bytes, within the time; empty on trouble.
std::string read_line(int fd) {
  std::string line;
  char c = 0;
  while (line.size() < kLineMax) {
    pollfd waiting{fd, POLLIN, 0};
    if (::poll(&waiting, 1, kAnswerTimeoutMs) <= 0) return {};
    const ssize_t got = ::read(fd, &c, 1);
    if (got <= 0 || c == '\n') break;
    line.push_back(c);
  }
  return line;
}

void write_line(int fd, std::string line) {
  line += '\n';
  [[maybe_unused]] const ssize_t sent = ::send(fd, line.data(), line.size(), MSG_NOSIGNAL);
}

/// A pointer of somebody else is never followed or replaced.
Status write_pointer(const std::string& socket_path) {
  const std::string pointer = pointer_path();
  ::unlink(pointer.c_str());
  const int fd =
      ::open(pointer.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  const std::string line = socket_path + "\n";
  const bool written =
      fd >= 0 && ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  if (fd >= 0) ::close(fd);
  if (!written) return fail(ErrorCode::unavailable, "cannot write the demo's pointer", pointer);
  return {};
}

/// The socket of this user's newest demo; empty = none.
std::string read_pointer() {
  const std::string pointer = pointer_path();
  struct stat info {};
  if (::lstat(pointer.c_str(), &info) != 0 || !S_ISREG(info.st_mode) ||
      info.st_uid != ::getuid()) {
    return {};
  }
  std::ifstream file(pointer);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

std::string pointer_path() {
  const char* base = std::getenv("XDG_RUNTIME_DIR");
  const std::string folder = base != nullptr && *base != 0 ? base : "/tmp";
  return folder + "/zonesync-demo-" + std::to_string(::getuid());
}

Result<std::unique_ptr<ControlServer>> ControlServer::start(const std::string& socket_path,
                                                           ControlHandler handler) {
  std::unique_ptr<ControlServer> server(new ControlServer);
  server->socket_path_ = socket_path;
  server->handler_ = std::move(handler);
  sockaddr_un address{};
  if (!make_address(socket_path, address)) {
    return fail(ErrorCode::invalid_argument, "the path of a control socket is too long",
                socket_path);
  }
  server->listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto* raw = reinterpret_cast<const sockaddr*>(&address);
  if (server->listener_ < 0 || ::bind(server->listener_, raw, sizeof address) != 0 ||
      ::chmod(socket_path.c_str(), 0600) != 0 || ::listen(server->listener_, 4) != 0 ||
      ::pipe2(server->stop_pipe_, O_CLOEXEC) != 0) {
    return fail(ErrorCode::unavailable, std::string("control socket: ") + std::strerror(errno),
                socket_path);
  }
  if (auto status = write_pointer(socket_path); !status) return fail(status.error());
  server->thread_ = std::thread([raw_server = server.get()] { raw_server->serve(); });
  return server;
}

ControlServer::~ControlServer() {
  if (thread_.joinable()) {
    [[maybe_unused]] const ssize_t sent = ::write(stop_pipe_[1], "x", 1);
    thread_.join();
  }
  for (const int fd : {listener_, stop_pipe_[0], stop_pipe_[1]}) {
    if (fd >= 0) ::close(fd);
  }
  ::unlink(socket_path_.c_str());
  if (read_pointer() == socket_path_) ::unlink(pointer_path().c_str());
}

void ControlServer::serve() {
  for (;;) {
    pollfd waiting[2] = {{listener_, POLLIN, 0}, {stop_pipe_[0], POLLIN, 0}};
    if (::poll(waiting, 2, -1) < 0 && errno != EINTR) return;
    if (waiting[1].revents != 0) return;
    if (waiting[0].revents == 0) continue;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    const std::string request = read_line(client);
    auto answer = handler_(request);
    write_line(client, answer ? "ok " + *answer : "error " + answer.error().message);
    ::close(client);
  }
}

Result<std::string> send_control(const std::string& request) {
  const std::string socket_path = read_pointer();
  sockaddr_un address{};
  if (socket_path.empty() || !make_address(socket_path, address)) {
    return fail(ErrorCode::not_found, "no demo is running; start one with: zonesync-hub demo");
  }
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 ||
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (fd >= 0) ::close(fd);
    return fail(ErrorCode::not_found, "no demo is running; start one with: zonesync-hub demo");
  }
  write_line(fd, request);
  const std::string answer = read_line(fd);
  ::close(fd);
  if (answer.rfind("ok ", 0) == 0) return answer.substr(3);
  if (answer.rfind("error ", 0) == 0) return fail(ErrorCode::invalid_argument, answer.substr(6));
  return fail(ErrorCode::unavailable, "the demo gave no answer");
}

}  // namespace zonesync::demo

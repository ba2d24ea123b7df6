// How `zonesync-hub demo cut|heal|slow|poison ZONE` reaches a running demo: one request, one answer
// line over a unix socket in the demo's directory, found through a pointer file of the user.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "protocol/model/result.hpp"

namespace zonesync::demo {

/// Answers one request line, e.g. "cut west"; an error's message goes back to the caller.
using ControlHandler = std::function<Result<std::string>(const std::string& request)>;

/// Server side. Life cycle: listens from start() to the destructor, which removes socket and
/// pointer. Thread rule: the handler runs on the object's own thread, one request at a time.
class ControlServer {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ControlServer>> start(const std::string& socket_path,
                                                                   ControlHandler handler);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

 private:
  ControlServer() = default;
  void serve();
  std::string socket_path_;
  ControlHandler handler_;
  int listener_ = -1;
  int stop_pipe_[2] = {-1, -1};
  std::thread thread_;
};

/// Where the pointer to the newest demo of this user lies.
[[nodiscard]] std::string pointer_path();
/// Sends one request to the running demo. Errors: not_found (no demo runs), unavailable,
/// invalid_argument (the demo refused; its words).
[[nodiscard]] Result<std::string> send_control(const std::string& request);

}  // namespace zonesync::demo

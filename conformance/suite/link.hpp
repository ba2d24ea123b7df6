// One websocket connection to a subject, seen from the scripted peer's end.
#pragma once

#include <optional>
#include <string>

#include "protocol/core/session_port.hpp"

namespace zonesync::conform {

/// Life cycle: made by a subject, open; dropping it cuts the connection.
/// Thread rule: the test's one thread.
class Link {
 public:
  virtual ~Link() = default;
  /// Sends one binary message; nothing when the connection is over.
  virtual void send(std::string message) = 0;
  /// The next message. Waits until one came, the connection ended, or nothing more will come by
  /// itself (virtual time) or came within the deadline (real time).
  [[nodiscard]] virtual std::optional<std::string> receive() = 0;
  /// As receive, but gives up after a short quiet time.
  [[nodiscard]] virtual std::optional<std::string> poll() = 0;
  /// How the connection ended, once every message before the end was received.
  [[nodiscard]] virtual std::optional<CloseInfo> closed() const = 0;
  /// The connection is lost without a close frame.
  virtual void cut() = 0;
  /// Sends a close frame.
  virtual void close(CloseInfo info) = 0;
  /// A text frame; false = this link has none.
  virtual bool send_text(std::string /*text*/) { return false; }
};

}  // namespace zonesync::conform

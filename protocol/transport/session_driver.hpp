// Connects a sans-IO session to a websocket and to the clock.
#pragma once

#include <functional>
#include <memory>

#include "protocol/core/session_port.hpp"
#include "protocol/runtime/clock.hpp"
#include "protocol/transport/websocket.hpp"

namespace zonesync {

/// Pump: one read always outstanding; whenever the write slot is free the next message is pulled
/// from the session; one timer stands at next_deadline(). When the session wants to close, what it
/// still has to say is written first, then the close frame.
///
/// Life cycle: make(), then start() once; it keeps itself, the session and the websocket alive
/// until the connection ended, then calls on_closed exactly once and lets go of all three.
/// Thread rule: wake() and request_close() from any thread; everything else, and every call into
/// the session, on the websocket's thread.
class SessionDriver : public std::enable_shared_from_this<SessionDriver> {
 public:
  virtual ~SessionDriver() = default;

  [[nodiscard]] static std::shared_ptr<SessionDriver> make(
      WebSocketPtr socket, std::shared_ptr<SessionPort> session,
      const Clock& clock = steady_clock());

  virtual void start() = 0;
  /// Something to send may exist now: pull. Cheap; many calls before the pull count as one.
  virtual void wake() = 0;
  /// Closes from outside the session (shutdown); the session hears on_closed as always.
  virtual void request_close(CloseInfo info) = 0;
  /// Runs `work` on the websocket's thread and pulls afterwards; dropped after the end. Any thread.
  virtual void post(std::function<void()> work) = 0;
  /// Any thread.
  [[nodiscard]] virtual TrafficCounters traffic() const = 0;
};

}  // namespace zonesync

// What a driver (transport) needs from a sans-IO session: bytes and time in, bytes out by pull.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "protocol/core/time.hpp"

namespace zonesync {

struct CloseInfo {
  std::uint16_t code = 1006;  // websocket close code; 1006 = lost without a close frame
  std::string reason;
};

/// Thread rule: every call on the connection's one thread.
class SessionPort {
 public:
  virtual ~SessionPort() = default;

  /// The websocket is open; called once, first.
  virtual void on_open(TimePoint now) = 0;
  /// One binary message; `bytes` starts 8-aligned.
  virtual void on_message(std::string bytes, TimePoint now) = 0;
  /// Called exactly once, last; no call after it.
  virtual void on_closed(const CloseInfo& info, TimePoint now) = 0;
  /// Time passed: called at next_deadline() or later.
  virtual void on_tick(TimePoint now) = 0;

  /// Pull: called after every event and whenever the write slot is free; nothing = nothing to send
  /// now. The queue is the log: data is read only when it can leave.
  [[nodiscard]] virtual std::optional<std::string> next_message(TimePoint now) = 0;
  /// When on_tick must be called at the latest.
  [[nodiscard]] virtual std::optional<TimePoint> next_deadline() const = 0;
  /// Set once the session wants the connection closed; asked after every event, after
  /// next_message returned nothing.
  [[nodiscard]] virtual std::optional<CloseInfo> wants_close() const = 0;
  /// Largest message to accept now (small before Hello).
  [[nodiscard]] virtual std::size_t message_max_bytes() const = 0;
};

}  // namespace zonesync

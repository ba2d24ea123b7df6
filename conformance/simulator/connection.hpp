// One websocket over TCP between a zone and the hub, with the driver's part of the work: messages
// are pulled while the send buffer has room, ticks come at deadlines, a wanted close is a close
// frame behind what was said before.
//
// Inside one connection nothing is reordered. A message is delivered whole or never: what a reset
// cuts in the middle is lost, what lies behind it too; ends notice a reset at different times, so
// that late bytes arrive while the zone is connected anew.
//
// Life cycle: made open; ends when both ends heard on_closed or died. Thread rule: one thread.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "conformance/simulator/environment.hpp"
#include "protocol/core/session_port.hpp"

namespace zonesync::sim {

enum class Side : std::uint8_t { zone = 0, hub = 1 };
[[nodiscard]] constexpr Side other(Side side) {
  return side == Side::zone ? Side::hub : Side::zone;
}

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Environment& env, std::string name, std::uint64_t number);

  /// `after_event` runs after every call into the session of that side.
  void attach(Side side, std::shared_ptr<SessionPort> port, std::function<void()> after_event);
  /// Both ends hear on_open.
  void open();
  /// The session may have something to say: pulled in an event of its own.
  void wake(Side side);

  // -- faults ------------------------------------------------------------------------------------
  /// The path breaks; each end notices within `notice_max`.
  void reset(Rng& rng, Duration notice_max);
  /// Nothing moves in one direction for a while; nothing is lost.
  void stall(Side from, Duration duration);
  /// What one side says from now on is lost without a sign.
  void half_open(Side from) { pipe(from).swallows = true; }
  /// The process of one side is gone. `silent`: the machine too, so nobody sends a reset.
  void process_died(Side side, Rng& rng, bool silent);

  [[nodiscard]] bool ended() const { return end(Side::zone).gone && end(Side::hub).gone; }
  [[nodiscard]] bool alive(Side side) const { return !end(side).gone; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  struct Message {
    TimePoint due;
    std::string bytes;
    std::optional<CloseInfo> close;
  };
  struct Pipe {                          // what one side said
    std::deque<Message> messages;
    std::size_t bytes = 0;
    TimePoint last{};
    TimePoint stalled_until{};
    bool delivery_due = false;
    bool swallows = false;
    bool broken = false;                 // a reset: nothing new enters
  };
  struct End {
    std::shared_ptr<SessionPort> port;
    std::function<void()> after_event;
    bool gone = false;
    bool closing = false;
    bool wake_due = false;
    std::optional<TimePoint> tick_at;
    std::uint64_t tick = 0;
  };
  [[nodiscard]] End& end(Side side) { return ends_[static_cast<std::size_t>(side)]; }
  [[nodiscard]] const End& end(Side side) const { return ends_[static_cast<std::size_t>(side)]; }
  [[nodiscard]] Pipe& pipe(Side from) { return pipes_[static_cast<std::size_t>(from)]; }
  void later(TimePoint when, std::function<void(Connection&)> work);
  void pump(Side side);
  void arm_tick(Side side);
  void send(Side from, Message message);
  void schedule_delivery(Side from);
  void deliver(Side from);
  void begin_close(Side side, const CloseInfo& info);
  void finish(Side side, const CloseInfo& info);

  Environment& env_;
  std::string name_;
  Rng rng_;
  std::array<End, 2> ends_;
  std::array<Pipe, 2> pipes_;
};

}  // namespace zonesync::sim

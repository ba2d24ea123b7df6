#include "conformance/simulator/connection.hpp"

#include <algorithm>
#include <utility>

#include "protocol/core/session.hpp"

namespace zonesync::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kSendBufferBytes = 8u << 10;
constexpr Duration kCloseTimeout = 5s;
const CloseInfo kLost{1006, "the connection was lost"};

/// Close codes that two right implementations never have a reason for.
bool breaks_a_rule(std::uint16_t code) {
  return code == close_code::kMalformed || code == close_code::kCreditViolated ||
         code == close_code::kTooBig;
}

std::string_view side_name(Side side) { return side == Side::zone ? "zone" : "hub"; }

}  // namespace

Connection::Connection(Environment& env, std::string name, std::uint64_t number)
    : env_(env),
      name_(std::move(name)),
      rng_(env.stream("link/" + name_ + "/" + std::to_string(number))) {}

void Connection::attach(Side side, std::shared_ptr<SessionPort> port,
                        std::function<void()> after_event) {
  end(side).port = std::move(port);
  end(side).after_event = std::move(after_event);
}

void Connection::later(TimePoint when, std::function<void(Connection&)> work) {
  env_.scheduler.at(when, [weak = weak_from_this(), work = std::move(work)] {
    if (const auto self = weak.lock()) work(*self);
  });
}

void Connection::open() {
  for (const Side side : {Side::hub, Side::zone}) {
    end(side).port->on_open(env_.scheduler.now());
    pump(side);
  }
}

void Connection::wake(Side side) {
  if (std::exchange(end(side).wake_due, true)) return;
  later(env_.scheduler.now(), [side](Connection& self) {
    self.end(side).wake_due = false;
    self.pump(side);
  });
}

// -- the driver -----------------------------------------------------------------------------------

void Connection::pump(Side side) {
  End& here = end(side);
  if (here.gone || here.closing) return;
  const auto port = here.port;
  while (pipe(side).bytes < kSendBufferBytes) {
    auto message = port->next_message(env_.scheduler.now());
    if (!message) break;
    send(side, Message{{}, std::move(*message), std::nullopt});
  }
  if (pipe(side).bytes >= kSendBufferBytes) env_.probe(Probe::send_buffer_full);
  if (const auto wish = port->wants_close()) {
    begin_close(side, *wish);
  } else {
    arm_tick(side);
  }
  if (here.after_event) here.after_event();
}

void Connection::arm_tick(Side side) {
  End& here = end(side);
  const auto deadline = here.port->next_deadline();
  if (!deadline) {
    here.tick_at.reset();
    return;
  }
  const TimePoint when = std::max(*deadline, env_.scheduler.now() + 1ms);
  if (here.tick_at && *here.tick_at <= when && *here.tick_at > env_.scheduler.now()) return;
  here.tick_at = when;
  later(when, [side, tick = ++here.tick](Connection& self) {
    End& end_now = self.end(side);
    if (end_now.gone || end_now.closing || end_now.tick != tick) return;
    end_now.tick_at.reset();
    end_now.port->on_tick(self.env_.scheduler.now());
    self.pump(side);
  });
}

void Connection::begin_close(Side side, const CloseInfo& info) {
  end(side).closing = true;
  env_.note("close", name_, info.code, static_cast<std::uint64_t>(side));
  if (info.code == 4408) env_.probe(Probe::silence_close);
  if (info.code == 4460) env_.probe(Probe::cursor_moved_close);
  if (breaks_a_rule(info.code)) {
    env_.broken("P8: our own peer broke a rule of the protocol: " + info.reason, name_);
  }
  send(side, Message{{}, {}, info});
  later(env_.scheduler.now() + kCloseTimeout,
        [side, info](Connection& self) { self.finish(side, info); });
}

void Connection::finish(Side side, const CloseInfo& info) {
  End& here = end(side);
  if (std::exchange(here.gone, true)) return;
  env_.note("closed", name_, info.code, static_cast<std::uint64_t>(side));
  const auto port = std::move(here.port);
  here.port.reset();
  port->on_closed(info, env_.scheduler.now());
}

// -- the wire -------------------------------------------------------------------------------------

void Connection::send(Side from, Message message) {
  Pipe& out = pipe(from);
  if (out.broken) return;
  if (out.swallows) {
    env_.probe(Probe::half_open_swallowed);
    return;
  }
  out.last = std::max(out.last + 1us, env_.scheduler.now() + rng_.up_to(env_.plan.link_delay));
  message.due = out.last;
  out.bytes += message.bytes.size();
  out.messages.push_back(std::move(message));
  schedule_delivery(from);
}

void Connection::schedule_delivery(Side from) {
  Pipe& out = pipe(from);
  if (out.delivery_due || out.messages.empty()) return;
  out.delivery_due = true;
  later(std::max(out.messages.front().due, out.stalled_until), [from](Connection& self) {
    self.pipe(from).delivery_due = false;
    self.deliver(from);
  });
}

void Connection::deliver(Side from) {
  Pipe& out = pipe(from);
  const TimePoint now = env_.scheduler.now();
  if (out.messages.empty()) return;
  if (out.messages.front().due > now || out.stalled_until > now) return schedule_delivery(from);
  Message message = std::move(out.messages.front());
  out.messages.pop_front();
  out.bytes -= message.bytes.size();
  schedule_delivery(from);
  const Side to = other(from);
  End& there = end(to);
  if (!there.gone && message.close) {
    finish(to, *message.close);
    later(now + rng_.up_to(env_.plan.link_delay),
          [from, info = *message.close](Connection& self) { self.finish(from, info); });
  } else if (!there.gone && !there.closing) {
    if (end(from).gone) {
      env_.probe(to == Side::hub ? Probe::late_bytes_at_hub : Probe::late_bytes_at_zone);
    }
    ++env_.deliveries;
    env_.note(side_name(from), name_, message.bytes.size());
    if (message.bytes.size() > there.port->message_max_bytes()) {
      begin_close(to, CloseInfo{1009, "message too big"});
    } else {
      const auto port = there.port;
      port->on_message(std::move(message.bytes), now);
      pump(to);
    }
  }
  wake(from);  // the send buffer has room again
}

// -- faults ---------------------------------------------------------------------------------------

void Connection::reset(Rng& rng, Duration notice_max) {
  env_.note("reset", name_);
  const TimePoint now = env_.scheduler.now();
  for (const Side from : {Side::zone, Side::hub}) {
    Pipe& out = pipe(from);
    out.broken = true;
    const std::size_t kept = rng.below(out.messages.size() + 1);
    if (kept < out.messages.size()) env_.probe(Probe::message_lost_in_reset);
    while (out.messages.size() > kept) {
      out.bytes -= out.messages.back().bytes.size();
      out.messages.pop_back();
    }
  }
  for (const Side side : {Side::zone, Side::hub}) {
    later(now + rng.up_to(notice_max), [side](Connection& self) { self.finish(side, kLost); });
  }
}

void Connection::stall(Side from, Duration duration) {
  pipe(from).stalled_until = std::max(pipe(from).stalled_until, env_.scheduler.now() + duration);
}

void Connection::process_died(Side side, Rng& rng, bool silent) {
  End& here = end(side);
  if (here.gone) return;
  here.gone = true;
  here.port.reset();
  here.after_event = {};
  pipe(side).broken = true;
  if (silent) return;  // the other side finds out by silence
  later(env_.scheduler.now() + rng.up_to(2 * env_.plan.link_delay),
        [side](Connection& self) { self.finish(other(side), kLost); });
}

}  // namespace zonesync::sim

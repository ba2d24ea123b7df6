// The only place that reads the clock; sans-IO parts receive a TimePoint instead.
#pragma once

#include <atomic>
#include <chrono>

#include "protocol/core/time.hpp"

namespace zonesync {

/// Source of monotonic time. Thread rule: now() from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual TimePoint now() const noexcept = 0;
};

/// The real clock. One shared instance: steady_clock().
class SteadyClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const noexcept override { return std::chrono::steady_clock::now(); }
};

/// Lives as long as the process.
[[nodiscard]] inline const Clock& steady_clock() {
  static const SteadyClock clock;
  return clock;
}

/// Virtual time for tests: stands still until advance().
class ManualClock final : public Clock {
 public:
  explicit ManualClock(TimePoint start = TimePoint(std::chrono::hours(1)))
      : now_(start.time_since_epoch().count()) {}

  [[nodiscard]] TimePoint now() const noexcept override { return TimePoint(Duration(now_.load())); }
  void advance(Duration by) noexcept { now_.fetch_add(by.count()); }

 private:
  std::atomic<Duration::rep> now_;
};

}  // namespace zonesync

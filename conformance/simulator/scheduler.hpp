// Virtual time and the one event queue.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <queue>
#include <vector>

#include "conformance/simulator/rng.hpp"
#include "protocol/core/time.hpp"

namespace zonesync::sim {

using Work = std::function<void()>;

/// Runs work in order of (time, arrival). Thread rule: one thread.
class Scheduler {
 public:
  [[nodiscard]] TimePoint now() const { return now_; }
  void at(TimePoint when, Work work) {
    queue_.push(Event{std::max(when, now_), next_++, std::make_shared<Work>(std::move(work))});
  }
  void after(Duration delay, Work work) { at(now_ + delay, std::move(work)); }
  /// Runs the earliest event at or before `until`; false when there is none.
  bool step(TimePoint until) {
    if (queue_.empty() || queue_.top().when > until) {
      now_ = std::max(now_, until);
      return false;
    }
    const Event event = queue_.top();
    queue_.pop();
    now_ = event.when;
    ++events_;
    (*event.work)();
    return true;
  }
  [[nodiscard]] std::uint64_t events() const { return events_; }
  void clear() { queue_ = {}; }

 private:
  struct Event {
    TimePoint when;
    std::uint64_t number = 0;
    std::shared_ptr<Work> work;
    bool operator<(const Event& other) const {
      return when != other.when ? when > other.when : number > other.number;
    }
  };
  std::priority_queue<Event> queue_;
  TimePoint now_{std::chrono::hours(1)};
  std::uint64_t next_ = 0;
  std::uint64_t events_ = 0;
};

/// A thread's mailbox: work arrives later, in order, and never after the mailbox is gone.
class Mailbox {
 public:
  Mailbox(Scheduler& scheduler, Rng rng, Duration delay_max)
      : scheduler_(scheduler), rng_(rng), delay_max_(delay_max) {}

  void post(Work work) {
    last_ = std::max(last_, scheduler_.now() + rng_.up_to(delay_max_));
    scheduler_.at(last_, [alive = std::weak_ptr<bool>(alive_), work = std::move(work)] {
      if (alive.lock()) work();
    });
  }

 private:
  Scheduler& scheduler_;
  Rng rng_;
  Duration delay_max_;
  TimePoint last_{};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace zonesync::sim

#include "client-sdk/src/cut_queue.hpp"

#include <utility>

namespace zonesync::client {

void CutQueue::push(AppliedCut cut) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    if (cuts_.size() >= capacity_) {
      cuts_.back() = merge_cuts(cuts_.back(), cut);
    } else {
      cuts_.push_back(std::move(cut));
    }
  }
  changed_.notify_one();
}

void CutQueue::notify_status() {
  {
    const std::lock_guard lock(mutex_);
    status_ = true;
  }
  changed_.notify_one();
}

void CutQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

bool CutQueue::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

CutQueue::Work CutQueue::wait(bool without_cuts,
                              std::optional<std::chrono::steady_clock::time_point> until) {
  std::unique_lock lock(mutex_);
  const auto ready = [&] {
    return closed_ || status_ || (!without_cuts && !cuts_.empty());
  };
  if (until) {
    changed_.wait_until(lock, *until, ready);
  } else {
    changed_.wait(lock, ready);
  }
  Work work;
  work.closed = closed_;
  work.status = std::exchange(status_, false);
  if (!without_cuts && !closed_ && !cuts_.empty()) {
    work.cut = std::move(cuts_.front());
    cuts_.pop_front();
  }
  return work;
}

}  // namespace zonesync::client

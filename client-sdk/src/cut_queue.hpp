// Applied cuts on their way from the io thread to the application.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>

#include "client-sdk/zone/applied_cut.hpp"

namespace zonesync::client {

/// Bounded: beyond `capacity` the newest two become one, so that what waits is never more than one
/// replica's worth of changes. Also carries "status changed", merged.
/// Thread rule: push, notify and close from any thread; wait from one thread.
class CutQueue {
 public:
  explicit CutQueue(std::size_t capacity) : capacity_(capacity) {}

  void push(AppliedCut cut);
  void notify_status();
  /// Ends every wait; what waits is dropped.
  void close();
  [[nodiscard]] bool closed() const;

  struct Work {
    std::optional<AppliedCut> cut;
    bool status = false;
    bool closed = false;
  };
  /// Blocks until there is something; with `without_cuts` cuts stay queued.
  [[nodiscard]] Work wait(bool without_cuts,
                          std::optional<std::chrono::steady_clock::time_point> until);

 private:
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<AppliedCut> cuts_;
  bool status_ = false;
  bool closed_ = false;
};

}  // namespace zonesync::client

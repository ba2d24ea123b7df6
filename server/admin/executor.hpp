// The admin server's own threads, for work that arrives on a thread of the hub.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>

#include "protocol/runtime/io_pool.hpp"

namespace zonesync::admin {

/// Outlives the pool in the hands of late completions: after stop(), posted work is dropped.
/// Thread rule: any thread.
class Executor {
 public:
  explicit Executor(IoPool& pool) : pool_(&pool) {}

  /// Runs `work` on one of the server's threads, never inside the call.
  void post(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    if (pool_ == nullptr) return;
    pool_->post(next_++ % pool_->size(), std::move(work));
  }
  /// Call before the pool goes away.
  void stop() {
    const std::lock_guard lock(mutex_);
    pool_ = nullptr;
  }

 private:
  std::mutex mutex_;
  IoPool* pool_;
  std::size_t next_ = 0;
};

}  // namespace zonesync::admin

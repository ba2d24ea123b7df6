// Threads for input and output: N event loops with one thread each.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "protocol/core/time.hpp"

namespace boost::asio {
class io_context;
}

namespace zonesync {

/// N single-threaded io_contexts, each run by its own thread. A connection is pinned to one of
/// them for life, so that its state needs no lock.
///
/// Life cycle: the constructor starts the threads; drain() or stop() ends them; the destructor
/// calls stop(). Objects that hold sockets or timers of a context must be gone before the pool is.
/// Thread rule: next(), at(), post(), stop() from any thread except that stop() and drain() must
/// not be called on a pool thread.
class IoPool {
 public:
  explicit IoPool(std::size_t threads);
  ~IoPool();
  IoPool(const IoPool&) = delete;
  IoPool& operator=(const IoPool&) = delete;

  [[nodiscard]] std::size_t size() const noexcept;
  /// Round robin.
  [[nodiscard]] boost::asio::io_context& next() noexcept;
  /// index < size().
  [[nodiscard]] boost::asio::io_context& at(std::size_t index) noexcept;
  /// Runs `work` on thread `index`, never inside this call.
  void post(std::size_t index, std::function<void()> work);

  /// Waits until every outstanding operation ended by itself, `timeout` at most, then stop().
  /// True when nothing had to be cut off.
  bool drain(Duration timeout);
  /// Stops the loops at once and joins the threads; handlers that did not run are destroyed when
  /// the pool is. Idempotent.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace zonesync

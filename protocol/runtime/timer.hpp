// A timer whose callback never runs after cancel() or destruction.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "protocol/core/time.hpp"

namespace boost::asio {
class io_context;
}

namespace zonesync {

/// One-shot deadline on an event loop. Arming replaces what was armed before.
/// Thread rule: every call on the loop's thread; the callback runs there too.
class Timer {
 public:
  explicit Timer(boost::asio::any_io_executor executor);
  explicit Timer(boost::asio::io_context& context);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void arm_at(TimePoint when, std::function<void()> callback);
  void arm_after(Duration delay, std::function<void()> callback);
  void cancel();
  [[nodiscard]] bool armed() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace zonesync

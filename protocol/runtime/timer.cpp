#include "protocol/runtime/timer.hpp"

#include <cstdint>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace zonesync {
namespace asio = boost::asio;

struct Timer::Impl {
  explicit Impl(asio::any_io_executor executor) : timer(std::move(executor)) {}

  asio::steady_timer timer;
  std::function<void()> callback;
  // An expiry already queued cannot be taken back; it notices that its turn has passed.
  std::uint64_t turn = 0;
};

Timer::Timer(asio::any_io_executor executor)
    : impl_(std::make_shared<Impl>(std::move(executor))) {}
Timer::Timer(asio::io_context& context) : Timer(asio::any_io_executor(context.get_executor())) {}
Timer::~Timer() { cancel(); }

void Timer::arm_at(TimePoint when, std::function<void()> callback) {
  const std::uint64_t turn = ++impl_->turn;
  impl_->callback = std::move(callback);
  impl_->timer.expires_at(when);
  impl_->timer.async_wait([weak = std::weak_ptr(impl_), turn](boost::system::error_code error) {
    const auto impl = weak.lock();
    if (error || !impl || impl->turn != turn || !impl->callback) return;
    const auto run = std::exchange(impl->callback, nullptr);
    run();
  });
}

void Timer::arm_after(Duration delay, std::function<void()> callback) {
  arm_at(std::chrono::steady_clock::now() + delay, std::move(callback));
}

void Timer::cancel() {
  ++impl_->turn;
  impl_->callback = nullptr;
  impl_->timer.cancel();
}

bool Timer::armed() const { return impl_->callback != nullptr; }

}  // namespace zonesync

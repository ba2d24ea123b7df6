#include "protocol/runtime/io_pool.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>


namespace zonesync {
namespace asio = boost::asio;

namespace {

// Handlers of one context may own sockets of another, so all handlers go before any context does.
class Context final : public asio::io_context {
 public:
  Context() : asio::io_context(1) {}  // hint: one thread; posting from others stays safe
  void destroy_handlers() { shutdown(); }
};

}  // namespace

struct IoPool::Impl {
  using Guard = asio::executor_work_guard<asio::io_context::executor_type>;

  std::vector<std::unique_ptr<Context>> contexts;
  std::vector<Guard> guards;
  std::vector<std::thread> threads;
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::condition_variable ended;
  std::size_t running = 0;

  void run(asio::io_context& context) {
    context.run();
    const std::lock_guard lock(mutex);
    --running;
    ended.notify_all();
  }
};

IoPool::IoPool(std::size_t threads) : impl_(std::make_unique<Impl>()) {
  const std::size_t count = threads == 0 ? 1 : threads;
  impl_->running = count;
  for (std::size_t i = 0; i < count; ++i) {
    impl_->contexts.push_back(std::make_unique<Context>());
    impl_->guards.emplace_back(impl_->contexts.back()->get_executor());
  }
  for (auto& context : impl_->contexts) {
    impl_->threads.emplace_back([impl = impl_.get(), &context] { impl->run(*context); });
  }
}

IoPool::~IoPool() {
  stop();
  for (auto& context : impl_->contexts) context->destroy_handlers();
}

std::size_t IoPool::size() const noexcept { return impl_->contexts.size(); }

asio::io_context& IoPool::next() noexcept {
  return *impl_->contexts[impl_->next.fetch_add(1) % impl_->contexts.size()];
}

asio::io_context& IoPool::at(std::size_t index) noexcept { return *impl_->contexts[index]; }

void IoPool::post(std::size_t index, std::function<void()> work) {
  asio::post(at(index), std::move(work));
}

bool IoPool::drain(Duration timeout) {
  for (auto& guard : impl_->guards) guard.reset();
  bool complete = false;
  {
    std::unique_lock lock(impl_->mutex);
    complete = impl_->ended.wait_for(lock, timeout, [this] { return impl_->running == 0; });
  }
  stop();
  return complete;
}

void IoPool::stop() {
  for (auto& guard : impl_->guards) guard.reset();
  for (auto& context : impl_->contexts) context->stop();
  for (auto& thread : impl_->threads) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace zonesync

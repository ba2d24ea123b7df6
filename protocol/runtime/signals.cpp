#include "protocol/runtime/signals.hpp"

#include <csignal>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

namespace zonesync {
namespace asio = boost::asio;

struct SignalSet::Impl : std::enable_shared_from_this<SignalSet::Impl> {
  Impl(asio::io_context& context, SignalCallbacks given)
      : signals(context, SIGTERM, SIGINT, SIGHUP), callbacks(std::move(given)) {}

  void wait() {
    signals.async_wait([self = weak_from_this()](boost::system::error_code error, int number) {
      const auto impl = self.lock();
      if (error || !impl) return;
      impl->wait();
      if (number == SIGHUP) {
        if (impl->callbacks.on_reload) impl->callbacks.on_reload();
      } else if (impl->callbacks.on_terminate) {
        impl->callbacks.on_terminate(number);
      }
    });
  }

  asio::signal_set signals;
  SignalCallbacks callbacks;
};

SignalSet::SignalSet(asio::io_context& context, SignalCallbacks callbacks)
    : impl_(std::make_shared<Impl>(context, std::move(callbacks))) {
  std::signal(SIGPIPE, SIG_IGN);  // a write to a closed pipe or socket is an error value
  impl_->wait();
}

SignalSet::~SignalSet() = default;

}  // namespace zonesync

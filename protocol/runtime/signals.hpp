// Process signals as callbacks on an event loop.
#pragma once

#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace zonesync {

struct SignalCallbacks {
  std::function<void(int number)> on_terminate;  // SIGTERM, SIGINT; called for each one received
  std::function<void()> on_reload;               // SIGHUP
};

/// Catches SIGTERM, SIGINT and SIGHUP while it lives; one per process. Also ignores SIGPIPE.
/// Thread rule: create and destroy anywhere; callbacks run on the context's thread.
class SignalSet {
 public:
  SignalSet(boost::asio::io_context& context, SignalCallbacks callbacks);
  ~SignalSet();
  SignalSet(const SignalSet&) = delete;
  SignalSet& operator=(const SignalSet&) = delete;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace zonesync

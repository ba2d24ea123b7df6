// A hub for client tests: real websockets on loopback around the scripted FakeHub.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "client-sdk/zone/tests/zone_fixture.hpp"
#include "protocol/runtime/io_pool.hpp"
#include "protocol/transport/listener.hpp"
#include "protocol/transport/session_driver.hpp"
#include "protocol/transport/testing/test_certificates.hpp"
#include "protocol/transport/tls_context.hpp"
#include "protocol/transport/websocket.hpp"

namespace zonesync::testing {

/// Thread rule: FakeHub is touched on the pool's thread only; `on_hub` runs work there and waits.
class HubServer {
 public:
  /// Over TLS unless `plain`.
  explicit HubServer(std::string zone, bool plain = false)
      : hub_(std::move(zone)), plain_(plain) {
    listen();
  }
  ~HubServer() {
    if (listener_) listener_->stop();
    pool_.stop();
  }

  std::string url() const { return url_to(port_); }
  std::string url_to(std::uint16_t port) const {
    return (plain_ ? "ws://127.0.0.1:" : "wss://127.0.0.1:") + std::to_string(port) + "/sync";
  }
  std::uint16_t port() const { return port_; }
  std::string ca_file() const { return plain_ ? std::string() : certificates_.ca_file(); }

  void on_hub(std::function<void(FakeHub&)> work) {
    std::promise<void> done;
    pool_.post(0, [&] {
      work(hub_);
      for (auto& driver : drivers_) driver->wake();
      done.set_value();
    });
    done.get_future().wait();
  }
  void write(std::vector<Change> changes) {
    on_hub([&](FakeHub& hub) { hub.write(std::move(changes)); });
  }
  void drop_sessions() {
    on_hub([&](FakeHub&) {
      for (auto& driver : drivers_) driver->request_close({1012, "restart"});
      drivers_.clear();
    });
  }

  std::string wanted_token = "secret";

 private:
  void listen() {
    ListenerOptions options;
    if (!plain_) {
      auto tls = TlsContext::server({.certificate_file = certificates_.certificate_file(),
                                     .key_file = certificates_.key_file()});
      ASSERT_TRUE(tls.has_value());
      options.tls = *tls;
    }
    auto listener = Listener::start(pool_, options, null_logger(),
                                    [this](ByteStreamPtr stream) { accept(std::move(stream)); });
    ASSERT_TRUE(listener.has_value());
    listener_ = *listener;
    port_ = listener_->port();
  }

  void accept(ByteStreamPtr stream) {
    const auto decide = [this](const UpgradeRequest& request, UpgradeDecide answer) {
      if (request.bearer_token != wanted_token) {
        return answer(UpgradeDecision::reject(401, "unauthenticated", "bad token"));
      }
      answer(UpgradeDecision::accept("zonesync.v2.delta"));
    };
    accept_websocket(std::move(stream), {}, decide, [this](Result<WebSocketPtr> socket) {
      if (!socket) return;
      auto session = std::make_shared<Session>(Session::Options{.role = SessionRole::hub}, hub_,
                                               std::nullopt);
      drivers_.push_back(SessionDriver::make(std::move(*socket), session));
      drivers_.back()->start();
    });
  }

  TestCertificates certificates_;
  FakeHub hub_;
  const bool plain_;
  IoPool pool_{1};
  std::shared_ptr<Listener> listener_;
  std::uint16_t port_ = 0;
  std::vector<std::shared_ptr<SessionDriver>> drivers_;
};

}  // namespace zonesync::testing

// Shared by the transport tests: a loop that runs until something is true, and a TLS pair.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "protocol/runtime/io_pool.hpp"
#include "protocol/transport/listener.hpp"
#include "protocol/transport/memory_stream.hpp"
#include "protocol/transport/testing/test_certificates.hpp"
#include "protocol/transport/websocket.hpp"

namespace zonesync::testing {

using namespace std::chrono_literals;
inline constexpr auto kDeadline = 20s;  // only ever reached by a failing test

/// An event loop on the test's own thread.
struct Loop {
  boost::asio::io_context context{1};

  [[nodiscard]] bool run_until(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + kDeadline;
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      context.restart();
      context.run_one_for(100ms);
    }
    return true;
  }
};

inline const TestCertificates& certificates() {
  static const TestCertificates made;
  return made;
}

inline TlsContextPtr server_tls() {
  auto made = TlsContext::server({.certificate_file = certificates().certificate_file(),
                                  .key_file = certificates().key_file()});
  EXPECT_TRUE(made) << describe(made.error());
  return *made;
}

inline TlsContextPtr client_tls(const TestCertificates& trusted = certificates()) {
  auto made = TlsContext::client({.ca_file = trusted.ca_file()});
  EXPECT_TRUE(made) << describe(made.error());
  return *made;
}

inline UpgradeHandler accept_all() {
  return [](const UpgradeRequest& request, const UpgradeDecide& decide) {
    decide(UpgradeDecision::accept(request.subprotocols.empty() ? "" : request.subprotocols[0]));
  };
}

/// A websocket over memory streams, both ends on one loop.
struct MemoryPair {
  explicit MemoryPair(Loop& loop, const MemoryStreamOptions& options = {},
                      const WebSocketLimits& limits = {.message_max_bytes = 1u << 20}) {
    auto [near, far] = make_memory_pair(loop.context.get_executor(), options);
    open(loop, std::move(near), std::move(far), limits);
  }

  WebSocketPtr server;
  WebSocketPtr client;

 private:
  void open(Loop& loop, ByteStreamPtr near, ByteStreamPtr far, const WebSocketLimits& limits) {
    accept_websocket(std::move(near), limits, accept_all(), [this](Result<WebSocketPtr> result) {
      if (result) server = *result;
    });
    WebSocketClientOptions options;
    options.target.host = "memory";
    options.limits = limits;
    upgrade_websocket(std::move(far), options,
                      [this](tl::expected<WebSocketPtr, ConnectFailure> result) {
                        if (result) client = *result;
                      });
    EXPECT_TRUE(loop.run_until([this] { return server && client; }));
  }
};

/// Reads one message; nullopt when the websocket ended (see its close_info()).
inline std::optional<std::string> read_one(Loop& loop, const WebSocketPtr& socket) {
  std::optional<Result<std::string>> got;
  socket->async_read([&got](Result<std::string> message) { got = std::move(message); });
  EXPECT_TRUE(loop.run_until([&got] { return got.has_value(); }));
  if (!got || !*got) return std::nullopt;
  return std::move(**got);
}

inline Status write_one(Loop& loop, const WebSocketPtr& socket, std::string message) {
  std::optional<Status> done;
  socket->async_write(std::move(message), [&done](Status status) { done = std::move(status); });
  EXPECT_TRUE(loop.run_until([&done] { return done.has_value(); }));
  return done.value_or(Status());
}

}  // namespace zonesync::testing

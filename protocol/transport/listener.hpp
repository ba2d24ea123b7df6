// Accepts connections and hands out ready byte streams.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "protocol/core/time.hpp"
#include "protocol/model/limits.hpp"
#include "protocol/model/result.hpp"
#include "protocol/runtime/io_pool.hpp"
#include "protocol/runtime/logger.hpp"
#include "protocol/transport/byte_stream.hpp"
#include "protocol/transport/tls_context.hpp"

namespace zonesync {

struct ListenerOptions {
  std::string address = "127.0.0.1";  // numeric IPv4 or IPv6
  std::uint16_t port = 0;             // 0 = any free one; see Listener::port()
  TlsContextPtr tls;                  // none = plain TCP
  Duration handshake_timeout = limits::kHandshakeTimeout;
  std::size_t connections_max = limits::kConnectionsMax;
};

/// Life cycle: start() binds and accepts; stop() closes the socket and aborts handshakes, streams
/// already handed out live on. `on_stream` runs on the io thread the connection is pinned to.
/// Logged: tls.handshake_failed (peer, reason), listener.accept_failed, listener.full.
/// Thread rule: start(), stop() from any thread.
class Listener {
 public:
  using StreamHandler = std::function<void(ByteStreamPtr)>;

  /// Errors: unavailable when the address cannot be bound.
  [[nodiscard]] static Result<std::shared_ptr<Listener>> start(IoPool& pool,
                                                              const ListenerOptions& options,
                                                              std::shared_ptr<Logger> logger,
                                                              StreamHandler on_stream);
  ~Listener();
  void stop();
  [[nodiscard]] std::uint16_t port() const;
  /// Open now, handshakes included.
  [[nodiscard]] std::size_t connections() const;
  /// TLS handshakes that failed or took too long, since start.
  [[nodiscard]] std::uint64_t handshakes_failed() const;

  struct Impl;
  explicit Listener(std::shared_ptr<Impl> impl);

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace zonesync

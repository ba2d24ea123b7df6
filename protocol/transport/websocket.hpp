// WebSocket connections: server upgrade, client upgrade, binary messages. websocket.cpp
// is the only file that includes Beast's websocket.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/core/session_port.hpp"
#include "protocol/model/bytes.hpp"
#include "protocol/model/limits.hpp"
#include "protocol/model/result.hpp"
#include "protocol/transport/byte_stream.hpp"
#include "protocol/transport/connector.hpp"

namespace zonesync {

/// Wire counters of one connection; payload bytes, without frame headers and TLS.
struct TrafficCounters {
  std::uint64_t bytes_rx = 0;
  std::uint64_t bytes_tx = 0;
  std::uint64_t messages_rx = 0;
  std::uint64_t messages_tx = 0;
};

/// An open websocket that carries binary messages. Text frames close it with 1003, messages over
/// the limit with 1009. Pings are answered while a read is outstanding: keep one outstanding
/// always.
///
/// Life cycle: made by accept_websocket or connect_websocket. At most one read and one write
/// outstanding. After any error it is over: close_info() says how. Destroying the last reference
/// cuts the connection; outstanding operations keep one.
/// Thread rule: every call on its executor's thread; handlers run there, never inside the call.
class WebSocket {
 public:
  using ReadHandler = std::function<void(Result<std::string>)>;
  using DoneHandler = std::function<void(Status)>;

  virtual ~WebSocket() = default;
  /// The next whole message. Errors: unavailable (closed or lost), too_large, protocol (text frame,
  /// malformed frame).
  virtual void async_read(ReadHandler handler) = 0;
  virtual void async_write(std::string message, DoneHandler handler) = 0;
  virtual void async_write(SharedBytes message, DoneHandler handler) = 0;
  /// Sends a close frame (reason cut to 123 bytes), waits for the peer's, `close_timeout` at most,
  /// then closes the stream. An outstanding write is allowed to end first.
  virtual void async_close(CloseInfo info, DoneHandler handler) = 0;
  /// Cuts the connection now, without a close frame.
  virtual void abort() noexcept = 0;

  /// Messages read from now on may be this large.
  virtual void set_message_max(std::size_t bytes) = 0;
  /// The close frame the peer sent, or {1006, reason} when it was lost without one, or the code we
  /// closed with when we found the fault (1003, 1009, 1002).
  [[nodiscard]] virtual CloseInfo close_info() const = 0;
  [[nodiscard]] virtual const std::string& subprotocol() const = 0;
  [[nodiscard]] virtual const PeerInfo& peer() const = 0;
  [[nodiscard]] virtual TrafficCounters traffic() const = 0;
  [[nodiscard]] virtual boost::asio::any_io_executor get_executor() = 0;
};

using WebSocketPtr = std::shared_ptr<WebSocket>;

struct WebSocketLimits {
  Duration upgrade_timeout = limits::kHandshakeTimeout;
  Duration close_timeout = std::chrono::seconds(5);
  std::size_t header_max_bytes = limits::kHttpHeaderMaxBytes;
  std::size_t message_max_bytes = limits::kMessageBeforeHelloMaxBytes;  // until set_message_max
};

/// What a client asks for, before anything is decided about it.
struct UpgradeRequest {
  std::string target;                     // path and query: "/sync"
  std::string host;
  std::string bearer_token;               // from `Authorization: Bearer`; empty = none. A secret.
  std::vector<std::string> subprotocols;  // in the client's order
  std::vector<std::pair<std::string, std::string>> headers;  // without Authorization
  PeerInfo peer;
};

/// The answer: `status` 101 accepts with `subprotocol`, anything else refuses.
struct UpgradeDecision {
  unsigned status = 101;
  std::string subprotocol;
  std::string content_type = "application/problem+json";
  std::string body;
  std::optional<std::chrono::seconds> retry_after;

  [[nodiscard]] static UpgradeDecision accept(std::string subprotocol);
  /// Body = problem+json {code, detail, status, title, type}; the code follows from the status.
  [[nodiscard]] static UpgradeDecision reject(unsigned status, std::string_view title,
                                              std::string_view detail);
};

using UpgradeDecide = std::function<void(UpgradeDecision)>;
/// Asked once per valid request; must call `decide` once, from any thread, now or later.
using UpgradeHandler = std::function<void(const UpgradeRequest&, UpgradeDecide decide)>;
using WebSocketHandler = std::function<void(Result<WebSocketPtr>)>;

/// Server side: reads the upgrade request from `stream` and answers it. Refused without asking: not
/// a websocket upgrade (400/426), Origin present (403), path other than /sync (404), header over
/// the limit (431), chunked body (400). `done` runs once on the stream's thread; its error tells
/// why there is no websocket (for the log).
void accept_websocket(ByteStreamPtr stream, const WebSocketLimits& limits,
                      UpgradeHandler on_upgrade, WebSocketHandler done);

struct WebSocketClientOptions {
  ConnectTarget target;
  std::string path = "/sync";
  std::string bearer_token;
  std::vector<std::string> subprotocols;  // in order of preference
  std::string user_agent = "zonesync";
  Duration connect_timeout = limits::kHandshakeTimeout;
  WebSocketLimits limits = {.message_max_bytes = limits::kMessageMaxBytes};
};

/// Why a client got no websocket. `http_status` 0 = no HTTP answer arrived.
struct ConnectFailure {
  Error error;
  unsigned http_status = 0;
  std::string body;  // at most 64 KiB
  std::optional<std::chrono::seconds> retry_after;
};

using WebSocketConnectHandler = std::function<void(tl::expected<WebSocketPtr, ConnectFailure>)>;

/// Client side: connect, TLS, upgrade. `done` runs once on the context's thread. Errors:
/// unavailable, timeout, unauthenticated (TLS verification or HTTP 401), forbidden (403),
/// unsupported (no common subprotocol), protocol (any other answer).
void connect_websocket(boost::asio::io_context& context, const WebSocketClientOptions& options,
                       WebSocketConnectHandler done);

/// The same on a stream that is connected already; `options.target` only names the host.
void upgrade_websocket(ByteStreamPtr stream, const WebSocketClientOptions& options,
                       WebSocketConnectHandler done);

}  // namespace zonesync

// HTTP/1.1 server for the API and metrics: whole requests in, whole or streamed responses out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "protocol/core/time.hpp"
#include "protocol/http/types.hpp"
#include "protocol/model/limits.hpp"
#include "protocol/model/result.hpp"
#include "protocol/runtime/io_pool.hpp"
#include "protocol/runtime/logger.hpp"
#include "protocol/transport/listener.hpp"

namespace zonesync {

/// Answers one request. Dropping the last reference without an answer sends 500.
/// Thread rule: every call from any thread.
class HttpResponder {
 public:
  virtual ~HttpResponder() = default;

  /// The whole answer; the first answer wins, later ones are ignored.
  virtual void respond(HttpResponse response) = 0;
  /// Begins a chunked answer (NDJSON, SSE); the connection is not reused after it.
  virtual void start_stream(unsigned status, HttpHeaders headers) = 0;
  /// False: the buffer (limits) is full or the client has gone; nothing was taken.
  virtual bool write_chunk(std::string bytes) = 0;
  /// Ends the streamed answer after what is buffered was sent.
  virtual void close() = 0;
  [[nodiscard]] virtual bool closed() const = 0;
  /// Called once when the client went away or the stream ended; at once when that was before. Runs
  /// on the connection's thread or, in that case, inside this call.
  virtual void on_closed(std::function<void()> callback) = 0;
  /// Called every time buffered bytes fell below half of the limit after write_chunk said false.
  virtual void on_writable(std::function<void()> callback) = 0;
};

using HttpResponderPtr = std::shared_ptr<HttpResponder>;
/// Runs on the connection's io thread; must not block; may keep the responder and answer later.
using HttpHandler = std::function<void(HttpRequest, HttpResponderPtr)>;

/// Judges a request by its head before its body is read. An answer refuses it: it is sent, and the
/// connection closed without the body. Requests without a body go straight to the handler.
/// Runs on the connection's io thread; must not block.
using HttpPrecheck = std::function<std::optional<HttpResponse>(const HttpRequest& head)>;

struct HttpServerOptions {
  ListenerOptions listener;
  std::size_t header_max_bytes = limits::kHttpHeaderMaxBytes;
  std::size_t body_max_bytes = limits::kHttpBodyMaxBytes;
  std::size_t stream_buffer_max_bytes = 4u << 20;   // per streamed answer
  Duration read_timeout = std::chrono::seconds(10);  // whole request, from its first byte
  Duration idle_timeout = std::chrono::seconds(60);  // between requests
  Duration write_timeout = std::chrono::seconds(30);  // without any progress
  Duration linger_timeout = std::chrono::seconds(2);  // reading on after a refusal
  HttpPrecheck precheck;                              // empty = every body is read
};

/// Keep-alive; requests of one connection are answered one after the other. Refused by itself:
/// malformed 400, Transfer-Encoding 411, body too large 413, header too large 431, slow request
/// 408, broken escape in the target 400.
///
/// Life cycle: start() binds and serves until stop() or destruction, which cut all connections.
/// Thread rule: start(), stop() from any thread.
class HttpServer {
 public:
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> start(IoPool& pool,
                                                                const HttpServerOptions& options,
                                                                std::shared_ptr<Logger> logger,
                                                                HttpHandler handler);
  ~HttpServer();
  void stop();
  [[nodiscard]] std::uint16_t port() const;

  struct Impl;
  explicit HttpServer(std::shared_ptr<Impl> impl);

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace zonesync

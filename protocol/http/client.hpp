// HTTP/1.1 client for command lines, agents and tests.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/core/time.hpp"
#include "protocol/http/types.hpp"
#include "protocol/model/result.hpp"
#include "protocol/transport/tls_context.hpp"

namespace boost::asio {
class io_context;
}

namespace zonesync {

/// "https://host:port/prefix" taken apart. Errors: invalid_argument.
struct HttpUrl {
  bool tls = true;
  std::string host;
  std::uint16_t port = 443;
  std::string path;  // prefix without trailing slash; may be empty

  [[nodiscard]] static Result<HttpUrl> parse(std::string_view text);
};

struct HttpClientOptions {
  HttpUrl url;
  TlsContextPtr tls;  // required when url.tls
  std::string bearer_token;
  std::string user_agent = "zonesync";
  Duration timeout = std::chrono::seconds(30);  // per request; connecting included
  std::size_t body_max_bytes = 64u << 20;
};

struct HttpClientRequest {
  std::string method = "GET";
  std::string target = "/";  // appended to url.path; already percent-encoded
  HttpHeaders headers;
  std::string body;
};

/// One keep-alive connection; one request outstanding, others wait in order. A reused connection
/// that turns out dead is opened anew once for GET, HEAD, PUT and DELETE.
/// Errors: unavailable (cannot connect, lost), unauthenticated (TLS verification), timeout,
/// too_large, protocol (not HTTP). An HTTP error status is a response, not an error.
///
/// Life cycle: destroying cancels what is outstanding (handlers get canceled).
/// Thread rule: every call on the context's thread; handlers run there.
class HttpClient {
 public:
  using ResponseHandler = std::function<void(Result<HttpResponse>)>;

  HttpClient(boost::asio::io_context& context, HttpClientOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  void async_request(HttpClientRequest request, ResponseHandler handler);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

/// The same for programs without an event loop: runs one of its own inside the call. Keeps the
/// connection between calls. Thread rule: one thread at a time.
class BlockingHttpClient {
 public:
  explicit BlockingHttpClient(HttpClientOptions options);
  ~BlockingHttpClient();

  [[nodiscard]] Result<HttpResponse> request(HttpClientRequest request);

  /// Return false to end the stream.
  using LineHandler = std::function<bool(std::string_view line)>;
  /// Called between lines, at least every 200 ms; return false to end the stream.
  using KeepGoing = std::function<bool()>;
  /// Reads a streamed answer line by line (NDJSON, SSE) until it ends; `on_line` gets lines without
  /// the newline, 8 MiB each at most. An answer with status >= 300 is returned whole with its body,
  /// no line is reported. `timeout` of the options bounds connecting and the head only.
  [[nodiscard]] Result<HttpResponse> stream_lines(HttpClientRequest request,
                                                  const LineHandler& on_line,
                                                  const KeepGoing& keep_going = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// One request on its own connection.
[[nodiscard]] Result<HttpResponse> request_blocking(const HttpClientOptions& options,
                                                    HttpClientRequest request);

}  // namespace zonesync

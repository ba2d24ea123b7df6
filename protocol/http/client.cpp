#include "protocol/http/client.hpp"

#include <deque>
#include <optional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "protocol/http/client_wire.hpp"
#include "protocol/runtime/timer.hpp"
#include "protocol/transport/any_stream.hpp"
#include "protocol/transport/connector.hpp"

namespace zonesync {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

struct HttpClient::Impl : std::enable_shared_from_this<HttpClient::Impl> {
  struct Call {
    HttpClientRequest request;
    ResponseHandler handler;
  };

  Impl(asio::io_context& its_context, HttpClientOptions given)
      : context(its_context), options(std::move(given)), timer(its_context) {}

  void next() {
    if (call || waiting.empty()) return;
    call = std::move(waiting.front());
    waiting.pop_front();
    retried = false;
    deadline = std::chrono::steady_clock::now() + options.timeout;
    if (stream) return send(true);
    connect();
  }

  void connect() {
    if (options.url.tls && !options.tls) {
      return asio::post(context, [self = shared_from_this()] {
        self->finish(fail(ErrorCode::invalid_argument, "https needs TLS settings (a CA file)"));
      });
    }
    const auto left = deadline - std::chrono::steady_clock::now();
    connect_stream(context, connect_target(options), left,
                   [self = shared_from_this()](Result<ByteStreamPtr> made) {
                     if (!made) return self->finish(fail(made.error()));
                     if (self->stopped) return;
                     self->stream = std::make_shared<AnyStream>(std::move(*made));
                     self->send(false);
                   });
  }

  void send(bool on_reused) {
    reused = on_reused;
    timer.arm_at(deadline, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self || !self->stream) return;
      self->expired = true;
      self->stream->stream().close();
    });
    expired = false;
    out = render_request(options, call->request, false);
    // `held` keeps the stream until the operation ended, also when the client is gone.
    asio::async_write(*stream, asio::buffer(out),
                      [self = shared_from_this(), held = stream](error_code error, std::size_t) {
                        self->receive(error);
                      });
  }

  // After a failed write too: the server may have refused early and said why.
  void receive(const error_code& write_error) {
    if (stopped) return;
    buffer.clear();
    parser.emplace();
    parser->header_limit(64u << 10);
    parser->body_limit(options.body_max_bytes);
    parser->skip(call->request.method == "HEAD");
    http::async_read(*stream, buffer, *parser,
                     [self = shared_from_this(), held = stream, write_error](error_code error,
                                                                             std::size_t) {
                       self->received(error && write_error ? write_error : error);
                     });
  }

  void received(const error_code& error) {
    if (stopped) return;
    timer.cancel();
    if (error) return failed(error);
    auto message = parser->release();
    HttpResponse response;
    response.status = message.result_int();
    for (const auto& field : message) {
      response.headers.add(std::string(field.name_string()), std::string(field.value()));
    }
    response.body = std::move(message.body());
    if (!message.keep_alive() || message.need_eof()) drop();
    finish(std::move(response));
  }

  void failed(const error_code& error) {
    const bool something_came = parser && parser->got_some();
    drop();
    const std::string& method = call->request.method;
    const bool repeatable =
        method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE";
    if (reused && repeatable && !retried && !expired && !something_came) {
      retried = true;
      return connect();
    }
    const std::string what = describe_request(options, call->request);
    if (expired) return finish(fail(ErrorCode::timeout, what + ": no answer in time"));
    finish(fail(to_http_error(error, what)));
  }

  void finish(Result<HttpResponse> result) {
    if (!call) return;
    const auto handler = std::move(call->handler);
    call.reset();
    handler(std::move(result));
    next();
  }

  void drop() {
    if (stream) stream->stream().close();
    stream.reset();
  }

  // The owner is gone.
  void stop() {
    stopped = true;
    timer.cancel();
    drop();
    auto pending = std::move(waiting);
    waiting.clear();
    if (call) pending.push_front(std::move(*call));
    call.reset();
    for (auto& left : pending) {
      asio::post(context, [handler = std::move(left.handler)] {
        handler(fail(ErrorCode::canceled, "the HTTP client was closed"));
      });
    }
  }

  asio::io_context& context;
  HttpClientOptions options;
  Timer timer;
  std::deque<Call> waiting;
  std::optional<Call> call;
  TimePoint deadline{};
  std::shared_ptr<AnyStream> stream;
  beast::flat_buffer buffer;
  std::optional<http::response_parser<http::string_body>> parser;
  std::string out;
  bool reused = false;
  bool retried = false;
  bool expired = false;
  bool stopped = false;
};

HttpClient::HttpClient(asio::io_context& context, HttpClientOptions options)
    : impl_(std::make_shared<Impl>(context, std::move(options))) {}

HttpClient::~HttpClient() { impl_->stop(); }

void HttpClient::async_request(HttpClientRequest request, ResponseHandler handler) {
  impl_->waiting.push_back({std::move(request), std::move(handler)});
  impl_->next();
}

}  // namespace zonesync

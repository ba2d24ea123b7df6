#include <optional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "protocol/http/client_wire.hpp"
#include "protocol/transport/any_stream.hpp"
#include "protocol/transport/connector.hpp"

namespace zonesync {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr auto kLookAround = std::chrono::milliseconds(200);
constexpr std::size_t kLineMaxBytes = 8u << 20;

// One streamed answer on a connection and a loop of its own.
class LineStream {
 public:
  LineStream(const HttpClientOptions& options, const HttpClientRequest& request,
             const BlockingHttpClient::LineHandler& on_line,
             const BlockingHttpClient::KeepGoing& keep_going)
      : options_(options),
        request_(request),
        on_line_(on_line),
        keep_going_(keep_going),
        what_(describe_request(options, request)) {}

  Result<HttpResponse> run() {
    const TimePoint deadline = std::chrono::steady_clock::now() + options_.timeout;
    auto opened = open(deadline);
    if (opened) opened = read_head(deadline);
    if (!opened) return stop(fail(opened.error()));
    HttpResponse response;
    const auto& head = parser_.get();
    response.status = head.result_int();
    for (const auto& field : head) {
      response.headers.add(std::string(field.name_string()), std::string(field.value()));
    }
    const bool refused = response.status >= 300;
    while (!parser_.is_done()) {
      auto more = read_some(refused ? deadline : TimePoint::max());
      if (!more) return stop(fail(more.error()));
      if (!*more) break;
      pending_ += std::exchange(parser_.get().body(), {});
      if (pending_.size() > kLineMaxBytes) {
        return stop(fail(ErrorCode::too_large, what_ + ": a line is longer than 8 MiB"));
      }
      if (!refused && !hand_out_lines()) break;
    }
    if (refused) response.body = std::move(pending_);
    return stop(std::move(response));
  }

 private:
  // Runs the loop until `done`. False: the deadline passed or the caller wants to stop.
  bool wait(const bool& done, TimePoint deadline) {
    while (!done) {
      context_.restart();
      context_.run_one_for(kLookAround);
      if (done) return true;
      if (std::chrono::steady_clock::now() >= deadline) return false;
      if (keep_going_ && !keep_going_()) {
        interrupted_ = true;
        return false;
      }
    }
    return true;
  }

  Status not_in_time() const {
    return fail(interrupted_ ? ErrorCode::canceled : ErrorCode::timeout,
                what_ + (interrupted_ ? ": interrupted" : ": no answer in time"));
  }

  Status open(TimePoint deadline) {
    if (options_.url.tls && !options_.tls) {
      return fail(ErrorCode::invalid_argument, "https needs TLS settings (a CA file)");
    }
    bool done = false;
    Result<ByteStreamPtr> made = fail(ErrorCode::timeout, "");
    connect_stream(context_, connect_target(options_), options_.timeout, [&](auto result) {
      made = std::move(result);
      done = true;
    });
    // Ends by itself at its timeout; its handler refers to this frame, so wait it out.
    while (!done) (void)wait(done, TimePoint::max());
    if (!made) return fail(made.error());
    stream_.emplace(std::move(*made));
    out_ = render_request(options_, request_, true);
    asio::async_write(*stream_, asio::buffer(out_), [this](error_code error, std::size_t) {
      written_ = true;
      write_error_ = error;
    });
    if (!wait(written_, deadline)) return not_in_time();
    if (write_error_) return fail(to_http_error(write_error_, what_));
    return {};
  }

  Status read_head(TimePoint deadline) {
    parser_.header_limit(64u << 10);
    parser_.body_limit(boost::none);
    read_ = false;
    http::async_read_header(*stream_, buffer_, parser_, [this](error_code error, std::size_t) {
      read_ = true;
      read_error_ = error;
    });
    if (!wait(read_, deadline)) return not_in_time();
    if (read_error_) return fail(to_http_error(read_error_, what_));
    return {};
  }

  // False: the caller wants no more.
  Result<bool> read_some(TimePoint deadline) {
    read_ = false;
    http::async_read_some(*stream_, buffer_, parser_, [this](error_code error, std::size_t) {
      read_ = true;
      read_error_ = error;
    });
    if (!wait(read_, deadline)) {
      if (interrupted_) return false;
      return fail(not_in_time().error());
    }
    if (read_error_) return fail(to_http_error(read_error_, what_));
    return true;
  }

  bool hand_out_lines() {
    std::size_t start = 0;
    bool go_on = true;
    for (auto end = pending_.find('\n'); go_on && end != std::string::npos;
         end = pending_.find('\n', start)) {
      std::string_view line(pending_.data() + start, end - start);
      if (line.ends_with('\r')) line.remove_suffix(1);
      go_on = on_line_(line);
      start = end + 1;
    }
    pending_.erase(0, start);
    return go_on;
  }

  // Lets outstanding operations end before their buffers go.
  Result<HttpResponse> stop(Result<HttpResponse> result) {
    if (stream_) stream_->stream().close();
    context_.restart();
    context_.run();
    return result;
  }

  const HttpClientOptions& options_;
  const HttpClientRequest& request_;
  const BlockingHttpClient::LineHandler& on_line_;
  const BlockingHttpClient::KeepGoing& keep_going_;
  std::string what_;
  asio::io_context context_{1};
  std::optional<AnyStream> stream_;
  beast::flat_buffer buffer_{64u << 10};
  http::response_parser<http::string_body> parser_;
  std::string out_;
  std::string pending_;
  bool written_ = false;
  bool read_ = false;
  bool interrupted_ = false;
  error_code write_error_;
  error_code read_error_;
};

}  // namespace

struct BlockingHttpClient::Impl {
  explicit Impl(HttpClientOptions given) : options(std::move(given)) {
    client.emplace(context, options);
  }
  ~Impl() {
    client.reset();
    context.restart();
    context.run();
  }

  asio::io_context context{1};
  HttpClientOptions options;
  std::optional<HttpClient> client;
};

BlockingHttpClient::BlockingHttpClient(HttpClientOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
BlockingHttpClient::~BlockingHttpClient() = default;

Result<HttpResponse> BlockingHttpClient::request(HttpClientRequest request) {
  std::optional<Result<HttpResponse>> got;
  impl_->client->async_request(std::move(request),
                               [&got](Result<HttpResponse> result) { got = std::move(result); });
  impl_->context.restart();
  while (!got && impl_->context.run_one() > 0) {
  }
  if (!got) return fail(ErrorCode::internal, "the HTTP client gave no answer");
  return std::move(*got);
}

Result<HttpResponse> BlockingHttpClient::stream_lines(HttpClientRequest request,
                                                      const LineHandler& on_line,
                                                      const KeepGoing& keep_going) {
  return LineStream(impl_->options, request, on_line, keep_going).run();
}

Result<HttpResponse> request_blocking(const HttpClientOptions& options,
                                      HttpClientRequest request) {
  return BlockingHttpClient(options).request(std::move(request));
}

}  // namespace zonesync

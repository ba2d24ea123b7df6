#include "protocol/http/server_connection.hpp"

#include <array>
#include <optional>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>

#include "protocol/http/exchange.hpp"
#include "protocol/runtime/timer.hpp"
#include "protocol/transport/any_stream.hpp"
#include "protocol/transport/upgrade.hpp"

namespace zonesync {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using namespace std::chrono_literals;

constexpr std::size_t kReadBufferMaxBytes = 64u << 10;
constexpr std::size_t kFillBytes = 4u << 10;
constexpr std::size_t kWriteBytes = 64u << 10;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

// A value with a line break would let its author write headers of his own.
void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  for (const char c : value) {
    if (c != '\r' && c != '\n' && c != '\0') out += c;
  }
  out += "\r\n";
}

std::string render_head(unsigned status, const HttpHeaders& headers) {
  const auto reason = http::obsolete_reason(static_cast<http::status>(status));
  std::string out = "HTTP/1.1 " + std::to_string(status) + " ";
  out += view(reason);
  out += "\r\n";
  for (const auto& [name, value] : headers.fields()) append_field(out, name, value);
  append_field(out, "X-Content-Type-Options", "nosniff");
  return out;
}

bool has_no_body(unsigned status) { return status < 200 || status == 204 || status == 304; }

class Connection final : public ServerConnection,
                         public std::enable_shared_from_this<Connection> {
 public:
  Connection(ByteStreamPtr stream, std::shared_ptr<const HttpServerOptions> options,
             std::shared_ptr<const HttpHandler> handler)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        executor_(stream->get_executor()),
        stream_(std::move(stream)),
        read_timer_(executor_),
        write_timer_(executor_),
        buffer_(kReadBufferMaxBytes) {}

  void start() override { await_request(); }
  void abort() override { end(); }
  asio::any_io_executor get_executor() override { return executor_; }

  void answer(const std::shared_ptr<Exchange>& exchange, HttpResponse response);
  void begin_stream(const std::shared_ptr<Exchange>& exchange, unsigned status,
                    HttpHeaders headers);
  void flush(const std::shared_ptr<Exchange>& exchange);

 private:
  using Written = std::function<void()>;

  void await_request();
  void fill();
  void on_filled(const error_code& error, std::size_t size);
  void read_request();
  void on_header(const error_code& error);
  void read_body();
  bool take_head();
  void on_request();
  void refuse(HttpResponse response);
  void refuse(unsigned status, std::string_view title, std::string_view detail);
  void refuse_parse(const error_code& error);
  void write(std::string bytes, Written then);
  void write_more();
  void linger();
  void close_gracefully();
  void end();

  std::shared_ptr<const HttpServerOptions> options_;
  std::shared_ptr<const HttpHandler> handler_;
  asio::any_io_executor executor_;
  AnyStream stream_;
  Timer read_timer_;
  Timer write_timer_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  HttpRequest request_;                 // the one being read
  std::shared_ptr<Exchange> exchange_;  // the request being answered
  bool keep_alive_ = false;
  bool head_only_ = false;
  bool filling_ = false;
  bool ended_ = false;
  bool late_ = false;
  bool streaming_ = false;
  bool peer_ended_ = false;
  std::string out_;
  std::size_t out_sent_ = 0;
  bool writing_ = false;
  Written written_;
};

// The handler's end of one request; may outlive the connection's interest in it.
class Responder final : public HttpResponder {
 public:
  Responder(std::shared_ptr<Connection> connection, std::shared_ptr<Exchange> exchange)
      : connection_(std::move(connection)), exchange_(std::move(exchange)) {}

  ~Responder() override {
    respond({500, {{"Content-Type", "application/problem+json"}},
             UpgradeDecision::reject(500, "no answer", "the handler gave none").body});
    close();
  }

  void respond(HttpResponse response) override {
    if (!exchange_->claim(false)) return;
    asio::post(connection_->get_executor(),
               [connection = connection_, exchange = exchange_,
                response = std::move(response)]() mutable {
                 connection->answer(exchange, std::move(response));
               });
  }

  void start_stream(unsigned status, HttpHeaders headers) override {
    if (!exchange_->claim(true)) return;
    asio::post(connection_->get_executor(), [connection = connection_, exchange = exchange_,
                                             status, headers = std::move(headers)]() mutable {
      connection->begin_stream(exchange, status, std::move(headers));
    });
  }

  bool write_chunk(std::string bytes) override {
    if (!exchange_->append(bytes)) return false;
    post_flush();
    return true;
  }

  void close() override {
    if (exchange_->end()) post_flush();
  }

  [[nodiscard]] bool closed() const override { return exchange_->finished(); }
  void on_closed(std::function<void()> callback) override {
    exchange_->on_closed(std::move(callback));
  }
  void on_writable(std::function<void()> callback) override {
    exchange_->on_writable(std::move(callback));
  }

 private:
  void post_flush() {
    asio::post(connection_->get_executor(), [connection = connection_, exchange = exchange_] {
      connection->flush(exchange);
    });
  }

  std::shared_ptr<Connection> connection_;
  std::shared_ptr<Exchange> exchange_;
};

void Connection::await_request() {
  if (buffer_.size() != 0) return read_request();
  if (peer_ended_) return end();
  read_timer_.arm_after(options_->idle_timeout, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->end();
  });
  fill();
}

void Connection::fill() {
  if (filling_ || ended_ || peer_ended_) return;
  filling_ = true;
  stream_.async_read_some(buffer_.prepare(kFillBytes),
                          [self = shared_from_this()](error_code error, std::size_t size) {
                            self->on_filled(error, size);
                          });
}

void Connection::on_filled(const error_code& error, std::size_t size) {
  filling_ = false;
  if (ended_) return;
  if (error) {
    peer_ended_ = true;
    if (!exchange_) return end();
    return exchange_->finish();  // a client that only half-closed still gets its answer
  }
  if (streaming_) return fill();  // the connection is not reused: what came is dropped
  buffer_.commit(size);
  if (!exchange_) return read_request();
}

void Connection::read_request() {
  read_timer_.arm_after(options_->read_timeout, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->late_ = true;
    self->refuse(408, "request too slow", "the whole request must arrive in time");
  });
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(options_->header_max_bytes));
  parser_->body_limit(options_->body_max_bytes);
  http::async_read_header(stream_, buffer_, *parser_,
                          [self = shared_from_this()](error_code error, std::size_t) {
                            self->on_header(error);
                          });
}

void Connection::on_header(const error_code& error) {
  if (ended_ || late_) return;
  if (error) return refuse_parse(error);
  const auto& head = parser_->get();
  if (head.find(http::field::transfer_encoding) != head.end()) {
    return refuse(411, "length required", "send Content-Length; chunked bodies are not taken");
  }
  if (!take_head()) {
    return refuse(400, "malformed target", "the path or query is not valid percent-encoding");
  }
  if (parser_->is_done()) return read_body();  // there is none
  // A stranger's body costs memory: who asks is judged first.
  if (options_->precheck) {
    if (auto refusal = options_->precheck(request_)) return refuse(std::move(*refusal));
  }
  if (head.find(http::field::expect) != head.end()) {
    return write("HTTP/1.1 100 Continue\r\n\r\n", [this] { read_body(); });
  }
  read_body();
}

void Connection::read_body() {
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](error_code error, std::size_t) {
                     if (self->ended_ || self->late_) return;
                     if (error) return self->refuse_parse(error);
                     self->on_request();
                   });
}

void Connection::refuse_parse(const error_code& error) {
  if (error == http::error::end_of_stream || error == http::error::partial_message) return end();
  if (error == http::error::body_limit) {
    return refuse(413, "body too large",
                  "at most " + std::to_string(options_->body_max_bytes) + " bytes");
  }
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return refuse(431, "header too large",
                  "at most " + std::to_string(options_->header_max_bytes) + " bytes");
  }
  if (error.category() != make_error_code(http::error::bad_method).category()) return end();
  refuse(400, "malformed request", error.message());
}

bool Connection::take_head() {
  const auto& message = parser_->get();
  request_ = HttpRequest();
  HttpRequest& request = request_;
  request.method = message.method_string();
  request.target = message.target();
  request.path = request.target.substr(0, request.target.find('?'));
  request.peer = stream_.stream().peer();
  const auto mark = request.target.find('?');
  auto query = parse_query(mark == std::string::npos ? std::string_view()
                                                     : std::string_view(request.target)
                                                           .substr(mark + 1));
  if (!query || !request.path.starts_with('/') || !percent_decode(request.path, false)) {
    return false;
  }
  request.query = std::move(*query);
  for (const auto& field : message) {
    request.headers.add(std::string(field.name_string()), std::string(field.value()));
  }
  return true;
}

void Connection::on_request() {
  read_timer_.cancel();
  auto message = parser_->release();
  parser_.reset();
  keep_alive_ = message.keep_alive();
  head_only_ = message.method() == http::verb::head;
  request_.body = std::move(message.body());
  exchange_ = std::make_shared<Exchange>(options_->stream_buffer_max_bytes,
                                         message.version() >= 11);
  if (buffer_.size() == 0) fill();
  (*handler_)(std::exchange(request_, {}),
              std::make_shared<Responder>(shared_from_this(), exchange_));
}

void Connection::answer(const std::shared_ptr<Exchange>& exchange, HttpResponse response) {
  if (ended_ || exchange != exchange_) return;
  std::string out = render_head(response.status, response.headers);
  if (!has_no_body(response.status)) {
    append_field(out, "Content-Length", std::to_string(response.body.size()));
  }
  if (!keep_alive_) append_field(out, "Connection", "close");
  out += "\r\n";
  if (!head_only_ && !has_no_body(response.status)) out += response.body;
  write(std::move(out), [this] {
    std::exchange(exchange_, nullptr)->finish();
    if (ended_) return;
    if (!keep_alive_) return close_gracefully();
    await_request();
  });
}

void Connection::begin_stream(const std::shared_ptr<Exchange>& exchange, unsigned status,
                              HttpHeaders headers) {
  if (ended_ || exchange != exchange_) return;
  keep_alive_ = false;
  streaming_ = true;
  if (!filling_) buffer_.clear();
  fill();
  headers.set("Cache-Control", "no-store");
  std::string out = render_head(status, headers);
  if (exchange->chunked()) append_field(out, "Transfer-Encoding", "chunked");
  append_field(out, "Connection", "close");
  out += "\r\n";
  write(std::move(out), [this, exchange] { flush(exchange); });
}

void Connection::flush(const std::shared_ptr<Exchange>& exchange) {
  // Work posted from another thread may overtake begin_stream, which flushes after the head.
  if (ended_ || writing_ || !streaming_ || exchange != exchange_) return;
  if (exchange->finished()) return end();  // the client has gone
  bool last = false;
  std::string bytes = exchange->take(last);
  if (head_only_) bytes.clear();
  if (bytes.empty()) {
    if (last) close_gracefully();
    return;
  }
  write(std::move(bytes), [this, exchange] {
    exchange->written();
    flush(exchange);
  });
}

void Connection::refuse(unsigned status, std::string_view title, std::string_view detail) {
  refuse({status, {{"Content-Type", "application/problem+json"}},
          UpgradeDecision::reject(status, title, detail).body});
}

void Connection::refuse(HttpResponse response) {
  if (writing_) return end();
  read_timer_.cancel();
  std::string out = render_head(response.status, response.headers);
  append_field(out, "Content-Length", std::to_string(response.body.size()));
  append_field(out, "Connection", "close");
  write(out + "\r\n" + response.body, [this] { linger(); });
}

void Connection::write(std::string bytes, Written then) {
  if (ended_) return;
  out_ = std::move(bytes);
  out_sent_ = 0;
  writing_ = true;
  written_ = std::move(then);
  write_more();
}

void Connection::write_more() {
  write_timer_.arm_after(options_->write_timeout, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->end();
  });
  const std::size_t size = std::min(kWriteBytes, out_.size() - out_sent_);
  stream_.async_write_some(
      asio::const_buffer(out_.data() + out_sent_, size),
      [self = shared_from_this()](error_code error, std::size_t sent) {
        if (self->ended_) return;
        if (error) return self->end();
        self->out_sent_ += sent;
        if (self->out_sent_ < self->out_.size()) return self->write_more();
        self->write_timer_.cancel();
        self->writing_ = false;
        self->out_ = std::string();
        const Written then = std::exchange(self->written_, nullptr);
        then();
      });
}

// Reads on for a while: closing with unread bytes would reset the connection and could take the
// refusal with it.
void Connection::linger() {
  if (ended_) return;
  if (!read_timer_.armed()) {
    read_timer_.arm_after(options_->linger_timeout, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->end();
    });
  }
  if (late_ || filling_) return;  // a read is outstanding already
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(kFillBytes),
                          [self = shared_from_this()](error_code error, std::size_t) {
                            if (error) return self->end();
                            self->linger();
                          });
}

void Connection::close_gracefully() {
  if (filling_ || peer_ended_) return end();
  const auto exchange = std::exchange(exchange_, nullptr);
  ended_ = true;
  read_timer_.cancel();
  write_timer_.cancel();
  shutdown_then_close(stream_.release(), 2s);
  if (exchange) exchange->finish();
}

void Connection::end() {
  if (std::exchange(ended_, true)) return;
  const auto keep = shared_from_this();
  read_timer_.cancel();
  write_timer_.cancel();
  stream_.stream().close();
  written_ = nullptr;
  if (const auto exchange = std::exchange(exchange_, nullptr)) exchange->finish();
}

}  // namespace

std::shared_ptr<ServerConnection> ServerConnection::make(
    ByteStreamPtr stream, std::shared_ptr<const HttpServerOptions> options,
    std::shared_ptr<const HttpHandler> handler) {
  return std::make_shared<Connection>(std::move(stream), std::move(options), std::move(handler));
}

}  // namespace zonesync

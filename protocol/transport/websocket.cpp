// The only file that includes Beast's websocket: it costs 15 s and 0.7 GB to compile.
#include "protocol/transport/websocket.hpp"

#include <algorithm>
#include <atomic>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "protocol/runtime/timer.hpp"
#include "protocol/transport/any_stream.hpp"
#include "protocol/transport/asio_error.hpp"
#include "protocol/transport/upgrade.hpp"

namespace zonesync {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using namespace std::chrono_literals;

// Found by Beast through argument-dependent lookup: how our stream ends after a close handshake.
template <class Handler>
void async_teardown(beast::role_type, AnyStream& stream, Handler&& handler) {
  auto timer = std::make_shared<Timer>(stream.get_executor());
  timer->arm_after(2s, [target = &stream.stream()] { target->close(); });
  stream.stream().shutdown(
      [timer, handler = std::forward<Handler>(handler)](error_code) mutable {
        timer->cancel();
        std::move(handler)(error_code());  // how TLS ended must not hide why we end (1009, ...)
      });
}

inline void beast_close_socket(AnyStream& stream) { stream.stream().close(); }

namespace {

constexpr std::size_t kClientWriteBufferBytes = 64u << 10;  // masked payload per write
constexpr std::size_t kRefusalBodyMaxBytes = 64u << 10;

class BeastWebSocket final : public WebSocket,
                             public std::enable_shared_from_this<BeastWebSocket> {
 public:
  using Stream = websocket::stream<AnyStream, false>;  // false: permessage-deflate is not built

  BeastWebSocket(AnyStream stream, const WebSocketLimits& limits)
      : limits_(limits), ws_(std::move(stream)), close_timer_(ws_.get_executor()) {
    // Deadlines are ours (Timer, session); Beast's have known faults in this version.
    ws_.set_option(websocket::stream_base::timeout{websocket::stream_base::none(),
                                                   websocket::stream_base::none(), false});
    ws_.auto_fragment(false);
    ws_.binary(true);
    ws_.read_message_max(limits.message_max_bytes);
  }

  ~BeastWebSocket() override { ws_.next_layer().stream().close(); }

  [[nodiscard]] Stream& native() { return ws_; }
  void set_subprotocol(std::string name) { subprotocol_ = std::move(name); }

  void async_read(ReadHandler handler) override {
    incoming_.clear();
    incoming_buffer_.emplace(incoming_);
    ws_.async_read(*incoming_buffer_, [self = shared_from_this(), handler = std::move(handler)](
                                          error_code error, std::size_t) {
      self->on_read(error, handler);
    });
  }

  void async_write(std::string message, DoneHandler handler) override {
    outgoing_ = std::move(message);
    write(asio::buffer(outgoing_), std::move(handler));
  }

  void async_write(SharedBytes message, DoneHandler handler) override {
    outgoing_shared_ = std::move(message);
    const ByteView view = outgoing_shared_.view();
    write(asio::buffer(view.data(), view.size()), std::move(handler));
  }

  void async_close(CloseInfo info, DoneHandler handler) override {
    if (closing_ || !ws_.is_open()) {
      asio::post(ws_.get_executor(), [handler = std::move(handler)] {
        handler(fail(ErrorCode::canceled, "the websocket is closed already"));
      });
      return;
    }
    closing_ = true;
    close_timer_.arm_after(limits_.close_timeout, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->abort();
    });
    websocket::close_reason reason(sendable(info.code));
    const std::string_view text = cut_close_reason(info.reason);
    reason.reason.assign(text.data(), text.size());
    ws_.async_close(reason, [self = shared_from_this(), handler = std::move(handler)](
                                error_code error) {
      self->close_timer_.cancel();
      self->abort();
      handler(error ? Status(fail(to_error(error, "close websocket"))) : Status());
    });
  }

  void abort() noexcept override { ws_.next_layer().stream().close(); }
  void set_message_max(std::size_t bytes) override { ws_.read_message_max(bytes); }
  [[nodiscard]] CloseInfo close_info() const override { return close_info_; }
  [[nodiscard]] const std::string& subprotocol() const override { return subprotocol_; }
  [[nodiscard]] const PeerInfo& peer() const override { return ws_.next_layer().stream().peer(); }
  [[nodiscard]] asio::any_io_executor get_executor() override { return ws_.get_executor(); }

  [[nodiscard]] TrafficCounters traffic() const override {
    return {bytes_rx_, bytes_tx_, messages_rx_, messages_tx_};
  }

 private:
  // 1005, 1006 and 1015 must never be sent (RFC 6455 §7.4.1).
  static std::uint16_t sendable(std::uint16_t code) {
    return code < 1000 || code == 1005 || code == 1006 || code == 1015 ? 1000 : code;
  }

  void write(asio::const_buffer bytes, DoneHandler handler) {
    ws_.async_write(bytes, [self = shared_from_this(), size = bytes.size(),
                            handler = std::move(handler)](error_code error, std::size_t) {
      self->outgoing_ = std::string();
      self->outgoing_shared_ = SharedBytes();
      if (error) {  // the outstanding read learns the cause: a close frame, mostly
        return handler(fail(to_error(error, "write to " + self->peer().address)));
      }
      self->bytes_tx_ += size;
      ++self->messages_tx_;
      handler({});
    });
  }

  void on_read(const error_code& error, const ReadHandler& handler) {
    if (error) return handler(fail(note_end(error)));
    bytes_rx_ += incoming_.size();
    ++messages_rx_;
    if (ws_.got_text()) {
      const CloseInfo info{1003, "text frames are not part of the protocol; send binary"};
      close_info_ = info;
      ended_ = true;
      // Told only after the close handshake: whoever hears of the end cuts the connection.
      return async_close(info, [handler, from = peer().address](const Status&) {
        handler(fail(ErrorCode::protocol, "text frame from " + from));
      });
    }
    handler(std::move(incoming_));
  }

  // Remembers the first cause of the end; what follows is only its echo.
  Error note_end(const error_code& error) {
    CloseInfo info{1006, describe_tls(error)};
    Error result = to_error(error, "websocket with " + peer().address);
    // The reason is set as soon as the peer's close frame has arrived: a peer that is gone before
    // our answer to it (broken pipe) has closed with its code all the same.
    const auto& reason = ws_.reason();
    if (error == websocket::error::closed || reason.code != websocket::close_code::none) {
      info = {static_cast<std::uint16_t>(reason.code),
              std::string(reason.reason.data(), reason.reason.size())};
      result = Error{ErrorCode::unavailable,
                     "closed by " + peer().address + " with code " + std::to_string(info.code) +
                         (info.reason.empty() ? "" : ": " + info.reason),
                     {}};
    } else if (error == websocket::error::message_too_big ||
               error == websocket::error::buffer_overflow) {
      info = {1009, "message over the limit"};
      result.code = ErrorCode::too_large;
    } else if (error == websocket::condition::protocol_violation) {
      info = {1002, error.message()};
      result.code = ErrorCode::protocol;
    }
    if (!ended_) close_info_ = info;
    ended_ = true;
    return result;
  }

  WebSocketLimits limits_;
  Stream ws_;
  Timer close_timer_;
  std::string subprotocol_;
  std::string incoming_;
  std::optional<asio::dynamic_string_buffer<char, std::char_traits<char>, std::allocator<char>>>
      incoming_buffer_;
  std::string outgoing_;
  SharedBytes outgoing_shared_;
  CloseInfo close_info_;
  bool closing_ = false;
  bool ended_ = false;
  // Atomic: metrics read them from other threads.
  std::atomic<std::uint64_t> bytes_rx_{0}, bytes_tx_{0}, messages_rx_{0}, messages_tx_{0};
};

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

// One server-side upgrade. The timer's closure keeps it alive until finish().
class Accepting : public std::enable_shared_from_this<Accepting> {
 public:
  Accepting(ByteStreamPtr stream, const WebSocketLimits& limits, UpgradeHandler on_upgrade,
            WebSocketHandler done)
      : limits_(limits),
        on_upgrade_(std::move(on_upgrade)),
        done_(std::move(done)),
        peer_(stream->peer()),
        executor_(stream->get_executor()),
        stream_(std::move(stream)),
        timer_(executor_),
        buffer_(limits.header_max_bytes + 1024) {}

  void start() {
    timer_.arm_after(limits_.upgrade_timeout, [self = shared_from_this()] { self->expire(); });
    parser_.header_limit(static_cast<std::uint32_t>(limits_.header_max_bytes));
    http::async_read_header(
        stream_, buffer_, parser_,
        [self = shared_from_this()](error_code error, std::size_t) { self->on_header(error); });
  }

 private:
  void expire() {
    expired_ = true;
    if (socket_) {
      socket_->abort();
    } else {
      stream_.stream().close();
    }
    if (deciding_) finish(fail(ErrorCode::timeout, "no decision about the upgrade in time"));
  }

  void on_header(const error_code& error) {
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      return refuse(UpgradeDecision::reject(431, "header too large", "over the limit in total"));
    }
    if (error && error.category() == http::make_error_code(http::error::bad_method).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message) {
      return refuse(UpgradeDecision::reject(400, "malformed request", error.message()));
    }
    if (error) return finish(fail(to_error(error, "read upgrade request from " + peer_.address)));
    if (auto decision = objection()) return refuse(*decision);
    deciding_ = true;
    auto asked = std::make_shared<std::atomic<bool>>(false);
    on_upgrade_(request(), [self = shared_from_this(), asked](UpgradeDecision decision) {
      if (asked->exchange(true)) return;
      asio::post(self->executor_, [self, decision = std::move(decision)] {
        self->decided(decision);
      });
    });
  }

  std::optional<UpgradeDecision> objection() {
    const auto& head = parser_.get();
    const std::string_view path = view(head.target()).substr(0, head.target().find('?'));
    if (head.find(http::field::origin) != head.end()) {
      return UpgradeDecision::reject(403, "browsers are not served",
                                     "a request with an Origin header is refused here");
    }
    if (path != "/sync") {
      return UpgradeDecision::reject(404, "not found", "this port serves /sync only");
    }
    if (head.find(http::field::transfer_encoding) != head.end() || buffer_.size() != 0) {
      return UpgradeDecision::reject(400, "unexpected body", "an upgrade request has no body");
    }
    if (!websocket::is_upgrade(head)) {
      return UpgradeDecision::reject(426, "websocket only", "send a websocket upgrade request");
    }
    return std::nullopt;
  }

  UpgradeRequest request() {
    UpgradeRequest result;
    const auto& head = parser_.get();
    result.target = head.target();
    result.peer = peer_;
    for (const auto& field : head) {
      if (field.name() == http::field::authorization) {
        result.bearer_token = bearer_of(view(field.value()));
        continue;
      }
      if (field.name() == http::field::host) result.host = field.value();
      if (field.name() == http::field::sec_websocket_protocol) {
        for (auto& name : split_list(view(field.value()))) {
          result.subprotocols.push_back(std::move(name));
        }
      }
      result.headers.emplace_back(field.name_string(), field.value());
    }
    return result;
  }

  void decided(const UpgradeDecision& decision) {
    if (!done_) return;
    deciding_ = false;
    if (decision.status != 101) return refuse(decision);
    socket_ = std::make_shared<BeastWebSocket>(std::move(stream_), limits_);
    socket_->set_subprotocol(decision.subprotocol);
    socket_->native().set_option(websocket::stream_base::decorator(
        [name = decision.subprotocol](websocket::response_type& response) {
          response.erase(http::field::server);
          if (!name.empty()) response.set(http::field::sec_websocket_protocol, name);
        }));
    socket_->native().async_accept(
        parser_.get(), [self = shared_from_this()](error_code error) {
          if (error) return self->finish(fail(to_error(error, "upgrade " + self->peer_.address)));
          self->finish(WebSocketPtr(self->socket_));
        });
  }

  void refuse(const UpgradeDecision& decision) {
    refusal_ = render_refusal(decision);
    std::string why = "upgrade refused with " + std::to_string(decision.status) + ": " +
                      decision.body.substr(0, decision.body.find('\n'));
    asio::async_write(stream_, asio::buffer(refusal_),
                      [self = shared_from_this(), code = code_of_status(decision.status),
                       why = std::move(why)](error_code error, std::size_t) {
                        if (!error) shutdown_then_close(self->stream_.release(), 2s);
                        self->finish(fail(code, why));
                      });
  }

  void finish(Result<WebSocketPtr> result) {
    if (!done_) return;
    const auto keep = shared_from_this();
    timer_.cancel();
    if (expired_) result = fail(ErrorCode::timeout, "no upgrade request in time");
    std::exchange(done_, nullptr)(std::move(result));
    socket_.reset();
  }

  WebSocketLimits limits_;
  UpgradeHandler on_upgrade_;
  WebSocketHandler done_;
  PeerInfo peer_;
  asio::any_io_executor executor_;
  AnyStream stream_;
  Timer timer_;
  beast::flat_buffer buffer_;
  http::request_parser<http::empty_body> parser_;
  std::shared_ptr<BeastWebSocket> socket_;
  std::string refusal_;
  bool deciding_ = false;
  bool expired_ = false;
};

// One client-side upgrade on a connected stream.
class Opening : public std::enable_shared_from_this<Opening> {
 public:
  Opening(WebSocketClientOptions options, WebSocketConnectHandler done)
      : options_(std::move(options)), done_(std::move(done)) {}

  void connected(Result<ByteStreamPtr> stream) {
    if (!stream) return finish_failed({.error = std::move(stream.error())});
    timer_.emplace((*stream)->get_executor());
    timer_->arm_after(options_.limits.upgrade_timeout, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self || !self->socket_) return;
      self->expired_ = true;
      self->socket_->abort();
    });
    socket_ = std::make_shared<BeastWebSocket>(AnyStream(std::move(*stream)), options_.limits);
    socket_->native().write_buffer_bytes(kClientWriteBufferBytes);
    socket_->native().set_option(websocket::stream_base::decorator(
        [self = this](websocket::request_type& request) { self->decorate(request); }));
    const std::string host = options_.target.host + ":" + std::to_string(options_.target.port);
    socket_->native().async_handshake(
        response_, host, options_.path,
        [self = shared_from_this()](error_code error) { self->on_handshake(error); });
  }

 private:
  void decorate(websocket::request_type& request) const {
    request.set(http::field::user_agent, options_.user_agent);
    if (!options_.bearer_token.empty()) {
      request.set(http::field::authorization, "Bearer " + options_.bearer_token);
    }
    std::string offers;
    for (const std::string& name : options_.subprotocols) {
      offers += (offers.empty() ? "" : ", ") + name;
    }
    if (!offers.empty()) request.set(http::field::sec_websocket_protocol, offers);
  }

  void on_handshake(const error_code& error) {
    timer_->cancel();
    const std::string where =
        options_.target.host + ":" + std::to_string(options_.target.port) + options_.path;
    if (expired_) {
      return finish_failed({.error = {ErrorCode::timeout, where + ": no answer in time", {}}});
    }
    if (error == websocket::error::upgrade_declined) return finish_failed(declined(where));
    if (error) return finish_failed({.error = to_error(error, "upgrade at " + where)});
    const std::string chosen = response_[http::field::sec_websocket_protocol];
    const auto& offered = options_.subprotocols;
    if (!offered.empty() && std::find(offered.begin(), offered.end(), chosen) == offered.end()) {
      socket_->abort();
      return finish_failed(
          {.error = {ErrorCode::unsupported, where + ": the server chose no offered protocol", {}},
           .http_status = 101});
    }
    socket_->set_subprotocol(chosen);
    std::exchange(done_, nullptr)(WebSocketPtr(std::move(socket_)));
  }

  ConnectFailure declined(const std::string& where) {
    ConnectFailure failure;
    failure.http_status = response_.result_int();
    failure.error = {code_of_status(failure.http_status),
                     where + ": refused with HTTP " + std::to_string(failure.http_status), {}};
    failure.body = response_.body().substr(0, kRefusalBodyMaxBytes);
    const std::string after = response_[http::field::retry_after];
    if (!after.empty() && after.size() <= 6 &&
        std::all_of(after.begin(), after.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      failure.retry_after = std::chrono::seconds(std::stoul(after));
    }
    return failure;
  }

  void finish_failed(ConnectFailure failure) {
    std::exchange(done_, nullptr)(tl::unexpected(std::move(failure)));
    socket_.reset();
  }

  WebSocketClientOptions options_;
  WebSocketConnectHandler done_;
  std::optional<Timer> timer_;
  std::shared_ptr<BeastWebSocket> socket_;
  websocket::response_type response_;
  bool expired_ = false;
};

}  // namespace

void accept_websocket(ByteStreamPtr stream, const WebSocketLimits& limits,
                      UpgradeHandler on_upgrade, WebSocketHandler done) {
  std::make_shared<Accepting>(std::move(stream), limits, std::move(on_upgrade), std::move(done))
      ->start();
}

void connect_websocket(asio::io_context& context, const WebSocketClientOptions& options,
                       WebSocketConnectHandler done) {
  const auto opening = std::make_shared<Opening>(options, std::move(done));
  connect_stream(context, options.target, options.connect_timeout,
                 [opening](Result<ByteStreamPtr> stream) {
                   opening->connected(std::move(stream));
                 });
}

void upgrade_websocket(ByteStreamPtr stream, const WebSocketClientOptions& options,
                       WebSocketConnectHandler done) {
  std::make_shared<Opening>(options, std::move(done))->connected(std::move(stream));
}

}  // namespace zonesync

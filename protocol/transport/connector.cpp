#include "protocol/transport/connector.hpp"

#include <memory>
#include <utility>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/error.hpp>

#include "protocol/runtime/timer.hpp"
#include "protocol/transport/asio_error.hpp"
#include "protocol/transport/streams.hpp"

namespace zonesync {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// One attempt: resolve, connect, handshake under one deadline. Kept alive by its operations.
class Connecting : public std::enable_shared_from_this<Connecting> {
 public:
  Connecting(asio::io_context& context, ConnectTarget target, ConnectHandler done)
      : target_(std::move(target)),
        done_(std::move(done)),
        resolver_(context),
        socket_(context),
        timer_(context) {}

  void start(Duration timeout) {
    timer_.arm_after(timeout, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->expire();
    });
    const std::string& address =
        target_.connect_address.empty() ? target_.host : target_.connect_address;
    resolver_.async_resolve(address, std::to_string(target_.port), tcp::resolver::numeric_service,
                            [self = shared_from_this()](error_code error, auto endpoints) {
                              if (error) return self->fail_with(error, "resolve");
                              self->connect(endpoints);
                            });
  }

 private:
  void connect(const tcp::resolver::results_type& endpoints) {
    asio::async_connect(socket_, endpoints,
                        [self = shared_from_this()](error_code error, const tcp::endpoint&) {
                          if (error) return self->fail_with(error, "connect to");
                          self->connected();
                        });
  }

  void connected() {
    if (expired_) return fail_with(asio::error::operation_aborted, "connect to");
    if (!target_.tls) return finish(make_tcp_stream(std::move(socket_)));
    stream_ = make_tls_stream(std::move(socket_), target_.tls->current(), target_.host);
    stream_->handshake([self = shared_from_this()](error_code error) {
      if (error) return self->fail_with(error, "TLS with");
      self->finish(std::move(self->stream_));
    });
  }

  void expire() {
    expired_ = true;
    error_code ignored;
    resolver_.cancel();
    socket_.close(ignored);
    if (stream_) stream_->close();
  }

  void fail_with(const error_code& code, std::string what) {
    timer_.cancel();
    what += " " + target_.host + ":" + std::to_string(target_.port);
    Error error = to_error(code, what);
    const std::string reason = stream_ ? stream_->verify_failure() : std::string();
    if (expired_) {
      error = Error{ErrorCode::timeout, what + ": no answer in time", {}};
    } else if (!reason.empty()) {
      error = Error{ErrorCode::unauthenticated,
                    what + ": the server's certificate is not trusted: " + reason, {}};
    } else if (stream_ && (code == asio::error::eof ||
                           code == asio::ssl::error::stream_truncated)) {
      error.code = ErrorCode::unavailable;
    }
    std::exchange(done_, nullptr)(fail(std::move(error)));
  }

  void finish(ByteStreamPtr stream) {
    timer_.cancel();
    std::exchange(done_, nullptr)(std::move(stream));
  }

  ConnectTarget target_;
  ConnectHandler done_;
  tcp::resolver resolver_;
  tcp::socket socket_;
  std::unique_ptr<TlsHandshaker> stream_;
  Timer timer_;
  bool expired_ = false;
};

}  // namespace

void connect_stream(asio::io_context& context, const ConnectTarget& target, Duration timeout,
                    ConnectHandler done) {
  std::make_shared<Connecting>(context, target, std::move(done))->start(timeout);
}

}  // namespace zonesync

#include "conformance/integration/support/raw_peer.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

namespace zonesync::integration {

struct RawPeer::Impl {
  boost::asio::io_context context{1};
  WebSocketPtr socket;

  /// Runs handlers until `done`.
  void run_until(const bool& done) {
    context.restart();
    while (!done && context.run_one() > 0) {
    }
  }
};

RawPeer::RawPeer(Options options) : options_(std::move(options)), impl_(std::make_unique<Impl>()) {}
RawPeer::~RawPeer() {
  if (impl_->socket) impl_->socket->abort();
  impl_->context.restart();
  impl_->context.poll();
  impl_->socket.reset();
}

std::optional<ConnectFailure> RawPeer::connect() {
  WebSocketClientOptions options;
  options.target.host = "127.0.0.1";
  options.target.port = options_.port;
  TlsClientOptions tls;
  tls.ca_file = options_.ca_file;
  options.target.tls = TlsContext::client(tls).value();
  options.bearer_token = options_.token;
  options.subprotocols = options_.subprotocols;
  bool done = false;
  std::optional<ConnectFailure> failure;
  connect_websocket(impl_->context, options,
                    [&](tl::expected<WebSocketPtr, ConnectFailure> result) {
                      if (result) {
                        impl_->socket = std::move(*result);
                      } else {
                        failure = std::move(result.error());
                      }
                      done = true;
                    });
  impl_->run_until(done);
  return failure;
}

void RawPeer::send(std::string message) {
  bool done = false;
  impl_->socket->async_write(std::move(message), [&](Status) { done = true; });
  impl_->run_until(done);
}

std::optional<std::string> RawPeer::read() {
  bool done = false;
  std::optional<std::string> message;
  impl_->socket->async_read([&](Result<std::string> result) {
    if (result) message = std::move(*result);
    done = true;
  });
  impl_->run_until(done);
  return message;
}

CloseInfo RawPeer::read_to_end() {
  while (read()) {
  }
  return impl_->socket->close_info();
}

std::string plain_tcp_exchange(std::uint16_t port, const std::string& bytes) {
  boost::asio::io_context context;
  boost::asio::ip::tcp::socket socket(context);
  boost::system::error_code failed;
  socket.connect({boost::asio::ip::make_address("127.0.0.1"), port}, failed);
  if (failed) return {};
  boost::asio::write(socket, boost::asio::buffer(bytes), failed);
  std::string answer;
  boost::asio::read(socket, boost::asio::dynamic_buffer(answer), failed);
  return answer;
}

}  // namespace zonesync::integration

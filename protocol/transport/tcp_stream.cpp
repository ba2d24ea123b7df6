#include <utility>

#include <boost/asio/error.hpp>

#include "protocol/transport/streams.hpp"

namespace zonesync {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

class TcpStream final : public ByteStream {
 public:
  TcpStream(tcp::socket socket, std::shared_ptr<void> keep)
      : keep_(std::move(keep)), socket_(std::move(socket)) {
    boost::system::error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    const auto endpoint = socket_.remote_endpoint(ignored);
    peer_.address = to_text(endpoint);
  }

  executor_type get_executor() override { return socket_.get_executor(); }

  void read_some(asio::mutable_buffer buffer, IoHandler handler) override {
    socket_.async_read_some(buffer, std::move(handler));
  }

  void write_some(asio::const_buffer buffer, IoHandler handler) override {
    socket_.async_write_some(buffer, std::move(handler));
  }

  // Half close, then read to the end: closing with unread bytes would reset the connection and
  // could take the last answer with it.
  void shutdown(DoneHandler handler) override {
    boost::system::error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    discarded_ = std::make_unique<char[]>(kDiscardBytes);
    discard(std::move(handler));
  }

  void close() noexcept override {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  [[nodiscard]] const PeerInfo& peer() const override { return peer_; }

 private:
  static constexpr std::size_t kDiscardBytes = 16u << 10;

  void discard(DoneHandler handler) {
    socket_.async_read_some(
        asio::buffer(discarded_.get(), kDiscardBytes),
        [this, handler = std::move(handler)](boost::system::error_code error,
                                             std::size_t) mutable {
          if (error) {
            const bool ended = error == asio::error::eof;
            std::move(handler)(ended ? boost::system::error_code() : error);
          } else {
            discard(std::move(handler));
          }
        });
  }

  std::shared_ptr<void> keep_;
  tcp::socket socket_;
  PeerInfo peer_;
  std::unique_ptr<char[]> discarded_;
};

}  // namespace

std::string to_text(const tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  const std::string port = std::to_string(endpoint.port());
  return endpoint.address().is_v6() ? "[" + address + "]:" + port : address + ":" + port;
}

ByteStreamPtr make_tcp_stream(tcp::socket socket, std::shared_ptr<void> keep) {
  return std::make_unique<TcpStream>(std::move(socket), std::move(keep));
}

}  // namespace zonesync

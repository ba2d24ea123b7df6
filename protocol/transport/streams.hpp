// Makers of the socket streams; only listener and connector use them.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "protocol/transport/byte_stream.hpp"

namespace boost::asio::ssl {
class context;
}

namespace zonesync {

/// "127.0.0.1:80", "[::1]:80".
[[nodiscard]] std::string to_text(const boost::asio::ip::tcp::endpoint& endpoint);

/// A connected socket; sets TCP_NODELAY. `keep` lives as long as the stream.
[[nodiscard]] ByteStreamPtr make_tcp_stream(boost::asio::ip::tcp::socket socket,
                                            std::shared_ptr<void> keep = {});

/// A TLS stream before its handshake: handshake() first, then as any ByteStream.
class TlsHandshaker : public ByteStream {
 public:
  virtual void handshake(DoneHandler handler) = 0;
  /// After a failed client handshake: why the server's certificate was refused; else empty.
  [[nodiscard]] virtual std::string verify_failure() const = 0;
};

/// `server_name` empty = server role; else the name or address the certificate must be valid for.
[[nodiscard]] std::unique_ptr<TlsHandshaker> make_tls_stream(
    boost::asio::ip::tcp::socket socket, std::shared_ptr<boost::asio::ssl::context> context,
    const std::string& server_name, std::shared_ptr<void> keep = {});

}  // namespace zonesync

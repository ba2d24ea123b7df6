// A connected, ordered, reliable byte stream behind one type: TCP, TLS or memory.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>

namespace zonesync {

/// Who is at the other end, as far as the connection itself proves it.
struct PeerInfo {
  std::string address;                        // "127.0.0.1:41234", "[::1]:5", "memory"
  std::string tls_version;                    // "TLSv1.3"; empty without TLS
  bool certificate_verified = false;          // a client certificate was presented and verified
  std::vector<std::string> certificate_uris;  // its SAN URIs: spiffe://domain/zone/east
};

/// Life cycle: made connected (TLS: handshake done). close() ends outstanding operations with
/// operation_aborted; destroying closes. At most one read and one write outstanding.
/// Thread rule: every call on the executor's thread; handlers run there, never inside the call.
class ByteStream {
 public:
  using executor_type = boost::asio::any_io_executor;
  using IoHandler =
      boost::asio::any_completion_handler<void(boost::system::error_code, std::size_t)>;
  using DoneHandler = boost::asio::any_completion_handler<void(boost::system::error_code)>;

  virtual ~ByteStream() = default;
  [[nodiscard]] virtual executor_type get_executor() = 0;
  /// Reads at least one byte; end of stream = boost::asio::error::eof.
  virtual void read_some(boost::asio::mutable_buffer buffer, IoHandler handler) = 0;
  /// Writes at least one byte of `buffer`, which must stay valid until the handler runs.
  virtual void write_some(boost::asio::const_buffer buffer, IoHandler handler) = 0;
  /// Orderly end of what we send: TLS close_notify, TCP half close. Waits for the peer to end too:
  /// set a deadline and call close(), or use shutdown_then_close(). The stream must live until
  /// then.
  virtual void shutdown(DoneHandler handler) = 0;
  virtual void close() noexcept = 0;
  [[nodiscard]] virtual const PeerInfo& peer() const = 0;
};

using ByteStreamPtr = std::unique_ptr<ByteStream>;

/// shutdown(), `timeout` at most, then close() and destroy. On the stream's thread; nothing else
/// may be outstanding.
void shutdown_then_close(ByteStreamPtr stream, std::chrono::milliseconds timeout);

}  // namespace zonesync

// A websocket peer without manners: says what it is told, byte by byte.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "protocol/transport/websocket.hpp"

namespace zonesync::integration {

/// Blocking, for tests. Thread rule: one thread.
class RawPeer {
 public:
  struct Options {
    std::uint16_t port = 0;
    std::string ca_file;
    std::string token;
    std::vector<std::string> subprotocols{"zonesync.v2.delta"};
  };
  explicit RawPeer(Options options);
  ~RawPeer();

  /// Nothing = open; else why not.
  [[nodiscard]] std::optional<ConnectFailure> connect();
  void send(std::string message);
  /// Next message, or nothing when the connection ended (then `close_info`).
  [[nodiscard]] std::optional<std::string> read();
  /// Reads until the connection ended.
  CloseInfo read_to_end();

 private:
  struct Impl;
  Options options_;
  std::unique_ptr<Impl> impl_;
};

/// Sends bytes over plain TCP and reads until the other side closes.
[[nodiscard]] std::string plain_tcp_exchange(std::uint16_t port, const std::string& bytes);

}  // namespace zonesync::integration

// A loopback TCP proxy that breaks connections on demand, for tests and for the demo.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "protocol/core/time.hpp"
#include "protocol/model/result.hpp"

namespace zonesync {

enum class ProxyDirection { to_server, to_client, both };

struct ProxyCounters {
  std::uint64_t bytes_to_server = 0;
  std::uint64_t bytes_to_client = 0;
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_refused = 0;  // while cut
  std::uint64_t connections_open = 0;
};

/// Forwards every connection on its own loopback port to host:port, with live faults.
///
/// Life cycle: start() runs it on its own thread; stop() or the destructor resets everything.
/// Thread rule: every call from any thread; an action is in force when the call returns.
class FaultProxy {
 public:
  [[nodiscard]] static Result<std::unique_ptr<FaultProxy>> start(const std::string& server_host,
                                                                std::uint16_t server_port,
                                                                std::uint16_t listen_port = 0);
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  [[nodiscard]] std::uint16_t port() const;

  /// Resets (RST) every connection and refuses new ones until heal().
  void cut();
  /// Back to a perfect link: ends cut, stall, limits, latency and armed resets.
  void heal();
  /// Resets the present connections; new ones are welcome.
  void reset_connections();
  /// Stops forwarding in `direction`; bytes wait (then TCP pushes back). Ends with heal().
  void stall(ProxyDirection direction);
  /// Reads and discards in `direction`: the sender believes all is well. Ends with heal().
  void half_open(ProxyDirection direction);
  /// bytes_per_second 0 = unlimited.
  void limit(ProxyDirection direction, std::uint64_t bytes_per_second);
  /// Adds a delay to every byte of `direction`.
  void delay(ProxyDirection direction, Duration latency);
  /// Resets a connection once `bytes` more were forwarded in `direction` over all connections.
  void reset_after(ProxyDirection direction, std::uint64_t bytes);
  /// Where new connections go from now on (a restarted server on another port).
  void set_server(const std::string& server_host, std::uint16_t server_port);

  [[nodiscard]] ProxyCounters counters() const;
  void stop();

  struct Impl;
  explicit FaultProxy(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace zonesync

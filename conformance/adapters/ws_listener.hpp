// Where a client under test connects: a TLS websocket listener on loopback whose upgrades the test
// answers one by one.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "conformance/adapters/frame_stream.hpp"
#include "protocol/transport/testing/test_certificates.hpp"
#include "protocol/transport/tls_context.hpp"
#include "protocol/transport/websocket.hpp"

namespace zonesync::conform {

/// An upgraded connection. Null socket = there is none.
struct AcceptedSocket {
  WebSocketPtr socket;
  std::shared_ptr<FrameInjector> frames;
};

/// Life cycle: listens from the start; attempts wait until accept() or refuse(). Thread rule: the
/// thread that runs the context.
class WsListener {
 public:
  explicit WsListener(std::shared_ptr<boost::asio::io_context> context);
  ~WsListener();
  WsListener(const WsListener&) = delete;
  WsListener& operator=(const WsListener&) = delete;

  [[nodiscard]] std::string url() const;
  [[nodiscard]] std::string ca_file() const { return certificates_.ca_file(); }
  /// An attempt waits for its answer.
  [[nodiscard]] bool attempt_within(Duration within);
  /// No socket = no attempt came, or it did not offer the subprotocol.
  [[nodiscard]] AcceptedSocket accept(const std::string& subprotocol, const std::string& token);
  bool refuse(unsigned http_status, std::optional<std::uint32_t> retry_after_s);

 private:
  struct State;
  std::shared_ptr<boost::asio::io_context> context_;
  TestCertificates certificates_;
  std::shared_ptr<State> state_;
};

}  // namespace zonesync::conform

#include "conformance/adapters/ws_listener.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/ip/tcp.hpp>

#include "conformance/adapters/ws_link.hpp"
#include "protocol/model/assert.hpp"
#include "protocol/transport/streams.hpp"

namespace zonesync::conform {

using boost::asio::ip::tcp;

/// An upgrade that was asked for, and the websocket once it was granted.
struct WsListener::State : std::enable_shared_from_this<State> {
  struct Attempt {
    UpgradeRequest request;
    UpgradeDecide decide;
    std::optional<WebSocketPtr> socket;
    std::shared_ptr<FrameInjector> frames;
    bool over = false;
  };
  explicit State(boost::asio::io_context& context)
      : acceptor(context, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)) {}

  void accept_on() {
    acceptor.async_accept([self = shared_from_this()](boost::system::error_code failed,
                                                      tcp::socket socket) {
      if (!self->acceptor.is_open()) return;
      if (!failed) self->serve(std::move(socket));
      self->accept_on();
    });
  }
  void serve(tcp::socket socket) {
    // Held by its own handler until the handshake ended.
    auto held = std::make_shared<std::unique_ptr<TlsHandshaker>>(
        make_tls_stream(std::move(socket), tls->current(), ""));
    (*held)->handshake([self = shared_from_this(), held](boost::system::error_code failed) {
      if (!failed) self->upgrade(std::move(*held));
    });
  }
  void upgrade(ByteStreamPtr stream);

  tcp::acceptor acceptor;
  TlsContextPtr tls;
  std::deque<std::shared_ptr<Attempt>> attempts;
};

void WsListener::State::upgrade(ByteStreamPtr stream) {
  auto attempt = std::make_shared<Attempt>();
  const auto ask = [self = shared_from_this(), attempt](const UpgradeRequest& request,
                                                        UpgradeDecide decide) {
    attempt->request = request;
    attempt->decide = std::move(decide);
    self->attempts.push_back(attempt);
  };
  WebSocketLimits limits;
  limits.upgrade_timeout = std::chrono::seconds(120);   // the case decides when to answer
  auto [wrapped, frames] = injectable(std::move(stream), FrameEnd::server);
  attempt->frames = std::move(frames);
  accept_websocket(std::move(wrapped), limits, ask, [attempt](Result<WebSocketPtr> socket) {
    attempt->over = true;
    if (socket) attempt->socket = std::move(*socket);
  });
}

WsListener::WsListener(std::shared_ptr<boost::asio::io_context> context)
    : context_(std::move(context)), state_(std::make_shared<State>(*context_)) {
  TlsServerOptions options;
  options.certificate_file = certificates_.certificate_file();
  options.key_file = certificates_.key_file();
  auto tls = TlsContext::server(options);
  ZS_ASSERT(tls.has_value());
  state_->tls = std::move(*tls);
  state_->accept_on();
}

WsListener::~WsListener() {
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  for (const auto& attempt : std::exchange(state_->attempts, {})) {
    attempt->decide(UpgradeDecision::reject(503, "over", "the case ended"));
  }
  run_until(*context_, std::chrono::milliseconds(5), [] { return false; });
}

std::string WsListener::url() const {
  return "wss://127.0.0.1:" + std::to_string(state_->acceptor.local_endpoint().port()) + "/sync";
}

bool WsListener::attempt_within(Duration within) {
  run_until(*context_, within, [this] {
    std::erase_if(state_->attempts, [](const auto& attempt) { return attempt->over; });
    return !state_->attempts.empty();
  });
  return !state_->attempts.empty();
}

AcceptedSocket WsListener::accept(const std::string& subprotocol, const std::string& token) {
  while (attempt_within(std::chrono::seconds(20))) {
    const auto attempt = state_->attempts.front();
    state_->attempts.pop_front();
    const auto& offered = attempt->request.subprotocols;
    if (std::find(offered.begin(), offered.end(), subprotocol) == offered.end()) {
      attempt->decide(UpgradeDecision::reject(400, "subprotocol", subprotocol));
      return {};
    }
    if (attempt->request.bearer_token != token) {
      attempt->decide(UpgradeDecision::reject(401, "unauthenticated", "the token is another one"));
      return {};
    }
    attempt->decide(UpgradeDecision::accept(subprotocol));
    run_until(*context_, kRealDeadline, [&] { return attempt->over; });
    if (attempt->socket) return {std::move(*attempt->socket), attempt->frames};
    // Whoever asked has gone since, as a client that was started anew: the next one then.
  }
  return {};
}

bool WsListener::refuse(unsigned http_status, std::optional<std::uint32_t> retry_after_s) {
  if (!attempt_within(std::chrono::seconds(20))) return false;
  const auto attempt = state_->attempts.front();
  state_->attempts.pop_front();
  UpgradeDecision decision = UpgradeDecision::reject(http_status, "refused", "by the case");
  if (retry_after_s) decision.retry_after = std::chrono::seconds(*retry_after_s);
  attempt->decide(decision);
  run_until(*context_, kRealDeadline, [&] { return attempt->over; });
  return true;
}

}  // namespace zonesync::conform

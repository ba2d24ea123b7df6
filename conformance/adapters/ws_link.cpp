#include "conformance/adapters/ws_link.hpp"

#include <chrono>
#include <utility>

namespace zonesync::conform {

void run_until(boost::asio::io_context& context, Duration deadline,
               const std::function<bool()>& done) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  context.restart();
  while (!done() && std::chrono::steady_clock::now() < until) {
    context.run_one_for(std::chrono::milliseconds(5));
    if (context.stopped()) context.restart();
  }
}

/// Kept alive by outstanding operations.
struct WsLink::State {
  WebSocketPtr socket;
  std::deque<std::string> inbox;
  std::deque<std::string> outbox;
  bool writing = false;
  std::optional<CloseInfo> wanted;   // close once everything was written
  bool closing = false;
  std::optional<CloseInfo> closed;
};

WsLink::WsLink(std::shared_ptr<boost::asio::io_context> context, WebSocketPtr socket,
               std::shared_ptr<FrameInjector> frames)
    : context_(std::move(context)),
      state_(std::make_shared<State>()),
      frames_(std::move(frames)) {
  state_->socket = std::move(socket);
  state_->socket->set_message_max(4u << 20);   // an oversized message is the case's to judge
  read_on(state_);
}

WsLink::~WsLink() { cut(); }

void WsLink::read_on(const std::shared_ptr<State>& state) {
  state->socket->async_read([state](Result<std::string> message) {
    if (!message) {
      if (!state->closed) state->closed = state->socket->close_info();
      return;
    }
    state->inbox.push_back(std::move(*message));
    read_on(state);
  });
}

void WsLink::write_on(const std::shared_ptr<State>& state) {
  if (state->writing || state->closed) return;
  if (state->outbox.empty()) {
    if (!state->wanted || std::exchange(state->closing, true)) return;
    state->socket->async_close(*state->wanted, [](const Status&) {});
    return;
  }
  state->writing = true;
  std::string message = std::move(state->outbox.front());
  state->outbox.pop_front();
  state->socket->async_write(std::move(message), [state](const Status&) {
    state->writing = false;
    write_on(state);
  });
}

void WsLink::send(std::string message) {
  if (state_->closed) return;
  state_->outbox.push_back(std::move(message));
  write_on(state_);
  run_until(*context_, kRealDeadline, [state = state_] {
    return (state->outbox.empty() && !state->writing) || state->closed;
  });
}

std::optional<std::string> WsLink::take(Duration deadline) {
  run_until(*context_, deadline,
            [state = state_] { return !state->inbox.empty() || state->closed; });
  if (state_->inbox.empty()) return std::nullopt;
  std::string message = std::move(state_->inbox.front());
  state_->inbox.pop_front();
  return message;
}

std::optional<std::string> WsLink::receive() { return take(kRealDeadline); }

std::optional<std::string> WsLink::poll() { return take(kRealQuiet); }

std::optional<CloseInfo> WsLink::closed() const {
  return state_->inbox.empty() ? state_->closed : std::nullopt;
}

void WsLink::cut() {
  if (!state_->closed) state_->closed = CloseInfo{};
  state_->socket->abort();
  run_until(*context_, std::chrono::milliseconds(1), [] { return false; });
}

void WsLink::close(CloseInfo info) {
  state_->wanted = std::move(info);
  write_on(state_);
  run_until(*context_, kRealDeadline, [state = state_] { return state->closed.has_value(); });
}

bool WsLink::send_text(std::string text) {
  if (!frames_ || state_->closed) return false;
  auto written = std::make_shared<bool>(false);
  if (!frames_->send_text(text, [written] { *written = true; })) return false;
  run_until(*context_, kRealDeadline, [written] { return *written; });
  return true;
}

}  // namespace zonesync::conform

// A real websocket behind a Link: reads all the time, waits with one generous deadline.
#pragma once

#include <deque>
#include <memory>

#include <boost/asio/io_context.hpp>

#include "conformance/adapters/frame_stream.hpp"
#include "conformance/suite/link.hpp"
#include "protocol/transport/websocket.hpp"

namespace zonesync::conform {

/// How long a real subject may take for anything, and how long "nothing comes" takes.
inline constexpr auto kRealDeadline = std::chrono::seconds(10);
inline constexpr auto kRealQuiet = std::chrono::milliseconds(120);

/// Runs handlers until `done` or the deadline.
void run_until(boost::asio::io_context& context, Duration deadline,
               const std::function<bool()>& done);

/// Life cycle: made on an open websocket. Thread rule: the thread that runs the context.
class WsLink final : public Link {
 public:
  /// `frames` is that of the socket's stream; null = no text frames.
  WsLink(std::shared_ptr<boost::asio::io_context> context, WebSocketPtr socket,
         std::shared_ptr<FrameInjector> frames);
  ~WsLink() override;

  void send(std::string message) override;
  std::optional<std::string> receive() override;
  std::optional<std::string> poll() override;
  std::optional<CloseInfo> closed() const override;
  void cut() override;
  void close(CloseInfo info) override;
  bool send_text(std::string text) override;

 private:
  struct State;
  static void read_on(const std::shared_ptr<State>& state);
  static void write_on(const std::shared_ptr<State>& state);
  std::optional<std::string> take(Duration deadline);

  std::shared_ptr<boost::asio::io_context> context_;
  std::shared_ptr<State> state_;
  std::shared_ptr<FrameInjector> frames_;
};

}  // namespace zonesync::conform

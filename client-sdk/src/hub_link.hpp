// Opens websockets to the hub and runs sessions on them.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "client-sdk/include/zonesync/config.hpp"
#include "client-sdk/src/hub_url.hpp"
#include "client-sdk/zone/zone_machine.hpp"
#include "protocol/runtime/clock.hpp"
#include "protocol/transport/session_driver.hpp"

namespace boost::asio {
class io_context;
}

namespace zonesync::client {

/// Reads token and CA files again at every connect, so rotated credentials need no restart.
/// Life cycle: gone before the io_context is. Thread rule: the context's thread.
class HubLink {
 public:
  struct Events {
    std::function<std::vector<SyncMode>()> offers;
    std::function<std::shared_ptr<Session>(SyncMode)> opened;  // null = not wanted any more
    std::function<void(const ConnectProblem&)> failed;
  };
  HubLink(boost::asio::io_context& context, const Config& config, HubUrl url, const Clock& clock,
          Events events);
  ~HubLink();

  void connect();
  void cancel();
  void wake();

 private:
  [[nodiscard]] Result<WebSocketClientOptions> options() const;
  void fail_later(Error error);
  void on_connected(tl::expected<WebSocketPtr, ConnectFailure> result);

  boost::asio::io_context& context_;
  const Config& config_;
  HubUrl url_;
  const Clock& clock_;
  Events events_;
  std::shared_ptr<SessionDriver> driver_;
  std::shared_ptr<bool> attempt_;  // the connect that counts; replaced = answers are ignored
};

}  // namespace zonesync::client

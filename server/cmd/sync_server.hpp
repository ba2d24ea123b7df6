// The sync port: TLS, upgrade with credential check, one HubSession per websocket.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "protocol/runtime/io_pool.hpp"
#include "protocol/transport/listener.hpp"
#include "server/auth/attempt_limiter.hpp"
#include "server/cmd/hub_session.hpp"
#include "server/hub/hub_api.hpp"

namespace zonesync {

/// Life cycle: start, drain, then destroy once the pool is stopped. Thread rule: any thread.
class SyncServer {
 public:
  struct Options {
    std::string address;
    std::uint16_t port = 0;
    TlsContextPtr tls;
    bool delta_enabled = true;
    auth::AttemptLimiter::Options attempts;
  };
  using CredentialsSource = std::function<std::shared_ptr<const auth::Credentials>()>;

  SyncServer(Options options, SessionServices& services, CredentialsSource credentials);
  ~SyncServer();

  /// Errors: unavailable (address cannot be bound).
  Status start(IoPool& pool);
  [[nodiscard]] std::uint16_t port() const;

  /// The log moved: every session looks for what it may send.
  void wake_all();
  /// Once a second.
  void tick_all();
  void close_session(SessionId session, std::uint16_t code, const std::string& reason,
                     Duration retry_after = {});
  /// Lets the zone of a session ask for everything again.
  void resync(SessionId session);
  /// Tells the zone to use v1 for so long.
  void fall_back(SessionId session, Duration ttl);
  void retry_held(SessionId session);
  void forget(SessionId session);
  [[nodiscard]] std::size_t sessions() const;

  /// No new sessions; the open ones are told to come back, spread over `spread`.
  void drain(Duration spread);

  [[nodiscard]] std::uint64_t opened() const { return opened_; }
  [[nodiscard]] std::uint64_t upgrades_refused() const { return upgrades_refused_; }
  [[nodiscard]] std::uint64_t tls_failures() const;

 private:
  struct Upgrade;
  void on_stream(ByteStreamPtr stream);
  void on_upgrade(const UpgradeRequest& request, Upgrade& upgrade, const UpgradeDecide& decide);
  void on_websocket(Result<WebSocketPtr> socket, const Upgrade& upgrade);
  void refuse(const UpgradeRequest& request, Upgrade& upgrade, const UpgradeDecide& decide,
              UpgradeDecision decision, std::string reason, std::string detail);
  [[nodiscard]] std::vector<std::shared_ptr<HubSession>> live() const;
  [[nodiscard]] std::shared_ptr<HubSession> find(SessionId session) const;

  Options options_;
  SessionServices& services_;
  CredentialsSource credentials_;
  auth::AttemptLimiter limiter_;
  std::shared_ptr<Listener> listener_;
  std::atomic<bool> draining_{false};
  std::atomic<std::uint64_t> opened_{0};
  std::atomic<std::uint64_t> upgrades_refused_{0};
  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::weak_ptr<HubSession>> sessions_;
  std::uint64_t next_session_ = 1;
};

}  // namespace zonesync

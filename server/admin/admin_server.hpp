// The hub's HTTP face: the API over https and health and metrics over plain http.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "protocol/core/time.hpp"
#include "protocol/model/result.hpp"
#include "protocol/runtime/clock.hpp"
#include "protocol/runtime/logger.hpp"
#include "protocol/transport/tls_context.hpp"
#include "server/auth/attempt_limiter.hpp"
#include "server/auth/credentials.hpp"
#include "server/hub/hub_api.hpp"

namespace zonesync::admin {

/// Asked at every request, from any thread, so that a reload takes effect at once. Never null.
using CredentialsSource = std::function<std::shared_ptr<const auth::Credentials>()>;
using WallClock = std::function<auth::UnixTime()>;

struct AdminOptions {
  std::string api_address = "127.0.0.1";     // numeric
  std::uint16_t api_port = 5681;             // 0 = any free one
  TlsContextPtr api_tls;                     // required: there is no plain API
  std::string metrics_address = "127.0.0.1";
  std::uint16_t metrics_port = 5680;         // 0 = any free one
  bool metrics_enabled = true;

  std::size_t threads = 2;                   // of its own: reads may touch the disk
  std::size_t zone_series_max = 1'000;       // zones with their own metric series
  std::size_t watchers_max = 256;            // GET /changes?watch=true at a time
  std::size_t waits_max = 1'024;             // GET /wait at a time
  std::size_t stream_buffer_max_bytes = 4u << 20;  // per watcher
  Duration wait_max = std::chrono::minutes(5);
  Duration slow_reader_max = std::chrono::seconds(10);  // a watcher that took nothing for so long
  Duration heartbeat = std::chrono::seconds(15);        // an idle watcher gets a mark
  auth::AttemptLimiter::Options attempts{.max_failures = 100};  // as at the sync port
  WallClock now;                             // judges tokens; empty = the system's clock
  const Clock* clock = nullptr;              // null = steady_clock()
};

/// Serves until stop() or destruction, which cut all connections. Paths, roles and answers stand
/// in docs/openapi.yaml.
///
/// Life cycle: `hub` outlives the server. Its completions that arrive after stop() are dropped.
/// Thread rule: start(), stop() from any thread but one of the hub's or its own.
class AdminServer {
 public:
  /// Errors: invalid_argument (no TLS, no credentials), unavailable (an address cannot be bound).
  [[nodiscard]] static Result<std::unique_ptr<AdminServer>> start(AdminOptions options,
                                                                  hub::HubApi& hub,
                                                                  CredentialsSource credentials,
                                                                  std::shared_ptr<Logger> logger);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  void stop();
  [[nodiscard]] std::uint16_t api_port() const;
  /// 0 when metrics are not enabled.
  [[nodiscard]] std::uint16_t metrics_port() const;

 private:
  struct Impl;
  explicit AdminServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace zonesync::admin

// One zone's connection at the hub: joins the sans-IO session on its io thread with the writer.
//
//   io thread                                   writer thread
//    on_hello ──────── admit ──────────────────► ZoneRegistry
//    decided  ◄─────── Admitted | Refused ──────
//    UpSink   ──────── UpCommit ───────────────► HubCore
//             ◄─────── UpResult ────────────────
//    on_session_closed ────────────────────────► ZoneRegistry
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "protocol/core/session.hpp"
#include "protocol/runtime/logger.hpp"
#include "protocol/transport/session_driver.hpp"
#include "server/auth/credentials.hpp"
#include "server/cmd/line_budget.hpp"
#include "server/cmd/writer_thread.hpp"
#include "server/hub/up_sink.hpp"
#include "server/hub/zone_registry.hpp"

namespace zonesync {

/// What sessions count for /metrics. Monotonic. Any thread.
struct SessionTotals {
  std::atomic<std::uint64_t> refused{0};          // after Hello
  std::atomic<std::uint64_t> protocol_errors{0};  // ended by a broken rule of the peer
};

/// What sessions need of the process; outlives them. `core` and `zones`: writer thread
/// only, but for the core's views.
struct SessionServices {
  WriterThread& writer;
  hub::HubCore& core;
  hub::ZoneRegistry& zones;
  hub::ZoneTable& table;
  const LogSource& source;
  std::shared_ptr<Logger> logger;
  Id128 hub_id;
  std::function<std::int64_t()> now_ms;                    // wall clock
  std::function<std::uint64_t()> up_window;                // fair share of the up-credit pool
  std::function<void(const std::string& zone, Revision)> progress;
  std::function<void(SessionId)> ended;
  std::shared_ptr<SessionTotals> totals = std::make_shared<SessionTotals>();
  bool compression = true;                                 // grant zstd and patches
};

/// Life cycle: make, attach the driver, start the driver; the driver owns it until the end.
/// Thread rule: the connection's io thread, but for close, wake and tick (any thread).
class HubSession final : public SessionHost,
                         public hub::UpPort,
                         public std::enable_shared_from_this<HubSession> {
 public:
  HubSession(SessionServices& services, SessionId id, auth::ZoneIdentity identity,
             std::string peer, hub::ModeChoice mode);
  [[nodiscard]] SessionId id() const { return id_; }
  /// The session for the driver; keeps this object alive.
  [[nodiscard]] std::shared_ptr<SessionPort> port();
  void attach(std::weak_ptr<SessionDriver> driver) { driver_ = std::move(driver); }

  void wake();
  void close(std::uint16_t code, std::string reason, Duration retry_after = {},
             Duration fallback = {});
  /// Once a second: sample status, end sessions whose credential expired or was revoked.
  void tick(std::shared_ptr<const auth::Credentials> credentials);
  /// A held up cut may be tried again.
  void retry_held();
  /// Lets the zone ask for everything again.
  void resync();

  // SessionHost
  void on_hello(Session& session, const wire::Hello& hello) override;
  void on_welcome(Session&, const wire::Welcome&) override {}
  void on_goodbye(Session&, const wire::Goodbye&) override {}
  void on_sync(Session& session, std::uint64_t id) override;
  void on_synced(Session&, const wire::Synced&) override {}
  void on_peer_ack(Session& session, const wire::Ack& ack) override;
  void on_peer_hold(Session& session, const wire::Hold& hold) override;
  void on_session_closed(Session& session, const CloseInfo& info) override;

  // UpPort
  void submit(hub::UpCommit commit, hub::UpDone done) override;

 private:
  void post(std::function<void()> work);
  void decided(tl::expected<hub::Admitted, hub::Refused> decision);
  void welcome(const hub::Admitted& admitted);
  void log_up_hold(const std::string& reason, const std::string& text);
  void adapt_window();
  void answer_syncs();
  void sample();
  void log_for_peer(std::string event, std::string message, std::vector<LogField> fields);
  void log(LogLevel level, std::string event, std::string message,
           std::vector<LogField> fields = {}) const;

  SessionServices& services_;
  const SessionId id_;
  const auth::ZoneIdentity identity_;
  const std::string peer_;
  const hub::ModeChoice mode_;
  std::weak_ptr<SessionDriver> driver_;
  Session session_;
  wire::Hello hello_;
  bool hello_seen_ = false;
  bool admitted_ = false;
  bool stored_something_ = false;          // the first grant may grow
  std::string logged_up_hold_;             // reason of our own hold that was logged last
  std::unique_ptr<ViewFeed> feed_;
  std::unique_ptr<hub::UpSink> sink_;
  std::deque<std::uint64_t> syncs_;
  std::string logged_hold_;                // reason of the hold that was logged last; empty = none
  LineBudget peer_lines_{20};              // a second
};

}  // namespace zonesync

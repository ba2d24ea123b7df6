// A zone's orchestration as a sans-IO machine: connect, session, reconnect, barriers, guards.
//
//   start ─► port.connect ─► open_session ─► (driver runs the Session) ─► on_session_closed
//                 │                                                           │
//                 └► on_connect_failed ──► backoff ─► on_tick ─► port.connect ◄┘
//
// 401, 403 and certificate errors: slow regime (auth_failed), for ever. Close 4409: superseded,
// never again for this process. A store that refuses for good: closed.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client-sdk/zone/backoff.hpp"
#include "client-sdk/zone/mode_policy.hpp"
#include "client-sdk/zone/outbox.hpp"
#include "client-sdk/zone/replica_sink.hpp"
#include "client-sdk/zone/zone_status.hpp"
#include "protocol/core/session.hpp"

namespace zonesync {

/// What the machine asks its driver to do. Every call happens inside an event of the machine.
class ZonePort {
 public:
  virtual ~ZonePort() = default;
  [[nodiscard]] virtual TimePoint now() const = 0;
  /// Uniform in [0, 1).
  [[nodiscard]] virtual double random() = 0;
  /// Open a websocket to the hub; answer with open_session or on_connect_failed, later.
  virtual void connect() = 0;
  /// Forget a connect that was not answered yet.
  virtual void cancel_connect() = 0;
  /// The session may have something to send or wants to close.
  virtual void wake() = 0;
  /// Call on_tick then (or earlier); replaces the one before; nothing = no call needed.
  virtual void schedule(std::optional<TimePoint> deadline) = 0;
  virtual void cut_applied(AppliedCut cut) = 0;
  virtual void status_changed() = 0;
};

/// Why no websocket came to be.
struct ConnectProblem {
  Error error;
  unsigned http_status = 0;             // 0 = no HTTP answer
  std::optional<Duration> retry_after;
};

using BarrierDone = std::function<void(Result<Revision>)>;

/// Life cycle: construct, start, any events, stop; then the open session (if any) still closes.
/// Thread rule: one thread, that of the sessions.
class ZoneMachine final : public SessionHost {
 public:
  struct Options {
    std::string zone;
    InstanceId instance;                 // random per process start
    std::string software;
    std::vector<std::string> types;
    std::vector<std::string> meshes;
    bool delta_enabled = true;           // false = only v1 is offered
    Backoff::Options backoff;
    Duration healthy_after = std::chrono::seconds(60);
    Session::Options session;
    std::uint64_t down_window_bytes = limits::kFlowWindowBytes;  // receive window of the down flow
  };

  /// All outlive the machine.
  ZoneMachine(Options options, ReplicaStore& store, ReplicaSink& sink, Outbox& outbox,
              ZonePort& port);

  // -- events of the driver -----------------------------------------------------------------------
  void start();
  /// Says Goodbye when connected; no connect after it.
  void stop();
  /// The websocket is open: the session to run on it. Null when it is no longer wanted.
  /// What to offer at a connect, in order of preference (CON-02).
  [[nodiscard]] std::vector<SyncMode> offers() const { return modes_.offers(port_.now()); }
  /// `mode` = of the subprotocol that was negotiated.
  [[nodiscard]] std::shared_ptr<Session> open_session(SyncMode mode = SyncMode::delta);
  void on_connect_failed(const ConnectProblem& problem);
  void on_tick(TimePoint now);
  /// After each event of the session: notices a store that failed for good.
  void check_store();

  // -- wishes of the application ------------------------------------------------------------------
  /// Own changes became durable in the outbox.
  void outbox_changed();
  void publish(std::vector<OutboxOp> ops, OutboxDone done);
  Status publish_complete();
  /// `done` runs once: when all own changes of before are committed at the hub and what the hub had
  /// then is applied here. Errors: timeout, canceled, resource_exhausted.
  void barrier(TimePoint deadline, BarrierDone done);
  void wait_revision(Revision revision, TimePoint deadline, BarrierDone done);
  void approve_mass_delete();
  /// Connect now instead of at the end of the backoff.
  void reconnect_now();
  /// The application waits (why) or goes on (nothing): the down flow is held meanwhile.
  void hold_application(std::optional<std::string> why);
  /// The application could not apply one version.
  Status refuse(const ResourceKey& key, Revision revision, Reject reject);

  [[nodiscard]] ZoneStatus status() const;
  /// A session exists, open or closing.
  [[nodiscard]] bool has_session() const { return session_ != nullptr; }

  // -- SessionHost --------------------------------------------------------------------------------
  void on_hello(Session& session, const wire::Hello& hello) override;
  void on_welcome(Session& session, const wire::Welcome& welcome) override;
  void on_goodbye(Session& session, const wire::Goodbye& goodbye) override;
  void on_sync(Session& session, std::uint64_t id) override;
  void on_synced(Session& session, const wire::Synced& synced) override;
  void on_peer_ack(Session& session, const wire::Ack& ack) override;
  void on_peer_hold(Session& session, const wire::Hold& hold) override;
  void on_session_closed(Session& session, const CloseInfo& info) override;

 private:
  enum class Phase : std::uint8_t { idle, connecting, session, waiting, superseded, closed };
  struct Barrier {
    std::uint64_t id = 0;
    bool sent = false;                  // in the open session
    std::optional<Revision> revision;   // known: waits to be applied here
    TimePoint deadline;
    BarrierDone done;
  };
  [[nodiscard]] wire::Hello hello() const;
  void begin_connect();
  void plan_retry(ZoneError error, std::optional<Duration> retry_after, bool auth);
  void adopt_types(const wire::Welcome& welcome);
  void reopen(std::string why);
  void on_applied(AppliedCut cut);
  void send_barriers();
  void settle_barriers();
  void expire_barriers(TimePoint now);
  void fail_barriers(const Error& error);
  void reschedule();
  void absorb(const Session& session);
  void end_for_good(Phase phase, const Error& error);
  [[nodiscard]] ZoneState state() const;
  [[nodiscard]] Revision applied() const;

  Options options_;
  ReplicaStore& store_;
  ReplicaSink& sink_;
  Outbox& outbox_;
  ZonePort& port_;
  Backoff backoff_;
  Phase phase_ = Phase::idle;
  std::shared_ptr<Session> session_;
  ModePolicy modes_;
  bool welcomed_ = false;               // in the open session
  bool reopening_ = false;              // we closed the session to say Hello anew: no failure
  bool auth_failed_ = false;
  bool ever_tried_ = false;
  bool ever_connected_ = false;
  TimePoint welcomed_at_{};
  std::optional<TimePoint> retry_at_;
  std::optional<wire::Goodbye> goodbye_;
  std::optional<ZoneError> last_error_;
  Revision head_seen_;
  Revision outbox_acked_;
  std::string peer_held_;
  std::uint64_t generation_ = 0, session_id_ = 0, registry_version_ = 0;
  ZoneCounters counters_;               // of ended sessions, plus connects
  std::uint64_t next_barrier_ = 1;
  std::deque<Barrier> barriers_;        // bounded by kBarriersMax
};

}  // namespace zonesync

// One websocket session as a sans-IO machine, for both roles.
//
//   zone                                   hub
//    on_open: Hello ─────────────────────► on_hello (host decides, maybe later)
//    on_welcome ◄───────────────── Welcome  admit(...) | refuse(code, reason)
//    down: FlowReceiver ◄──── Intent, Change, Mark ───── FlowSender
//    up:   FlowSender ─────── Intent, Change, Mark ────► FlowReceiver
//          Want, Ack, Hold travel against the data; Goodbye, Sync, Synced belong to no flow.
//
// Life cycle: construct, hand to a driver (SessionPort), exactly one on_closed ends it.
// Thread rule: one thread; the host is called on it and may call back into the session.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/core/flow_receiver.hpp"
#include "protocol/core/flow_sender.hpp"
#include "protocol/core/session_port.hpp"
#include "protocol/wire/codec.hpp"

namespace zonesync {

class Session;

/// Policy around a session: admission, status, what to do with its end.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  /// Hub role: a verified, well-formed Hello arrived. Answer with session.admit or session.refuse,
  /// now or later.
  virtual void on_hello(Session& session, const wire::Hello& hello) = 0;
  /// Zone role: call session.start_flows here.
  virtual void on_welcome(Session& session, const wire::Welcome& welcome) = 0;
  virtual void on_goodbye(Session& session, const wire::Goodbye& goodbye) = 0;
  /// Hub role: every up cut that came before is durable: answer with session.synced(id, head).
  virtual void on_sync(Session& session, std::uint64_t id) = 0;
  /// Zone role.
  virtual void on_synced(Session& session, const wire::Synced& synced) = 0;
  /// The peer acked, held or reported verdicts on the flow that we send.
  virtual void on_peer_ack(Session& session, const wire::Ack& ack) = 0;
  virtual void on_peer_hold(Session& session, const wire::Hold& hold) = 0;
  /// Last call of a session's life.
  virtual void on_session_closed(Session& session, const CloseInfo& info) = 0;
};

enum class SessionRole : std::uint8_t { hub, zone };

/// Our close codes (docs/protocol.md): stable.
namespace close_code {
inline constexpr std::uint16_t kNormal = 1000, kGoingAway = 1001, kProtocolError = 1002,
                               kTextFrame = 1003, kTooBig = 1009, kInternal = 1011, kRestart = 1012,
                               kTryLater = 1013, kMalformed = 4400, kUnauthenticated = 4401,
                               kZoneNotAllowed = 4403, kSilence = 4408, kSuperseded = 4409,
                               kCreditViolated = 4413, kVersion = 4426, kRateLimited = 4429,
                               kCursorMoved = 4460;
}  // namespace close_code

/// Feature word: the zone takes Drop, so its view may change while it is connected (VIEW-08).
inline constexpr std::string_view kFeatureViews = "views";

struct SessionCounters {
  std::uint64_t messages_rx = 0, messages_tx = 0;
  std::uint64_t bytes_rx = 0, bytes_tx = 0;  // websocket payload bytes
};

class Session final : public SessionPort {
 public:
  struct Options {
    SessionRole role = SessionRole::zone;
    SyncMode mode = SyncMode::delta;         // of the negotiated subprotocol; never changes
    Duration handshake_timeout = limits::kHandshakeTimeout;
    Duration silence_timeout = limits::kSilenceTimeout;
    std::size_t message_max_bytes = limits::kMessageMaxBytes;
    std::size_t message_target_bytes = limits::kMessageTargetBytes;  // what our sender fills
    std::size_t cut_target_bytes = limits::kMessageTargetBytes;      // when behind: cut at least
    wire::Features features = wire::kAllFeatures;                    // offered or granted
  };

  /// `host` outlives the session. Zone role: `hello` is sent on open, with our features.
  Session(Options options, SessionHost& host, std::optional<wire::Hello> hello);
  ~Session() override;

  // -- hub role -----------------------------------------------------------------------------------
  /// What an admitted session works with; all outlive it. `sink` is null when the zone may not
  /// publish.
  struct Admission {
    wire::Welcome welcome;
    const ChangeSource* source = nullptr;
    std::optional<View> down_view;
    const ViewFeed* views = nullptr;       // null = the view never changes
    CutSink* sink = nullptr;
    std::uint64_t up_window_bytes = 0;
    std::vector<Verdict> open_rejects;     // of the up flow; reported again (FLOW-26)
  };
  void admit(Admission admission);
  void refuse(std::uint16_t code, std::string reason, Duration retry_after = {});
  void synced(std::uint64_t id, Revision revision);

  // -- zone role ----------------------------------------------------------------------------------
  struct ZoneFlows {
    CutSink* sink = nullptr;               // down
    const ChangeSource* source = nullptr;  // up; null = publishes nothing
    std::optional<View> up_view;
  };
  void start_flows(ZoneFlows flows);
  /// Barrier: the hub answers with its head after all earlier up cuts committed. Errors:
  /// resource_exhausted over limits::kSyncOutstandingMax.
  Status sync(std::uint64_t id);

  // -- both ---------------------------------------------------------------------------------------
  /// Says Goodbye, then closes with `code`.
  /// `fallback` asks a zone to use v1 for so long (V1-10).
  void close(std::uint16_t code, std::string reason, Duration retry_after = {},
             Duration fallback = {});
  [[nodiscard]] FlowSender* sender() { return sender_.get(); }
  [[nodiscard]] FlowReceiver* receiver() { return receiver_.get(); }
  [[nodiscard]] const SessionCounters& counters() const { return counters_; }
  [[nodiscard]] SyncMode mode() const { return options_.mode; }
  [[nodiscard]] bool established() const { return established_; }
  /// What both sides do; nothing before Welcome.
  [[nodiscard]] const wire::Features& features() const { return features_; }

  // -- SessionPort --------------------------------------------------------------------------------
  void on_open(TimePoint now) override;
  void on_message(std::string bytes, TimePoint now) override;
  void on_closed(const CloseInfo& info, TimePoint now) override;
  void on_tick(TimePoint now) override;
  [[nodiscard]] std::optional<std::string> next_message(TimePoint now) override;
  [[nodiscard]] std::optional<TimePoint> next_deadline() const override;
  [[nodiscard]] std::optional<CloseInfo> wants_close() const override;
  [[nodiscard]] std::size_t message_max_bytes() const override;

 private:
  Status dispatch(const wire::Packet& packet, TimePoint now);
  /// The flow that the peer sends.
  [[nodiscard]] wire::FlowId inbound() const {
    return options_.role == SessionRole::hub ? wire::FlowId::up : wire::FlowId::down;
  }
  Status dispatch_session(const wire::Packet& packet);
  Status dispatch_data(const wire::Packet& packet, TimePoint now);
  Status dispatch_feedback(const wire::Packet& packet, TimePoint now);
  Status on_hello_packet(const wire::Packet& packet);
  Status on_welcome_packet(const wire::Packet& packet);
  Status dispatch_repair(const wire::Packet& packet, TimePoint now);
  /// Lists are complete anyway: a v1 session has nothing to compare (V1-01).
  [[nodiscard]] bool repairs() const {
    return options_.mode == SyncMode::delta && features_.repair;
  }
  [[nodiscard]] Status check_welcome(const wire::Welcome& welcome) const;
  [[nodiscard]] wire::Features inbound_features() const;
  void check_flows();
  void settle_syncs();
  void release_syncs(std::string& out);
  void fail_session(const Error& error);

  Options options_;
  SessionHost& host_;
  std::optional<wire::Hello> hello_;       // zone: what we say; hub: what was said
  wire::Features features_;                // negotiated
  bool hello_seen_ = false;
  bool established_ = false;
  bool opened_ = false;
  std::string outbox_;                     // session packets that are due (Hello, Welcome, ...)
  std::unique_ptr<FlowSender> sender_;
  std::unique_ptr<FlowReceiver> receiver_;
  std::uint64_t patched_bytes_ = 0;        // results of the patches in the open message
  std::optional<CloseInfo> close_;
  bool closed_ = false;
  struct PendingSync {
    std::uint64_t id = 0;
    Revision after;                        // goes out behind this revision of the up flow
  };
  std::deque<PendingSync> pending_syncs_;  // zone role
  std::deque<std::uint64_t> unsettled_syncs_;  // hub role: wait for cuts that came before them
  unsigned syncs_outstanding_ = 0;
  TimePoint opened_at_{};
  TimePoint last_received_{};
  SessionCounters counters_;
};

}  // namespace zonesync

// Sending half of a flow: a cursor into a log.
//
// Written once, used by the hub (down) and the zone (up). It holds no queue: whenever the session's
// write slot is free, `produce` reads forward from the cursor and appends packets. docs/protocol.md
// FLOW-*.
//
//   Want ──► Intent ──► Change* Mark ──► Change* Mark ──► ... (tailing: one segment per cut)
//
// Life cycle: constructed per session; silent until the first Want (implied by Hello).
// Thread rule: the session's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "protocol/core/list_planner.hpp"
#include "protocol/core/list_status.hpp"
#include "protocol/core/patch_sender.hpp"
#include "protocol/core/ports.hpp"
#include "protocol/core/repair_sender.hpp"
#include "protocol/core/time.hpp"
#include "protocol/core/view_change.hpp"
#include "protocol/model/sync_mode.hpp"

namespace zonesync {

struct FlowSenderCounters {
  std::uint64_t changes = 0;       // Change packets (parts assembled)
  std::uint64_t data_bytes = 0;    // Change, Part, Drop packets: what credit counts
  std::uint64_t marks = 0;
  std::uint64_t lists = 0;         // List packets (v1)
  std::uint64_t compressed = 0;    // packets that travelled compressed
  std::uint64_t patches = 0;       // changes that travelled as patches
  std::uint64_t saved_bytes = 0;   // by both, compared with whole packets
  std::uint64_t intents_none = 0, intents_changes = 0, intents_repair = 0, intents_full = 0;
  std::uint64_t view_changes = 0;  // without a new answer
  std::uint64_t removes = 0;       // fingerprints of Remove packets
  std::uint64_t resumes = 0;       // answers that went on behind what the receiver had staged
};

class FlowSender {
 public:
  struct Options {
    wire::FlowId flow = wire::FlowId::down;
    SyncMode mode = SyncMode::delta;
    std::uint64_t window_bytes = 0;          // first grant of the receiver
    std::size_t message_target_bytes = limits::kMessageTargetBytes;
    std::size_t cut_target_bytes = limits::kMessageTargetBytes;  // when behind: cut at least that
    bool drops = false;                      // the receiver takes Drop (feature `views`)
    bool repair = false;                     // negotiated: repair instead of full where it helps
    wire::Features features;                 // negotiated: how data may travel
  };

  /// `source` outlives the sender.
  FlowSender(Options options, const ChangeSource& source, View view);
  /// The view is what `feed` says, now and whenever that changes (VIEW-01). Call before the first
  /// Want; `feed` outlives the sender.
  void follow(const ViewFeed& feed);

  // -- events ------------------------------------------------------------------------------------
  void on_want(const wire::Want& want);
  /// Errors: protocol, too_large (REP-*); those of the source.
  Status on_buckets(const wire::Buckets& buckets);
  Status on_prints(const wire::Prints& prints);
  /// Errors: protocol (credit or cursor goes backwards, acks more than was sent).
  Status on_ack(const wire::Ack& ack, TimePoint now);
  void on_hold(const wire::Hold& hold);
  /// Makes the receiver ask for everything again (FLOW-34). False: it does not know how.
  bool ask_resync();

  // -- output ------------------------------------------------------------------------------------
  /// Appends packets to `out` until it reaches the target size or nothing may leave now. Errors:
  /// storage_io, storage_corrupt from the source: the session closes with 1011.
  Status produce(std::string& out, TimePoint now);
  /// When an idle Mark is due.
  [[nodiscard]] std::optional<TimePoint> next_deadline() const;

  /// Head of the log now, and whether everything up to `revision` was sent with its Mark: the
  /// barrier of Sync.
  [[nodiscard]] Revision target() const { return source_.head(); }
  [[nodiscard]] bool reached(Revision revision) const;

  // -- state for status --------------------------------------------------------------------------
  [[nodiscard]] const std::optional<Cursor>& acked() const { return acked_; }
  [[nodiscard]] std::uint64_t in_flight_bytes() const { return sent_bytes_ - received_bytes_; }
  [[nodiscard]] const FlowSenderCounters& counters() const { return counters_; }
  [[nodiscard]] const std::optional<wire::Hold>& held() const { return held_; }
  [[nodiscard]] const std::string& why() const { return why_; }
  [[nodiscard]] const View& view() const { return view_; }
  /// The receiver asked again because its digest differed, and has not confirmed one since.
  [[nodiscard]] bool digest_failed() const { return why_ == "digest_mismatch" && !confirmed_; }
  [[nodiscard]] bool paused() const { return paused_; }
  /// The view changed and the receiver cannot follow: it has to connect again (VIEW-08).
  [[nodiscard]] bool outdated() const { return outdated_; }
  /// v1: versions and nonces per type.
  [[nodiscard]] const ListStatus& list_status() const { return list_status_; }

 private:
  struct PendingPart {
    LogEntry entry;
    std::uint32_t next = 0;
    std::shared_ptr<const Frames> frames;  // compressed payloads of all parts; none = as they are
  };
  [[nodiscard]] wire::Intent decide(const wire::Want& want) const;
  // flow_resume.cpp
  [[nodiscard]] std::optional<wire::Staged> resumable(const wire::Want& want,
                                                      const wire::Intent& intent) const;
  void resume_behind(const wire::Staged& staged);
  void skip_staged();
  Status produce_data(std::string& out, TimePoint now);
  Status produce_lists(std::string& out, TimePoint now);
  [[nodiscard]] bool may_begin_lists() const;
  [[nodiscard]] bool cut_open() const;
  [[nodiscard]] Result<bool> next_page();
  [[nodiscard]] Result<bool> next_repair_page(std::string& out);
  void load_page(ScanPage page);
  bool send_entry(std::string& out, const LogEntry& entry);
  bool send_packet(std::string& out, const wire::PacketHeader& header, ByteView payload,
                   std::size_t whole_bytes);
  bool send_parts(std::string& out);
  void entry_sent(Position position);
  void send_mark(std::string& out, Revision to, TimePoint now, std::optional<Digest> digest);
  void end_cut_if_due(std::string& out, TimePoint now);
  [[nodiscard]] std::optional<Digest> digest_due(Revision to, TimePoint now);
  void maybe_idle_mark(std::string& out, TimePoint now);
  [[nodiscard]] bool may_send(std::size_t bytes) const;
  void count_data(std::size_t bytes);

  // flow_views.cpp
  void take_view_in_force();
  [[nodiscard]] std::optional<View> view_held(const Cursor& cursor) const;
  void start_from_view(const Cursor& cursor);
  [[nodiscard]] bool view_moved() const;
  Status change_view();
  bool send_drop(std::string& out);
  Status read_back();
  void read_back_page_done();
  void say_holds(std::string& out);
  void remember_view(const ViewId& id);
  [[nodiscard]] bool may_ack(const ViewId& id) const;

  Options options_;
  const ChangeSource& source_;
  View view_;
  const ViewFeed* feed_ = nullptr;
  std::uint64_t view_version_ = 0;
  Revision view_since_;
  ViewChange change_;                // of the open cut
  std::deque<ViewId> ackable_;       // views of cursors that this session may still acknowledge
  bool outdated_ = false;
  bool paused_ = false;              // by the feed
  bool said_paused_ = false;
  std::uint64_t pause_version_ = 0;
  bool resync_due_ = false;
  bool confirmed_ = false;           // a Mark with a digest was acknowledged since the last Want
  std::optional<Revision> to_confirm_;  // of the first such Mark
  PatchSender packer_;
  std::size_t inflated_bytes_ = 0;   // of the message that is being filled (ZIP-17)

  std::optional<wire::Intent> intent_to_send_;
  LogState log_;                     // as of the Intent: eras do not change while a log is open
  bool active_ = false;              // an Intent was sent: data may flow
  bool first_mark_due_ = false;      // confirm at once where the receiver stands
  bool full_ = false;                // the open cut has no `from`: full or repair
  std::unique_ptr<RepairSender> repair_;  // the open cut repairs
  Revision full_until_;              // a full cut, or one to another view, ends at or after this
  std::optional<Cursor> cut_from_;   // `from` of the open cut
  Position position_;                // scan position: everything up to here was sent
  bool resumed_ = false;             // the open cut began in an earlier answer
  Revision skip_in_;                 // of this revision the receiver staged ...
  std::uint64_t skip_ = 0;           // ... so many changes more than were skipped
  std::uint64_t cut_changes_ = 0;
  std::uint64_t cut_bytes_ = 0;
  Revision floor_seen_;
  bool page_done_ = true;
  ScanPage page_;                    // read but not yet sent: bounded by one message target
  std::size_t page_next_ = 0;
  std::optional<PendingPart> part_;
  std::optional<ListPlanner> planner_;   // v1: plans the cuts instead of the scan above
  std::optional<Cursor> list_cut_to_;    // v1: where the last cut ended
  ListStatus list_status_;

  std::uint64_t window_bytes_ = 0;
  std::uint64_t sent_bytes_ = 0;
  std::uint64_t received_bytes_ = 0;
  std::optional<Cursor> acked_;
  std::optional<wire::Hold> held_;
  TimePoint last_sent_{};
  TimePoint last_digest_{};
  std::string why_;
  FlowSenderCounters counters_;
};

}  // namespace zonesync

// Receiving half of a flow: stages a cut, makes it durable in one step with its cursor, acks.
//
// Written once, used by the zone (down) and the hub (up). docs/protocol.md FLOW-*.
//
// Life cycle: constructed per session; the first Want is implied by Hello (`expect_intent`).
// Thread rule: the session's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/core/list_check.hpp"
#include "protocol/core/ports.hpp"
#include "protocol/core/repair_receiver.hpp"
#include "protocol/core/time.hpp"
#include "protocol/model/sync_mode.hpp"

namespace zonesync {

struct FlowReceiverCounters {
  std::uint64_t changes = 0;
  std::uint64_t data_bytes = 0;
  std::uint64_t cuts = 0;              // committed
  std::uint64_t drops = 0;
  std::uint64_t lists = 0;             // v1
  std::uint64_t digest_checks = 0;
  std::uint64_t digest_mismatches = 0;
  std::uint64_t rejects = 0;
  std::uint64_t patches = 0;
  std::uint64_t patch_failures = 0;    // each costs one answer: whole versions from then on
  std::uint64_t resumes = 0;           // answers that went on behind what was staged
};

class FlowReceiver {
 public:
  struct Options {
    wire::FlowId flow = wire::FlowId::down;
    std::uint64_t window_bytes = limits::kFlowWindowBytes;
    SyncMode mode = SyncMode::delta;
    bool repair = false;  // negotiated
    bool resume = false;  // negotiated
  };

  /// `sink` outlives the receiver.
  FlowReceiver(Options options, CutSink& sink);
  ~FlowReceiver();
  FlowReceiver(const FlowReceiver&) = delete;
  FlowReceiver& operator=(const FlowReceiver&) = delete;

  // -- events: errors are protocol violations of the peer unless said otherwise -------------------
  Status on_intent(const wire::Intent& intent);
  Status on_change(Revision revision, ByteView payload, std::size_t packet_bytes, TimePoint now);
  Status on_part(Revision revision, const wire::Part& part, std::size_t packet_bytes,
                 TimePoint now);
  Status on_drop(const wire::Drop& drop, std::size_t packet_bytes, TimePoint now);
  /// v1: what follows up to the next List or Mark is all of one type.
  Status on_list(const wire::List& list);
  Status on_differing(const wire::Differing& differing);
  Status on_remove(const wire::Remove& remove, std::size_t packet_bytes, TimePoint now);
  Status on_patch(Revision revision, const wire::Patch& patch, std::size_t packet_bytes,
                  TimePoint now);
  Status on_mark(const wire::Mark& mark, TimePoint now);
  /// What the sender says about itself: paused, or that everything is to be asked for again.
  void on_sender_hold(const wire::Hold& hold);
  /// A hold ended (someone approved, the disk has space): asks for the cut again.
  void retry_held();
  /// A verdict was changed outside a cut (re-validation): goes out with the next Ack.
  void report(Verdict verdict);
  /// Asks for everything again, e.g. on an operator's word.
  void want_full(std::string why);
  /// Asks for a comparison by fingerprints; for everything where none is possible.
  void want_repair(std::string why);
  /// A patch failed: the answer starts over with whole versions, for the rest of the session.
  void want_without_patches();
  void set_window(std::uint64_t window_bytes);

  // -- output ------------------------------------------------------------------------------------
  /// Appends Want, Ack, Hold packets that are due. Control packets are exempt from credit.
  void produce(std::string& out, TimePoint now);
  [[nodiscard]] std::optional<TimePoint> next_deadline() const;

  /// The last commit failed for good or the sender was fenced: close the session with this.
  [[nodiscard]] const std::optional<CutFailure>& failure() const { return failure_; }

  // -- state for status --------------------------------------------------------------------------
  [[nodiscard]] const FlowReceiverCounters& counters() const { return counters_; }
  [[nodiscard]] const std::optional<wire::Hold>& held() const { return hold_; }
  /// The sender sends nothing on purpose.
  [[nodiscard]] const std::optional<wire::Hold>& sender_held() const { return sender_hold_; }
  [[nodiscard]] const std::optional<wire::Intent>& intent() const { return intent_; }
  /// Newest `to` of a Mark, committed or not: how far the sender said its log goes.
  [[nodiscard]] const std::optional<Cursor>& offered() const { return expected_; }
  /// Every cut whose Mark arrived is durable, also those that failed once and were sent again: what
  /// an answer to Sync promises.
  [[nodiscard]] bool settled() const;
  [[nodiscard]] bool commits_outstanding() const { return outstanding_ > 0; }

 private:
  struct Assembly;
  Status start_answer(const wire::Intent& intent);
  [[nodiscard]] Status check_resumed(const wire::Intent& intent) const;
  void give_up_answer();
  Status accept(StagedChange change, std::size_t packet_bytes, TimePoint now);
  Status accept_listed(StagedChange change);
  [[nodiscard]] Result<bool> end_lists(const wire::Mark& mark);
  [[nodiscard]] Status check_window() const;
  void count_received(std::size_t packet_bytes, TimePoint now);
  void start_commit(const CutEnd& end);
  void on_committed(tl::expected<CutResult, CutFailure> result);
  void on_commit_failed(CutFailure failure);

  Options options_;
  CutSink& sink_;
  std::shared_ptr<bool> alive_;

  std::optional<wire::Want> want_to_send_;
  bool want_resumes_ = false;          // what is staged of the cut is still good
  bool want_in_flight_ = true;         // one at a time; the first is implied by Hello or Welcome
  bool awaiting_intent_ = true;        // data before the Intent is ignored
  bool no_patches_ = false;            // one failed: every later Want asks for whole versions
  std::optional<wire::Intent> intent_;
  std::optional<Cursor> expected_;     // next Mark.from
  bool replacing_ = false;             // the open cut has no `from`
  std::unique_ptr<RepairReceiver> repair_;  // the open cut repairs
  std::uint64_t cut_changes_ = 0;
  Revision last_revision_;             // order check inside a cut
  bool resumed_ = false;               // the cut began in an earlier answer (STG-03)
  bool dropped_ = false;               // the cut is one to another view (VIEW-03)
  ViewId view_;                        // of the last cut
  std::unique_ptr<Assembly> assembly_;
  ListCheck lists_;                    // v1: of the open cut

  std::uint64_t received_bytes_ = 0;
  std::uint64_t acked_bytes_ = 0;
  std::uint64_t acked_window_ = 0;
  std::optional<Cursor> durable_;      // in the sender's log; nothing until an Intent or a commit
  bool ack_due_ = false;
  bool ack_soon_ = false;
  std::optional<TimePoint> last_ack_;
  std::vector<Verdict> verdicts_;
  std::optional<wire::Hold> hold_;
  bool hold_to_send_ = false;
  std::optional<wire::Hold> sender_hold_;
  Duration hold_retry_{};              // the last wait before a held cut was asked for again
  std::optional<TimePoint> retry_at_;  // when a hold that may end by itself is tried again
  unsigned mismatches_in_a_row_ = 0;
  std::optional<CutFailure> failure_;
  CommitToken next_token_ = 1;
  std::uint64_t epoch_ = 0;            // commits of an earlier Intent are ignored
  unsigned outstanding_ = 0;
  FlowReceiverCounters counters_;
};

}  // namespace zonesync

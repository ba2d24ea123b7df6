// Receiving half of a flow as the scripted peer plays it: takes cuts in, checks every rule that the
// sender must keep, and acks honestly unless told otherwise.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "conformance/suite/log.hpp"
#include "conformance/suite/subject.hpp"
#include "protocol/wire/codec.hpp"

namespace zonesync::conform {

/// One cut as it arrived.
struct CutRecord {
  wire::Mark mark;
  std::vector<LogItem> items;    // of the cut, in the order of arrival
  std::vector<wire::List> lists; // v1
  std::vector<Class> drops;
  std::vector<Id128> removes;    // fingerprints, of a repair
  bool full = false;
  bool repair = false;
};

/// What is staged of a cut that did not end, for the session that goes on with it (STG-01).
struct KeptStage {
  wire::Staged place;
  std::vector<LogItem> items;
};

/// Life cycle: one per session; replica and cursor are carried over by the case.
/// Every broken rule of the sender ends the case with the clause's id.
class FlowIn {
 public:
  explicit FlowIn(wire::FlowId which) : flow(which) {}

  void on_intent(const wire::Intent& intent);
  void on_change(const wire::Packet& packet);
  void on_part(const wire::Packet& packet);
  void on_mark(const wire::Mark& mark);
  void on_list(const wire::List& list);
  void on_drop(const wire::Packet& packet);
  void on_patch(const wire::Packet& packet);
  void on_differing(const wire::Differing& message);
  void on_remove(const wire::Packet& packet);
  /// Sums of what the replica holds (REP-03).
  [[nodiscard]] wire::Buckets buckets() const;
  /// What it holds in those buckets, as one packet's worth.
  [[nodiscard]] wire::Prints prints(const wire::Differing& of) const;
  /// Feedback that is due; empty = none.
  [[nodiscard]] std::string due();
  /// Data arrived that no Ack counted yet.
  [[nodiscard]] bool owes_credit() const {
    return auto_ack && !intents.empty() && received_bytes > acked_bytes_;
  }
  /// An Ack of now.
  [[nodiscard]] wire::Ack ack();
  /// How far the open cut is staged; nothing = no place in it can be named (STG-01, STG-05).
  [[nodiscard]] std::optional<wire::Staged> staged() const;
  /// From here on `kept` is what is staged now: the next Hello or Want names it.
  void keep_staged();
  /// Asks again, with what is kept; the answer is awaited.
  [[nodiscard]] std::string want(bool force_full, std::string why,
                                 std::optional<Cursor> cursor);
  [[nodiscard]] bool at_least(Revision revision) const {
    return cursor && cursor->revision >= revision && !intents.empty() && !awaiting && !full_;
  }
  /// Changes of all cuts of this session.
  [[nodiscard]] std::size_t changes() const;

  wire::FlowId flow;
  Mode mode = Mode::delta;
  bool auto_ack = true;
  bool auto_apply = true;                // false = cuts are recorded, the cursor stays
  bool auto_repair = true;               // compares when the Intent says so
  std::uint64_t window_bytes = limits::kFlowWindowBytes;
  std::uint64_t received_bytes = 0;
  PeerReplica replica;
  std::optional<Cursor> cursor;
  std::vector<wire::Intent> intents;
  std::vector<CutRecord> cuts;           // without idle Marks
  std::vector<wire::Mark> idle_marks;
  std::vector<Verdict> verdicts;         // to go out with the next Ack
  std::size_t largest_packet = 0;
  std::map<std::string, std::size_t> arrived;   // changes by origin, also of cuts that were dropped
  std::size_t parts = 0;
  std::size_t patches = 0;
  std::size_t compressed = 0;            // data packets that came as zstd frames
  std::vector<wire::Differing> differing;
  bool awaiting = true;                  // an Intent is owed
  std::optional<KeptStage> kept;         // named, or to be named; an Intent uses it up

 private:
  void stage(LogItem item);
  void count(const wire::Packet& packet);
  void apply(const wire::Mark& mark, bool full);
  void apply_removes();
  [[nodiscard]] SharedBytes base_of(const wire::Patch& patch) const;
  void check_mark(const wire::Mark& mark) const;
  void stage_listed(LogItem item);
  void close_list();
  void reset_cut();
  void go_on(const wire::Intent& intent);
  void check_resumed_item(const LogItem& item) const;
  void check_resumed_mark(const wire::Mark& mark) const;

  struct Series {
    Revision revision;
    wire::Part first;
    std::uint32_t next = 0;
    std::string bytes;
  };
  std::optional<Cursor> expected_;       // next Mark.from
  bool full_ = false;                    // the open cut has no `from`: full, or a repair
  bool repairing_ = false;
  std::string comparing_;                // Buckets or Prints that are due
  std::vector<Id128> removes_;
  std::vector<LogItem> staged_;
  std::optional<wire::Staged> resumed_;  // the open cut goes on behind it
  std::size_t resumed_items_ = 0;        // of staged_: from earlier sessions
  std::vector<std::pair<std::size_t, Class>> drops_;   // before which staged item
  std::size_t voided_ = 0;               // arrived, then dropped or listed anew
  std::vector<wire::List> lists_;        // of the open cut
  std::map<ResourceKey, LogItem> listed_;  // of the open list
  bool list_open_ = false;
  std::uint64_t nonce_ = 0;
  ViewId view_;
  std::optional<Cursor> acked_cursor_;   // as the last Ack said
  std::optional<Series> series_;
  std::uint64_t acked_bytes_ = 0;
  bool ack_due_ = false;
};

}  // namespace zonesync::conform

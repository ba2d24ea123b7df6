// Sending half of a flow as the scripted peer plays it: honest helpers over a log, and pieces for
// scripts that are not.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conformance/suite/log.hpp"
#include "conformance/suite/subject.hpp"
#include "protocol/wire/codec.hpp"

namespace zonesync::conform {

/// Life cycle: one per session; the log is carried over by the case.
class FlowOut {
 public:
  FlowOut(wire::FlowId which, PeerLog log_of_peer) : flow(which), log(std::move(log_of_peer)) {}

  void on_want(const wire::Want& want);
  void on_ack(const wire::Ack& ack);
  void on_hold(const wire::Hold& hold);
  void on_buckets(const wire::Buckets& message) { buckets.push_back(message); }
  void on_prints(const wire::Prints& message) { prints.push_back(message); }

  // -- pieces -------------------------------------------------------------------------------------
  /// Intent with the log's facts; `from` absent = full.
  [[nodiscard]] wire::Intent intent(std::optional<Cursor> from, std::string why = {}) const;
  [[nodiscard]] std::string intent_packet(std::optional<Cursor> from, std::string why = {});
  /// Packets of one item: a Change or a series of Parts.
  [[nodiscard]] std::vector<std::string> item_packets(const LogItem& item);
  [[nodiscard]] wire::Mark mark(std::optional<Cursor> from, Revision to,
                                std::uint64_t changes) const;
  [[nodiscard]] std::string mark_packet(std::optional<Cursor> from, Revision to,
                                        std::uint64_t changes);
  /// A List of what is given, and the packets of it. Takes the next nonce.
  [[nodiscard]] wire::List list_of(const std::string& type, const std::vector<LogItem>& items,
                                   Revision version);
  [[nodiscard]] std::vector<std::string> list_packets(const wire::List& list,
                                                      const std::vector<LogItem>& items);
  /// An item as a difference to `base`: what it was before (ZIP-11).
  [[nodiscard]] std::string patch_packet(const Change& base, const LogItem& item) const;
  // -- a repair as its sender, in this order ------------------------------------------------------
  [[nodiscard]] std::string repair_packet(std::string why);
  /// What differs from the newest Buckets.
  [[nodiscard]] wire::Differing differing() const;
  /// Removes, changes and Mark by the Prints that were heard.
  [[nodiscard]] std::vector<std::string> repair_cut(const wire::Differing& differing);
  // -- an interrupted cut as its sender -----------------------------------------------------------
  /// The Intent that goes on behind a place; `from` is that of the cut (STG-03).
  [[nodiscard]] wire::Intent resumed_intent(const wire::Staged& place, std::optional<Cursor> from);
  /// What lies behind it in the log.
  [[nodiscard]] std::vector<LogItem> behind(const wire::Staged& place) const;
  /// That Intent, what lies behind the place, and the Mark.
  [[nodiscard]] std::vector<std::string> rest_of_cut(const wire::Staged& place,
                                                     std::optional<Cursor> from);
  [[nodiscard]] Cursor at(Revision revision) const { return log.at(revision, view); }

  // -- honest -------------------------------------------------------------------------------------
  /// The Intent that answers `cursor`, and where the next cut starts.
  [[nodiscard]] std::string answer(const std::optional<Cursor>& cursor, bool force_full);
  /// Packets of the cut from where the last ended to the head, the Mark last. Empty = nothing new.
  [[nodiscard]] std::vector<std::string> next_cut();
  [[nodiscard]] bool may_send(std::size_t bytes) const;
  [[nodiscard]] bool all_durable() const { return acked && acked->revision >= log.head; }

  wire::FlowId flow;
  Mode mode = Mode::delta;
  PeerLog log;
  ViewId view;
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_bytes = 0;          // by the peer
  std::uint64_t window_bytes = 0;
  std::optional<Cursor> acked;
  std::vector<wire::Ack> acks;
  std::vector<wire::Want> wants;
  std::vector<wire::Hold> holds;
  std::vector<wire::Buckets> buckets;
  std::vector<wire::Prints> prints;
  std::map<ResourceKey, Verdict> verdicts;   // newest per key
  bool check_acks = true;
  bool answered = false;
  bool owes_answer = false;                  // a Want came and was not answered
  std::uint64_t nonce = 0;                   // v1: of the last list
  std::optional<Cursor> next_from;           // of the next Mark; absent = the next cut is full
};

}  // namespace zonesync::conform

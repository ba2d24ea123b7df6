// The lineage anchor: what a log was like a moment ago, kept in a small file outside its database,
// so that an open notices a database that lost its newest part, or is another one.
//
// The anchor is never ahead of what is durable, and at most a second behind it: what lies between
// is judged by the zones' cursors (beyond_era).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/model/log.hpp"

namespace zonesync {

struct LineageAnchor {
  Id128 log_id;
  Revision head;
  EraId era;
  Hash128 chain;  // running hash of the log at `head`; zero = not known
  friend bool operator==(const LineageAnchor&, const LineageAnchor&) = default;
};

[[nodiscard]] std::string encode_anchor(const LineageAnchor& anchor);
/// Nothing when the bytes are not an anchor, or a damaged one.
[[nodiscard]] std::optional<LineageAnchor> decode_anchor(std::string_view bytes);

enum class Lineage : std::uint8_t {
  follows,    // the log contains what the anchor remembers
  rewound,    // it ends before the anchor: the newest part is lost, or it is an older copy
  diverged,   // it is long enough, but another history: an older copy that was written to since
  other_log,  // another log altogether
};
[[nodiscard]] std::string_view to_string(Lineage lineage);

/// `chain_at_anchor` = the log's running hash at the anchor's head, when it knows it.
[[nodiscard]] Lineage judge_lineage(const LineageAnchor& anchor, const LogState& log,
                                    const std::optional<Hash128>& chain_at_anchor);

/// That a log lost something, kept in it until it is declared complete.
struct LossRecord {
  Lineage lineage = Lineage::rewound;  // rewound or diverged
  Revision found;                      // the log's head when that was noticed
  Revision known;                      // what had been durable
  friend bool operator==(const LossRecord&, const LossRecord&) = default;
};

/// For the operator, as what is known of one log at one moment.
[[nodiscard]] std::string to_text(const LossRecord& loss);

/// That a log was put in place from a backup, kept in it until the next restore.
struct RestoreRecord {
  Revision revision;                   // the backup's head
  std::int64_t at_ms = 0;              // when, unix time
  friend bool operator==(const RestoreRecord&, const RestoreRecord&) = default;
};

/// What opening a log found, for the operator.
struct OpenReport {
  bool created = false;
  bool anchored = false;             // an anchor was there to compare with
  Lineage lineage = Lineage::follows;
  Revision found_head;
  Revision anchor_head;
  std::uint64_t lost_revisions = 0;  // at least so many; 0 when unknown
  std::optional<RestoreRecord> restored;
  bool ballast_used = false;         // the disk was full: the ballast was given up to start
  std::string text;                  // one line to be logged loudly; empty = nothing to say
  void add(const std::string& more) { text += (text.empty() ? "" : "; ") + more; }
};

}  // namespace zonesync

// What a versioned change log looks like from outside: positions, entries, eras, scan pages.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "protocol/model/resource.hpp"

namespace zonesync {

/// Place of one entry: the `index`-th change of the transaction at `revision`. As a scan position
/// it means "everything up to and including this"; `end_of(r)` = all of revision r.
struct Position {
  Revision revision;
  std::uint32_t index = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
  [[nodiscard]] static Position end_of(Revision revision) {
    return Position{revision, std::numeric_limits<std::uint32_t>::max()};
  }
  [[nodiscard]] static Position start() { return end_of(Revision{0}); }
};

/// What an entry replaced: the direct predecessor with the same (class, key).
struct Previous {
  Position position;
  ChangeKind kind = ChangeKind::upsert;
  Hash128 hash;
  friend bool operator==(const Previous&, const Previous&) = default;
};

struct LogEntry {
  Position position;
  Change change;
  std::optional<Previous> previous;
};

/// Revisions after `start` belong to this era, up to the start of the next one.
struct EraRecord {
  EraId id;
  Revision start;
  friend bool operator==(const EraRecord&, const EraRecord&) = default;
};

/// Snapshot of a log's identity and bounds.
struct LogState {
  Id128 log_id;                  // random, fixed when the store was created
  bool complete = false;         // false = partial log: nobody may delete on its word (§4.9)
  std::vector<EraRecord> eras;   // oldest first, never empty; starts never decrease
  Revision head;                 // newest durable revision
  Revision trim_floor;           // below it superseded entries may be missing
  Revision tombstone_floor;      // below it leaves may be missing

  [[nodiscard]] EraId current_era() const { return eras.back().id; }
  /// The era that `revision` was written in (the first era for revision 0).
  [[nodiscard]] EraId era_of(Revision revision) const;
};

enum class CursorVerdict : std::uint8_t {
  valid,
  unknown_era,       // another hub, a restored backup, a lost tail, or too old to remember
  beyond_era,        // claims revisions that this log never had in that era: rewound
  below_tombstones,  // leaves it needs are gone
};
[[nodiscard]] std::string_view to_string(CursorVerdict verdict);
/// protocol.md §4.1: era known, revision within that era, not below the tombstone floor.
[[nodiscard]] CursorVerdict judge_cursor(const LogState& log, const Cursor& cursor);

/// One page of a forward scan, whole entries in log order.
struct ScanPage {
  std::vector<LogEntry> entries;
  Position next;               // continue from here; everything at or before it was covered
  bool at_segment_end = false; // `next` is the end of a segment: a cut may end here ...
  Revision trim_floor;         // ... if next.revision >= every floor seen during the scan
  Revision tombstone_floor;    // as of the read: leaves at or below it may be missing
  bool at_head = false;        // nothing durable lies beyond `next` at the time of the read
};

}  // namespace zonesync

#include "protocol/model/log.hpp"

#include "protocol/model/assert.hpp"
#include "protocol/model/defect.hpp"

namespace zonesync {

EraId LogState::era_of(Revision revision) const {
  ZS_ASSERT(!eras.empty());
  for (auto it = eras.rbegin(); it != eras.rend(); ++it) {
    if (it->start < revision) return it->id;
  }
  return eras.front().id;
}

std::string_view to_string(CursorVerdict verdict) {
  switch (verdict) {
    case CursorVerdict::valid: return "valid";
    case CursorVerdict::unknown_era: return "unknown_era";
    case CursorVerdict::beyond_era: return "beyond_era";
    case CursorVerdict::below_tombstones: return "below_tombstones";
  }
  return "unknown";
}

CursorVerdict judge_cursor(const LogState& log, const Cursor& cursor) {
  for (std::size_t i = 0; i < log.eras.size(); ++i) {
    if (log.eras[i].id != cursor.era) continue;
    const Revision end = i + 1 < log.eras.size() ? log.eras[i + 1].start : log.head;
    if (cursor.revision > end && !ZONESYNC_DEFECT(21)) return CursorVerdict::beyond_era;
    if (cursor.revision < log.tombstone_floor && !ZONESYNC_DEFECT(5)) {
      return CursorVerdict::below_tombstones;
    }
    return CursorVerdict::valid;
  }
  return CursorVerdict::unknown_era;
}

}  // namespace zonesync

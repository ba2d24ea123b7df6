// Going on with a cut that was interrupted (docs/protocol.md STG-*): the sender's side.
//
// The place is a position of the one forward scan that every answer is. What was read before it is
// still true, however much was trimmed since: an entry goes only when its successor is at or below
// the floor, and that one lies behind the place or was read. Only leaves go without a successor.
#include <algorithm>

#include "protocol/core/flow_sender.hpp"
#include "protocol/model/defect.hpp"

namespace zonesync {

using wire::IntentReason;

/// STG-02: what of the staged place still holds; nothing = the answer starts anew.
std::optional<wire::Staged> FlowSender::resumable(const wire::Want& want,
                                                  const wire::Intent& intent) const {
  if (!options_.features.resume || planner_ || !want.staged) return std::nullopt;
  const wire::Staged& staged = *want.staged;
  if (intent.reason != (staged.full ? IntentReason::full : IntentReason::changes)) {
    return std::nullopt;
  }
  // On the way from one view to another a cut holds more than a stretch of the log.
  if (staged.at.view != view_.id() && !ZONESYNC_DEFECT(73)) return std::nullopt;
  if (!staged.full && (want.cursor->view != view_.id() ||
                       staged.at.revision <= want.cursor->revision)) {
    return std::nullopt;
  }
  const CursorVerdict verdict = judge_cursor(log_, staged.at);
  if (verdict == CursorVerdict::unknown_era || verdict == CursorVerdict::beyond_era) {
    PROBE(staged_place_not_valid);
    return std::nullopt;
  }
  // Leaves behind the place may have gone since, and with them the end of what is staged. Those
  // that were gone before took what they removed along.
  if (log_.tombstone_floor > staged.floor && log_.tombstone_floor >= staged.at.revision &&
      !ZONESYNC_DEFECT(211)) {
    PROBE(staged_place_below_tombstones);
    return std::nullopt;
  }
  PROBE(cut_resumed);
  wire::Staged resumed = staged;
  // Some of the revision may be trimmed: counting in it says nothing any more.
  if (log_.trim_floor >= staged.at.revision && !ZONESYNC_DEFECT(212)) resumed.changes = 0;
  return resumed;
}

void FlowSender::resume_behind(const wire::Staged& staged) {
  ++counters_.resumes;
  resumed_ = true;
  const std::uint64_t whole = staged.at.revision.value - (ZONESYNC_DEFECT(301) ? 0 : 1);
  position_ = Position::end_of(Revision{whole});
  floor_seen_ = log_.trim_floor;
  skip_in_ = staged.at.revision;
  skip_ = staged.changes;
}

/// The receiver has the first `skip_` changes of `skip_in_`, unless some were trimmed since.
void FlowSender::skip_staged() {
  if (page_.trim_floor >= skip_in_ && !ZONESYNC_DEFECT(212)) skip_ = 0;
  for (; skip_ > 0 && page_next_ < page_.entries.size(); --skip_, ++page_next_) {
    const Position position = page_.entries[page_next_].position;
    if (position.revision != skip_in_) break;
    position_ = position;
  }
  if (page_next_ < page_.entries.size()) skip_ = 0;
}

}  // namespace zonesync

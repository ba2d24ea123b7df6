// Interrupted cuts (STG-*): both halves of a flow as the scripted peer plays them.
#include <algorithm>

#include "conformance/suite/case.hpp"
#include "conformance/suite/flow_in.hpp"
#include "conformance/suite/flow_out.hpp"

namespace zonesync::conform {

// -- receiver -------------------------------------------------------------------------------------

std::optional<wire::Staged> FlowIn::staged() const {
  const bool plain = mode == Mode::delta && !awaiting && !repairing_ && drops_.empty();
  if (!plain || intents.empty() || staged_.empty() || view_ != intents.back().view) {
    return std::nullopt;
  }
  const Revision last = staged_.back().revision;
  wire::Staged place;
  place.at = {intents.back().era, last, view_};
  place.changes = static_cast<std::uint64_t>(
      std::count_if(staged_.begin(), staged_.end(),
                    [&](const LogItem& item) { return item.revision == last; }));
  place.full = full_;
  place.floor = intents.back().floor;
  return place;
}

void FlowIn::keep_staged() {
  const auto place = staged();
  kept.reset();
  if (place) kept = KeptStage{*place, staged_};
}

/// An Intent without `resumed` voids what was kept (STG-04).
void FlowIn::go_on(const wire::Intent& intent) {
  const auto offered = std::exchange(kept, std::nullopt);
  if (!intent.resumed) return;
  require(offered.has_value(), "STG-03: the answer goes on behind a place that was not named");
  wire::Staged expected = offered->place;
  if (intent.resumed->changes == 0) expected.changes = 0;
  require(*intent.resumed == expected, "STG-03: `resumed` is not the place that was named");
  require(expected.full == full_, "STG-02: the answer is of another kind than the staged cut");
  resumed_ = expected;
  staged_ = offered->items;
  if (expected.changes == 0) {
    std::erase_if(staged_, [&](const LogItem& item) {
      return item.revision >= expected.at.revision;
    });
  }
  resumed_items_ = staged_.size();
}

void FlowIn::check_resumed_item(const LogItem& item) const {
  if (!resumed_) return;
  require(item.revision >= resumed_->at.revision, "STG-03: a change of before the place");
  const auto end = staged_.begin() + static_cast<std::ptrdiff_t>(resumed_items_);
  const bool again = std::any_of(staged_.begin(), end, [&](const LogItem& had) {
    return had.revision == item.revision && had.change.key == item.change.key &&
           had.change.kind == item.change.kind;
  });
  require(!again, "STG-03: a change that was staged is sent again");
}

void FlowIn::check_resumed_mark(const wire::Mark& mark) const {
  if (!resumed_) return;
  require(mark.digest.has_value(), "STG-03: a resumed cut ends without a digest");
  require(mark.to.revision >= intents.back().head,
          "STG-03: a resumed cut ends before the head of its Intent");
}

// -- sender ---------------------------------------------------------------------------------------

wire::Intent FlowOut::resumed_intent(const wire::Staged& place, std::optional<Cursor> from) {
  (void)intent_packet(from, "");   // for what it sets
  wire::Intent message = intent(from, from ? "" : "no_cursor");
  if (from) message.reason = wire::IntentReason::changes;
  message.resumed = place;
  return message;
}

std::vector<LogItem> FlowOut::behind(const wire::Staged& place) const {
  std::vector<LogItem> items = log.after(Revision{place.at.revision.value - 1});
  std::uint64_t skip = place.changes;
  std::erase_if(items, [&](const LogItem& item) {
    return item.revision == place.at.revision && skip > 0 && skip-- > 0;
  });
  return items;
}

std::vector<std::string> FlowOut::rest_of_cut(const wire::Staged& place,
                                              std::optional<Cursor> from) {
  std::vector<std::string> packets;
  wire::append(packets.emplace_back(), flow, resumed_intent(place, from));
  const std::vector<LogItem> items = behind(place);
  for (const LogItem& item : items) {
    for (std::string& packet : item_packets(item)) packets.push_back(std::move(packet));
  }
  packets.push_back(mark_packet(from, log.head, items.size()));
  return packets;
}

}  // namespace zonesync::conform

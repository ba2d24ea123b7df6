#include "conformance/suite/flow_in.hpp"

#include <algorithm>

#include "conformance/suite/case.hpp"

namespace zonesync::conform {

using wire::IntentReason;

void FlowIn::on_intent(const wire::Intent& intent) {
  intents.push_back(intent);
  awaiting = false;
  const bool full = intent.reason == IntentReason::full;
  require(full != intent.from.has_value(),
          "FLOW-02: Intent.from must be absent exactly when the answer is full");
  require(full || intent.from == cursor, "FLOW-02: Intent.from is not the wanted cursor");
  require(intent.reason != IntentReason::none || intent.head == intent.from->revision,
          "FLOW-02: `none` although the cursor is not at the head");
  expected_ = intent.from;
  full_ = full;
  staged_.clear();
  series_.reset();
}

void FlowIn::count(const wire::Packet& packet) {
  received_bytes += packet.packet_bytes;
  largest_packet = std::max(largest_packet, packet.packet_bytes);
  require(received_bytes - acked_bytes_ <=
              std::max<std::uint64_t>(window_bytes, packet.packet_bytes) + packet.packet_bytes,
          "FLOW-22: more data in flight than the window allows");
}

void FlowIn::on_change(const wire::Packet& packet) {
  count(packet);
  if (awaiting) return;  // FLOW-04
  require(!series_, "FLOW-07: a Change inside a series of Parts");
  auto change = wire::decode_change(SharedBytes(std::string(packet.payload)));
  require(change.has_value(), "WIRE-10: a Change does not decode");
  require(packet.payload.size() <= limits::kPartBytes,
          "FLOW-07: a payload over kPartBytes travels in Parts");
  stage({packet.header.revision, std::move(*change)});
}

void FlowIn::on_part(const wire::Packet& packet) {
  count(packet);
  if (awaiting) return;
  auto part = wire::decode_part(packet.payload);
  require(part.has_value(), "WIRE-10: a Part does not decode");
  ++parts;
  if (!series_) series_ = Series{packet.header.revision, *part, 0, {}};
  require(part->index == series_->next && part->count == series_->first.count &&
              part->total_bytes == series_->first.total_bytes &&
              packet.header.revision == series_->revision,
          "FLOW-07: a Part does not continue its series");
  series_->bytes += part->bytes;
  if (++series_->next < part->count) return;
  require(series_->bytes.size() == part->total_bytes,
          "FLOW-07: the parts together are not total_bytes long");
  auto change = wire::decode_change(SharedBytes(std::move(series_->bytes)));
  const Revision revision = series_->revision;
  series_.reset();
  require(change.has_value(), "FLOW-07: the parts together are no Change");
  stage({revision, std::move(*change)});
}

void FlowIn::stage(LogItem item) {
  const Revision last = staged_.empty() ? Revision{} : staged_.back().revision;
  require(item.revision >= last, "FLOW-05: revisions of a cut decrease");
  require(!expected_ || item.revision > expected_->revision,
          "FLOW-05: a change at or before the cut's from");
  staged_.push_back(std::move(item));
}

void FlowIn::on_mark(const wire::Mark& mark) {
  if (awaiting) return;
  require(!series_, "FLOW-07: a Mark inside a series of Parts");
  require(mark.from.has_value() != full_, "FLOW-10: Mark.from is absent exactly in a full cut");
  require(full_ || mark.from == expected_, "FLOW-10: Mark.from is not where the last cut ended");
  require(mark.changes == staged_.size(), "FLOW-11: Mark.changes is not what arrived");
  require(mark.to.view == intents.back().view, "FLOW-11: Mark.to has another view");
  require(staged_.empty() || mark.to.revision >= staged_.back().revision,
          "FLOW-11: Mark.to lies before a change of the cut");
  require(!full_ || mark.digest, "FLOW-13: a full cut without a digest");
  const bool idle = !full_ && mark.from == mark.to;
  if (idle) {
    idle_marks.push_back(mark);
  } else {
    cuts.push_back({mark, staged_, full_});
  }
  const bool full = std::exchange(full_, false);
  expected_ = mark.to;
  if (auto_apply) apply(mark, full);
  staged_.clear();
}

void FlowIn::apply(const wire::Mark& mark, bool full) {
  if (full && intents.back().complete) {
    replica.clear();
    digest_known = true;
  }
  if (full && !intents.back().complete && !replica.items.empty()) digest_known = false;
  for (const LogItem& item : staged_) replica.apply(item);
  if (mark.digest && digest_known) {
    require(*mark.digest == replica.digest(),
            "FLOW-14: Mark's digest is " + to_string(*mark.digest) + ", the replica's " +
                to_string(replica.digest()));
  }
  const bool moved = cursor != mark.to;
  cursor = mark.to;
  ack_due_ = ack_due_ || moved;
}

std::string FlowIn::due() {
  std::string out;
  const bool half = received_bytes - acked_bytes_ >= window_bytes / 2 && received_bytes > 0;
  if (!auto_ack || intents.empty()) return out;
  if (!ack_due_ && !half && verdicts.empty()) return out;
  wire::append(out, flow, ack());
  verdicts.clear();
  ack_due_ = false;
  return out;
}

wire::Ack FlowIn::ack() {
  wire::Ack message;
  acked_bytes_ = received_bytes;
  message.received_bytes = received_bytes;
  message.window_bytes = window_bytes;
  // Until a full cut was applied, the cursor may be one of another log (FLOW-21).
  if (cursor && !awaiting && (expected_ || !full_) && !full_) message.cursor = cursor;
  message.verdicts = verdicts;
  return message;
}

std::string FlowIn::want(bool force_full, std::string why, std::optional<Cursor> from) {
  wire::Want message;
  message.force_full = force_full;
  message.why = std::move(why);
  message.cursor = from;
  cursor = from;
  awaiting = true;
  staged_.clear();
  series_.reset();
  std::string out;
  wire::append(out, flow, message);
  return out;
}

std::size_t FlowIn::changes() const {
  std::size_t sum = 0;
  for (const CutRecord& cut : cuts) sum += cut.items.size();
  return sum;
}

}  // namespace zonesync::conform

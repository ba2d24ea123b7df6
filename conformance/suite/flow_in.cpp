#include "conformance/suite/flow_in.hpp"

#include <algorithm>

#include "conformance/suite/case.hpp"

namespace zonesync::conform {

using wire::IntentReason;

void FlowIn::on_intent(const wire::Intent& intent) {
  intents.push_back(intent);
  awaiting = false;
  repairing_ = intent.reason == IntentReason::repair;
  require(!repairing_ || mode == Mode::delta, "V1-01: a repair in v1");
  const bool full = intent.reason == IntentReason::full || repairing_;
  require(full != intent.from.has_value(),
          "FLOW-02: Intent.from must be absent exactly when the answer is full or a repair");
  require(full || intent.from == cursor, "FLOW-02: Intent.from is not the wanted cursor");
  require(intent.reason != IntentReason::none || intent.head == intent.from->revision,
          "FLOW-02: `none` although the cursor is not at the head");
  expected_ = intent.from;
  full_ = full;
  view_ = intent.from ? intent.from->view : intent.view;
  reset_cut();
  go_on(intent);
  if (repairing_ && auto_repair) wire::append(comparing_, flow, buckets());
}

void FlowIn::reset_cut() {
  comparing_.clear();
  removes_.clear();
  staged_.clear();
  resumed_.reset();
  resumed_items_ = 0;
  series_.reset();
  drops_.clear();
  lists_.clear();
  listed_.clear();
  list_open_ = false;
  voided_ = 0;
}

void FlowIn::count(const wire::Packet& packet) {
  received_bytes += packet.packet_bytes;
  largest_packet = std::max(largest_packet, packet.packet_bytes);
  compressed += packet.header.zstd ? 1 : 0;
  require(received_bytes - acked_bytes_ <=
              std::max<std::uint64_t>(window_bytes, packet.packet_bytes),
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

void FlowIn::on_drop(const wire::Packet& packet) {
  count(packet);
  if (awaiting) return;
  auto drop = wire::decode_drop(packet.payload);
  require(drop.has_value(), "WIRE-10: a Drop does not decode");
  require(mode == Mode::delta, "V1-09: a Drop in v1");
  series_.reset();
  const std::size_t before = staged_.size();
  std::erase_if(staged_, [&](const LogItem& item) { return item.change.cls == drop->cls; });
  voided_ += before - staged_.size();
  drops_.emplace_back(staged_.size(), drop->cls);
}

void FlowIn::on_list(const wire::List& list) {
  if (awaiting) return;
  require(mode == Mode::v1, "V1-01: a List in a delta session");
  require(!series_, "FLOW-07: a List inside a series of Parts");
  require(full_ || !expected_ || cuts.empty() || acked_cursor_ == expected_,
          "V1-06: a cut begins before the end of the one before was acked");
  close_list();
  require(list.nonce == ++nonce_, "V1-03: nonces count the lists from 1");
  for (const wire::List& other : lists_) {
    require(other.type != list.type || other.version < list.version,
            "V1-05: a type listed again without a higher version");
  }
  lists_.push_back(list);
  list_open_ = true;
}

void FlowIn::close_list() {
  if (!list_open_) return;
  const wire::List& list = lists_.back();
  require(listed_.size() == list.digest.count, "V1-03: a list is shorter than it said");
  Digest sum;
  for (const auto& [key, item] : listed_) sum.add(fingerprint(key), item.change.hash);
  require(sum == list.digest, "V1-04: a list's digest differs");
  const std::size_t before = staged_.size();
  std::erase_if(staged_,
                [&](const LogItem& item) { return item.change.key.type == list.type; });
  voided_ += before - staged_.size();
  for (auto& [key, item] : listed_) staged_.push_back(std::move(item));
  listed_.clear();
  list_open_ = false;
}

void FlowIn::stage_listed(LogItem item) {
  require(list_open_, "V1-01: a Change outside a list");
  const wire::List& list = lists_.back();
  require(item.change.kind == ChangeKind::upsert, "V1-03: a leave in a list");
  require(item.change.key.type == list.type, "V1-03: a change of another type in a list");
  require(item.revision <= list.version, "V1-03: a revision above the list's version");
  ResourceKey key = item.change.key;
  require(listed_.emplace(std::move(key), std::move(item)).second, "V1-03: a key twice");
  require(listed_.size() <= list.digest.count, "V1-03: a list is longer than it said");
}

void FlowIn::stage(LogItem item) {
  ++arrived[item.change.key.origin];
  if (mode == Mode::v1) return stage_listed(std::move(item));
  check_resumed_item(item);
  if (!drops_.empty()) {   // order begins anew with each Drop (VIEW-03)
    const bool first = drops_.back().first == staged_.size();
    require(first || item.revision >= staged_.back().revision,
            "VIEW-03: revisions between two Drops decrease");
    staged_.push_back(std::move(item));
    return;
  }
  const Revision last = staged_.empty() ? Revision{} : staged_.back().revision;
  require(item.revision >= last, "FLOW-05: revisions of a cut decrease");
  require(!expected_ || item.revision > expected_->revision,
          "FLOW-05: a change at or before the cut's from");
  staged_.push_back(std::move(item));
}

void FlowIn::check_mark(const wire::Mark& mark) const {
  require(mark.changes ==
              staged_.size() - resumed_items_ + voided_ + drops_.size() + removes_.size(),
          "FLOW-11: Mark.changes is not what arrived");
  const bool view_moves = mark.to.view != view_;
  require(!view_moves || flow == wire::FlowId::down, "VIEW-01: the up flow's view changed");
  for (const LogItem& item : staged_) {
    require(mark.to.revision >= item.revision, "FLOW-11: Mark.to lies before a change");
  }
  for (const wire::List& list : lists_) {
    require(list.version <= mark.to.revision, "V1-04: a list is newer than its cut");
  }
  require(lists_.empty() || mark.digest, "V1-04: a cut with lists without a digest");
  require((drops_.empty() && !view_moves) || mark.digest, "VIEW-04: a view changes without digest");
  require(!full_ || mark.digest, "FLOW-13, REP-06: a full cut or a repair without a digest");
  check_resumed_mark(mark);
}

void FlowIn::on_mark(const wire::Mark& mark) {
  if (awaiting) return;
  require(!series_, "FLOW-07: a Mark inside a series of Parts");
  require(mark.from.has_value() != full_, "FLOW-10: Mark.from is absent exactly in a full cut");
  require(full_ || mark.from == expected_, "FLOW-10: Mark.from is not where the last cut ended");
  require(!repairing_ || !differing.empty(), "REP-05: a Mark before the comparison is over");
  close_list();
  check_mark(mark);
  view_ = mark.to.view;
  const bool idle = !full_ && mark.from == mark.to;
  if (idle) {
    idle_marks.push_back(mark);
  } else {
    std::vector<Class> dropped;
    for (const auto& [at, cls] : drops_) dropped.push_back(cls);
    cuts.push_back({mark, staged_, lists_, std::move(dropped), removes_, full_, repairing_});
  }
  const bool full = std::exchange(full_, false);
  expected_ = mark.to;
  if (auto_apply) apply(mark, full);
  repairing_ = false;
  reset_cut();
}

void FlowIn::apply(const wire::Mark& mark, bool full) {
  if (repairing_) apply_removes();
  if (full && !repairing_ && intents.back().complete) replica.clear();
  if (full && !repairing_ && !intents.back().complete) {
    for (const auto& [key, item] : replica.items) replica.unconfirmed.insert(key);
  }
  for (const wire::List& list : lists_) {
    std::erase_if(replica.items, [&](const auto& entry) {
      return entry.first.type == list.type && !replica.unconfirmed.contains(entry.first);
    });
  }
  std::size_t next_drop = 0;
  for (std::size_t at = 0; at <= staged_.size(); ++at) {
    for (; next_drop < drops_.size() && drops_[next_drop].first <= at; ++next_drop) {
      std::erase_if(replica.items, [&](const auto& entry) {
        return entry.second.change.cls == drops_[next_drop].second;
      });
    }
    if (at < staged_.size()) replica.apply(staged_[at]);
  }
  std::erase_if(replica.unconfirmed,
                [&](const ResourceKey& key) { return !replica.items.contains(key); });
  if (mark.digest) {
    require(*mark.digest == replica.digest(),
            "FLOW-14: Mark's digest is " + to_string(*mark.digest) + ", the replica's " +
                to_string(replica.digest()));
  }
  const bool moved = cursor != mark.to;
  cursor = mark.to;
  ack_due_ = ack_due_ || moved;
}

std::string FlowIn::due() {
  std::string out = std::exchange(comparing_, {});
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
  if (message.cursor) acked_cursor_ = message.cursor;
  message.verdicts = verdicts;
  return message;
}

std::string FlowIn::want(bool force_full, std::string why, std::optional<Cursor> from) {
  wire::Want message;
  message.force_full = force_full;
  message.why = std::move(why);
  message.cursor = from;
  if (kept) message.staged = kept->place;
  cursor = from;
  awaiting = true;
  repairing_ = false;
  reset_cut();
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

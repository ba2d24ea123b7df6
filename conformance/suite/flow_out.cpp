#include "conformance/suite/flow_out.hpp"

#include "conformance/suite/case.hpp"

namespace zonesync::conform {

using wire::IntentReason;

void FlowOut::on_want(const wire::Want& want) {
  wants.push_back(want);
  owes_answer = true;
}

void FlowOut::on_ack(const wire::Ack& ack) {
  if (check_acks) {
    require(ack.received_bytes >= received_bytes, "FLOW-20: received_bytes goes backwards");
    require(ack.received_bytes <= sent_bytes, "FLOW-20: received_bytes is more than was sent");
    if (ack.cursor) {
      require(answered, "FLOW-21: a cursor before the Intent said that it is of this log");
      require(ack.cursor->revision <= log.head, "FLOW-21: an acked cursor beyond the log");
      require(ack.cursor->view == view || ack.cursor == acked,   // said again before the new view
              "FLOW-21: an acked cursor of another view");
    }
  }
  received_bytes = ack.received_bytes;
  window_bytes = ack.window_bytes;
  if (ack.cursor) acked = ack.cursor;
  for (const Verdict& verdict : ack.verdicts) verdicts[verdict.key] = verdict;
  acks.push_back(ack);
}

void FlowOut::on_hold(const wire::Hold& hold) { holds.push_back(hold); }

wire::Intent FlowOut::intent(std::optional<Cursor> from, std::string why) const {
  wire::Intent message;
  message.log_id = log.log_id;
  message.complete = log.complete;
  message.view = view;
  message.head = log.head;
  message.era = log.era;
  message.from = from;
  message.why = std::move(why);
  message.reason = IntentReason::full;
  if (from) {
    message.reason = from->revision < log.head ? IntentReason::changes : IntentReason::none;
  }
  return message;
}

std::string FlowOut::intent_packet(std::optional<Cursor> from, std::string why) {
  answered = true;
  owes_answer = false;
  next_from = from;
  acked = from;
  if (!from && why.empty()) why = "no_cursor";
  std::string out;
  wire::append(out, flow, intent(from, std::move(why)));
  return out;
}

std::vector<std::string> FlowOut::item_packets(const LogItem& item) {
  std::vector<std::string> packets;
  const ByteView payload = item.change.payload.view();
  if (payload.size() <= limits::kPartBytes) {
    wire::append_change(packets.emplace_back(), flow, item.revision, item.change);
    return packets;
  }
  const std::size_t count = (payload.size() + limits::kPartBytes - 1) / limits::kPartBytes;
  for (std::size_t at = 0; at < count; ++at) {
    wire::Part part;
    part.index = static_cast<std::uint32_t>(at);
    part.count = static_cast<std::uint32_t>(count);
    part.total_bytes = payload.size();
    part.bytes = std::string(payload.substr(at * limits::kPartBytes, limits::kPartBytes));
    wire::append(packets.emplace_back(), flow, item.revision, part);
  }
  return packets;
}

wire::Mark FlowOut::mark(std::optional<Cursor> from, Revision to, std::uint64_t changes) const {
  wire::Mark message;
  message.from = from;
  message.to = at(to);
  message.changes = changes;
  if (to == log.head) message.digest = log.digest();
  return message;
}

std::string FlowOut::mark_packet(std::optional<Cursor> from, Revision to, std::uint64_t changes) {
  std::string out;
  wire::append(out, flow, mark(from, to, changes));
  next_from = at(to);
  return out;
}

std::string FlowOut::answer(const std::optional<Cursor>& cursor, bool force_full) {
  std::string why;
  if (!cursor) why = "no_cursor";
  else if (force_full) why = "asked";
  else if (cursor->era != log.era) why = "unknown_era";
  else if (cursor->view != view) why = "view_changed";
  else if (cursor->revision > log.head) why = "beyond_era";
  return intent_packet(why.empty() ? cursor : std::nullopt, why);
}

wire::List FlowOut::list_of(const std::string& type, const std::vector<LogItem>& items,
                            Revision version) {
  wire::List list;
  list.type = type;
  for (const LogItem& item : items) {
    list.digest.add(fingerprint(item.change.key), item.change.hash);
  }
  list.version = version;
  list.nonce = ++nonce;
  return list;
}

std::vector<std::string> FlowOut::list_packets(const wire::List& list,
                                               const std::vector<LogItem>& items) {
  std::vector<std::string> packets;
  wire::append(packets.emplace_back(), flow, list);
  for (const LogItem& item : items) {
    for (std::string& packet : item_packets(item)) packets.push_back(std::move(packet));
  }
  return packets;
}

std::vector<std::string> FlowOut::next_cut() {
  const bool full = !next_from;
  if (!full && next_from->revision == log.head) return {};
  std::vector<std::string> packets;
  std::uint64_t changes = 0;
  if (mode == Mode::v1) {
    for (const std::string& type : log.changed_after(full ? Revision{} : next_from->revision)) {
      const auto items = log.present_of(type);
      if (full && items.empty()) continue;
      for (std::string& packet : list_packets(list_of(type, items, log.head), items)) {
        packets.push_back(std::move(packet));
      }
      changes += items.size();
    }
    packets.push_back(mark_packet(next_from, log.head, changes));
    return packets;
  }
  for (const LogItem& item : log.after(full ? Revision{} : next_from->revision)) {
    for (std::string& packet : item_packets(item)) packets.push_back(std::move(packet));
    ++changes;
  }
  packets.push_back(mark_packet(next_from, log.head, changes));
  return packets;
}

bool FlowOut::may_send(std::size_t bytes) const {
  const std::uint64_t in_flight = sent_bytes - received_bytes;
  return in_flight == 0 || in_flight + bytes <= window_bytes;
}

}  // namespace zonesync::conform

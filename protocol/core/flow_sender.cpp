#include "protocol/core/flow_sender.hpp"

#include <algorithm>

#include "protocol/model/assert.hpp"
#include "protocol/model/defect.hpp"
#include "protocol/wire/codec.hpp"

namespace zonesync {

using wire::IntentReason;

FlowSender::FlowSender(Options options, const ChangeSource& source, View view)
    : options_(options),
      source_(source),
      view_(std::move(view)),
      packer_(options.features, source, view_),
      window_bytes_(options.window_bytes) {
  if (options_.mode == SyncMode::v1) {
    planner_.emplace(source_, options_.message_target_bytes);
    options_.drops = false;  // lists carry a change of view
  }
}

// -- events ---------------------------------------------------------------------------------------

wire::Intent FlowSender::decide(const wire::Want& want) const {
  wire::Intent intent;
  intent.log_id = log_.log_id;
  intent.complete = log_.complete;
  intent.view = view_.id();
  intent.head = log_.head;
  intent.era = log_.current_era();
  intent.floor = log_.tombstone_floor;
  intent.reason = options_.repair ? IntentReason::repair : IntentReason::full;
  if (want.repair) {
    intent.why = want.why.empty() ? "asked" : want.why;
  } else if ((!want.cursor && !want.force_full) || ZONESYNC_DEFECT(8)) {
    intent.reason = IntentReason::full;
    intent.why = "no_cursor";
  } else if (want.force_full) {
    intent.reason = IntentReason::full;
    intent.why = want.why.empty() ? "asked" : want.why;
  } else if (!view_held(*want.cursor)) {
    intent.why = "view_changed";
  } else if (const auto verdict = judge_cursor(log_, *want.cursor);
             verdict != CursorVerdict::valid && !ZONESYNC_DEFECT(2)) {
    intent.why = std::string(to_string(verdict));
  } else {
    intent.from = want.cursor;
    const bool missed = want.cursor->revision < log_.head || want.cursor->view != view_.id();
    intent.reason = missed ? IntentReason::changes : IntentReason::none;
  }
  intent.resumed = resumable(want, intent);
  return intent;
}

void FlowSender::on_want(const wire::Want& want) {
  log_ = source_.state();
  take_view_in_force();
  wire::Intent intent = decide(want);
  why_ = intent.why;
  full_ = !intent.from;
  repair_.reset();
  if (intent.reason == IntentReason::repair) {
    repair_ = std::make_unique<RepairSender>(options_.flow, source_, view_);
  }
  confirmed_ = false;
  to_confirm_.reset();
  full_until_ = std::max(log_.head, view_since_);
  packer_.on_answer(!want.no_patches);
  cut_from_ = intent.from;
  position_ = full_ ? Position::start() : Position::end_of(want.cursor->revision);
  if (ZONESYNC_DEFECT(1) && !full_) position_ = Position::end_of(log_.head);
  if (ZONESYNC_DEFECT(70)) position_ = Position::start();
  cut_changes_ = 0;
  cut_bytes_ = 0;
  floor_seen_ = Revision{};
  page_ = ScanPage{};
  page_next_ = 0;
  page_done_ = true;
  part_.reset();
  held_.reset();
  if (!full_) {
    acked_ = want.cursor;
    start_from_view(*want.cursor);
  }
  resumed_ = false;
  skip_ = 0;
  if (intent.resumed) resume_behind(*intent.resumed);
  list_cut_to_.reset();
  if (planner_) {
    ListPlanner::Answer answer;
    if (!full_) answer.from = want.cursor->revision;
    if (!full_) answer.held = view_held(*want.cursor);
    answer.not_before = view_since_;
    answer.tombstone_floor = log_.tombstone_floor;
    planner_->begin(view_, std::move(answer));
  }
  first_mark_due_ = true;
  active_ = false;
  switch (intent.reason) {
    case IntentReason::none: ++counters_.intents_none; break;
    case IntentReason::changes: ++counters_.intents_changes; break;
    case IntentReason::repair: ++counters_.intents_repair; break;
    case IntentReason::full: ++counters_.intents_full; break;
  }
  intent_to_send_ = std::move(intent);
}

Status FlowSender::on_buckets(const wire::Buckets& buckets) {
  if (!repair_ || !active_) {
    return fail(ErrorCode::protocol, "Buckets without a repair", "REP-02");
  }
  if (auto status = repair_->on_buckets(buckets); !status) return status;
  full_until_ = std::max(full_until_, repair_->at());
  return {};
}

Status FlowSender::on_prints(const wire::Prints& prints) {
  if (!repair_ || !active_) {
    return fail(ErrorCode::protocol, "Prints without a repair", "REP-04");
  }
  return repair_->on_prints(prints);
}

Status FlowSender::on_ack(const wire::Ack& ack, TimePoint) {
  if (ack.received_bytes < received_bytes_) {
    return fail(ErrorCode::protocol, "Ack.received_bytes goes backwards", "FLOW-20");
  }
  if (ack.received_bytes > sent_bytes_) {
    return fail(ErrorCode::protocol, "Ack.received_bytes is more than was sent", "FLOW-20");
  }
  received_bytes_ = ack.received_bytes;
  window_bytes_ = ack.window_bytes;
  if (ack.cursor) {
    if (!may_ack(ack.cursor->view) || ack.cursor->revision > source_.head()) {
      return fail(ErrorCode::protocol, "Ack.cursor lies beyond the log", "FLOW-21");
    }
    if (judge_cursor(log_, *ack.cursor) == CursorVerdict::unknown_era) {
      return fail(ErrorCode::protocol, "Ack.cursor names an era that the log never had", "FLOW-21");
    }
    acked_ = ack.cursor;
    if (to_confirm_ && ack.cursor->revision >= *to_confirm_) confirmed_ = true;
  }
  list_status_.on_ack(ack);
  return {};
}

void FlowSender::on_hold(const wire::Hold& hold) {
  if (hold.released) {
    held_.reset();
  } else {
    held_ = hold;
  }
}

// -- output ---------------------------------------------------------------------------------------

Status FlowSender::produce(std::string& out, TimePoint now) {
  inflated_bytes_ = 0;
  if (intent_to_send_) {
    wire::append(out, options_.flow, *intent_to_send_);
    intent_to_send_.reset();
    active_ = true;
    last_sent_ = now;
  }
  if (!active_) return {};
  if (repair_) repair_->produce(out);
  say_holds(out);
  if (!held_ && !paused_) {
    auto status = planner_ ? produce_lists(out, now) : produce_data(out, now);
    if (!status) return status;
  }
  maybe_idle_mark(out, now);
  return {};
}

Status FlowSender::produce_data(std::string& out, TimePoint now) {
  const std::size_t limit = options_.message_target_bytes;
  while (out.size() < limit && inflated_bytes_ < limits::kInflatedMessageTargetBytes) {
    if (view_moved()) {
      if (auto status = change_view(); !status) return status;
      if (outdated_) return {};
    }
    if (!change_.drops().empty()) {
      if (!send_drop(out)) return {};
    } else if (part_) {
      if (!send_parts(out)) return {};
    } else if (page_next_ < page_.entries.size()) {
      if (!send_entry(out, page_.entries[page_next_])) return {};
    } else if (!page_done_) {
      page_done_ = true;
      position_ = page_.next;
      if (change_.reading_back()) {
        read_back_page_done();
      } else if (page_.at_segment_end) {
        end_cut_if_due(out, now);
      }
    } else if (change_.reading_back()) {
      if (!may_send(1)) return {};
      if (auto status = read_back(); !status) return status;
    } else {
      const bool repairing = repair_ && !repair_->done();
      auto more = repairing ? next_repair_page(out) : next_page();
      if (!more) return fail(more.error());
      if (*more) continue;
      const bool at_head = position_ >= Position::end_of(source_.head());
      const bool due = first_mark_due_ || change_.active();
      if (!repairing && at_head && due) end_cut_if_due(out, now);
      return {};
    }
  }
  return {};
}

/// Reads on in the log; false = at its head, or no credit.
Result<bool> FlowSender::next_page() {
  if (position_ >= Position::end_of(source_.head()) || !may_send(1)) return false;
  auto page = source_.scan(position_, view_, options_.message_target_bytes);
  if (!page) return fail(page.error());
  if (page->tombstone_floor > log_.tombstone_floor &&
      position_ < Position::end_of(page->tombstone_floor) && !ZONESYNC_DEFECT(5)) {
    // What was sent already may have lost its leave; a full answer that sent nothing has not.
    const bool fresh = full_ && !repair_ && !resumed_ && position_ == Position::start();
    PROBE(tombstones_below_scan);
    if (!fresh) {
      return fail(ErrorCode::unavailable,
                  "leaves behind the receiver's position are trimmed; it must be repaired");
    }
    log_.tombstone_floor = page->tombstone_floor;
  }
  load_page(std::move(*page));
  return true;
}

/// Sends what the receiver has too many, then loads what it lacks; false = nothing may leave now.
Result<bool> FlowSender::next_repair_page(std::string& out) {
  if (!repair_->compared() || !may_send(1)) return false;
  if (const auto removes = repair_->next_removes(); !removes.empty()) {
    const std::size_t before = out.size();
    wire::append(out, options_.flow, wire::Remove{removes});
    count_data(out.size() - before);
    cut_changes_ += removes.size();
    counters_.removes += removes.size();
    return true;
  }
  auto page = repair_->next_page(options_.message_target_bytes);
  if (!page) return fail(page.error());
  if (page->next > position_) load_page(std::move(*page));  // else the log is empty
  return true;
}

void FlowSender::load_page(ScanPage page) {
  ZS_ASSERT(page.next > position_);
  floor_seen_ = std::max(floor_seen_, page.trim_floor);
  page_ = std::move(page);
  page_next_ = 0;
  page_done_ = false;
  if (skip_ > 0) skip_staged();
}

bool FlowSender::send_entry(std::string& out, const LogEntry& entry) {
  const ByteView payload = entry.change.payload.view();
  const Revision revision = entry.position.revision;
  const std::size_t whole = wire::packet_bytes(payload.size());
  // A full cut, or one to another view, may hold nothing that a patch could start from (ZIP-13).
  const bool whole_only = (full_ || change_.active()) && !ZONESYNC_DEFECT(90);
  if (const auto patch = whole_only ? nullptr : packer_.patch(entry)) {
    const wire::PacketHeader header{0, wire::PacketKind::patch, options_.flow, revision};
    if (!send_packet(out, header, *patch, whole)) return false;
    ++counters_.patches;
    PROBE(patch_sent);
    entry_sent(entry.position);
    return true;
  }
  auto frames = packer_.compressed(entry);
  if (payload.size() > limits::kPartBytes) {
    part_ = PendingPart{entry, 0, std::move(frames)};
    return true;
  }
  wire::PacketHeader header{0, wire::PacketKind::change, options_.flow, revision};
  header.zstd = frames && !frames->front().empty();
  if (!send_packet(out, header, header.zstd ? ByteView(frames->front()) : payload, whole)) {
    return false;
  }
  entry_sent(entry.position);
  return true;
}

/// Sends one data packet that would have `whole_bytes` uncompressed; false = no credit now.
bool FlowSender::send_packet(std::string& out, const wire::PacketHeader& header, ByteView payload,
                             std::size_t whole_bytes) {
  const std::size_t bytes = wire::packet_bytes(payload.size());
  if (!may_send(bytes)) return false;
  wire::append_packet(out, header, payload);
  count_data(ZONESYNC_DEFECT(92) ? whole_bytes : bytes);
  if (header.zstd) {
    ++counters_.compressed;
    PROBE(packet_compressed);
  }
  inflated_bytes_ += std::max(bytes, whole_bytes);
  counters_.saved_bytes += whole_bytes > bytes ? whole_bytes - bytes : 0;
  return true;
}

void FlowSender::entry_sent(Position position) {
  ++counters_.changes;
  ++cut_changes_;
  if (planner_) return planner_->pop();
  position_ = position;
  ++page_next_;
}

/// Sends the next slice of a large change; false = no credit now.
bool FlowSender::send_parts(std::string& out) {
  wire::PacketHeader header{0, wire::PacketKind::part, options_.flow,
                            part_->entry.position.revision};
  const ByteView change = part_->entry.change.payload.view();
  const std::uint32_t index = part_->next;
  std::string payload;
  std::size_t whole = 0;
  header.zstd = part_->frames && !(*part_->frames)[index].empty();
  if (header.zstd) {
    payload = (*part_->frames)[index];
    whole = wire::packet_bytes(std::min(change.size() - index * limits::kPartBytes,
                                        limits::kPartBytes));
  } else {
    payload = wire::encode_part(part_of(change, index));
  }
  if (!send_packet(out, header, payload, whole)) {
    PROBE(parts_waited_for_credit);
    if (ZONESYNC_DEFECT(9)) part_->next = 0;
    return false;
  }
  if (++part_->next == parts_of(change)) {
    entry_sent(part_->entry.position);
    part_.reset();
  }
  return true;
}

/// At a segment end: closes the cut when the state there is consistent (FLOW-12) and either the
/// head is reached or enough was sent for one durable step.
void FlowSender::end_cut_if_due(std::string& out, TimePoint now) {
  const Revision to = position_.revision;
  if (to < floor_seen_ && !ZONESYNC_DEFECT(6)) {
    PROBE(cut_past_trim_floor);
    return;
  }
  const bool at_head = position_ >= Position::end_of(source_.head());
  if (full_ || change_.active() || resumed_) {
    if (to < full_until_ && !ZONESYNC_DEFECT(7)) return;
    auto digest = source_.digest_at(to, view_);
    if (!digest) {  // too far behind the head to know: extend the cut
      PROBE(cut_extended_for_digest);
      return;
    }
    send_mark(out, to, now, digest);
    return;
  }
  if (!at_head && cut_bytes_ < options_.cut_target_bytes) return;
  send_mark(out, to, now, digest_due(to, now));
}

std::optional<Digest> FlowSender::digest_due(Revision to, TimePoint now) {
  if (!first_mark_due_ && now - last_digest_ < limits::kDigestInterval) return std::nullopt;
  return source_.digest_at(to, view_);
}

void FlowSender::send_mark(std::string& out, Revision to, TimePoint now,
                           std::optional<Digest> digest) {
  wire::Mark mark;
  mark.from = full_ ? std::nullopt : cut_from_;
  mark.to = Cursor{log_.era_of(to), to, view_.id()};
  remember_view(view_.id());
  if (change_.active()) change_.end();
  mark.changes = cut_changes_;
  mark.digest = digest;
  wire::append(out, options_.flow, mark);
  ++counters_.marks;
  if (ZONESYNC_DEFECT(3)) acked_ = mark.to;
  if (digest) last_digest_ = now;
  if (digest && !to_confirm_) to_confirm_ = to;
  last_sent_ = now;
  cut_from_ = mark.to;
  full_ = false;
  resumed_ = false;
  repair_.reset();
  first_mark_due_ = false;
  cut_changes_ = 0;
  cut_bytes_ = 0;
}

bool FlowSender::cut_open() const {
  if (ZONESYNC_DEFECT(204) && part_) return false;
  if (planner_ && planner_->open()) return true;
  if (cut_from_ && cut_from_->view != view_.id()) return true;  // a list leads to the new view
  return full_ || resumed_ || part_ || cut_changes_ > 0 || page_next_ < page_.entries.size() ||
         change_.active();
}

/// FLOW-30: an idle sender owes a Mark every 10 s, with the digest.
void FlowSender::maybe_idle_mark(std::string& out, TimePoint now) {
  if (cut_open() || !cut_from_ || now - last_sent_ < limits::kIdleMarkInterval) return;
  auto digest = source_.digest_at(cut_from_->revision, view_);
  if (ZONESYNC_DEFECT(209)) digest.reset();
  send_mark(out, cut_from_->revision, now, digest);
}

std::optional<TimePoint> FlowSender::next_deadline() const {
  if (!active_ || cut_open() || !cut_from_) return std::nullopt;
  return last_sent_ + limits::kIdleMarkInterval;
}

bool FlowSender::reached(Revision revision) const {
  return active_ && !full_ && cut_from_ && cut_from_->revision >= revision;
}

/// FLOW-22: at most the window in flight; one packet may always be, however large.
bool FlowSender::may_send(std::size_t bytes) const {
  const std::uint64_t in_flight = sent_bytes_ - received_bytes_;
  if (ZONESYNC_DEFECT(201)) return in_flight < window_bytes_;
  return (in_flight == 0 && !ZONESYNC_DEFECT(4)) || in_flight + bytes <= window_bytes_;
}

void FlowSender::count_data(std::size_t bytes) {
  sent_bytes_ += bytes;
  cut_bytes_ += bytes;
  counters_.data_bytes += bytes;
}

}  // namespace zonesync

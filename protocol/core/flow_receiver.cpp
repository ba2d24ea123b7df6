#include "protocol/core/flow_receiver.hpp"

#include <algorithm>
#include <utility>

#include "protocol/core/patch_receiver.hpp"
#include "protocol/model/assert.hpp"
#include "protocol/model/defect.hpp"
#include "protocol/wire/codec.hpp"

namespace zonesync {
namespace {

constexpr std::size_t kVerdictsPerAck = 200;
/// A held cut is sent again as a whole, so retries double from the first to the last interval.
constexpr Duration kHoldRetryFirst = std::chrono::seconds(1);
constexpr Duration kHoldRetryMax = std::chrono::seconds(32);
constexpr unsigned kMismatchesBeforeHold = 3;

/// Holds that end unannounced; of the others somebody says so (retry_held).
bool retries_itself(const std::string& reason) {
  if (ZONESYNC_DEFECT(13)) return false;
  return reason == "disk_full" || reason == "queue_full";
}

}  // namespace

/// A change that arrives in parts.
struct FlowReceiver::Assembly {
  Revision revision;
  std::uint32_t next = 0;
  std::uint32_t count = 0;
  std::uint64_t total_bytes = 0;
  std::string bytes;
};

FlowReceiver::FlowReceiver(Options options, CutSink& sink)
    : options_(options),
      sink_(sink),
      alive_(std::make_shared<bool>(true)),
      acked_window_(options.window_bytes) {}

FlowReceiver::~FlowReceiver() { *alive_ = false; }

// -- events ---------------------------------------------------------------------------------------

Status FlowReceiver::on_intent(const wire::Intent& intent) {
  want_in_flight_ = false;
  if (want_to_send_) {  // it waits for this answer to the older one
    PROBE(want_behind_want);
    return {};
  }
  const bool repair = intent.reason == wire::IntentReason::repair;
  const bool anew = repair || intent.reason == wire::IntentReason::full;
  if (repair && !options_.repair) {
    return fail(ErrorCode::protocol, "repair was not negotiated", "REP-01");
  }
  if (anew == intent.from.has_value()) {
    return fail(ErrorCode::protocol, "Intent.from is given exactly for none and changes",
                "FLOW-02");
  }
  if (!anew && intent.from != sink_.cursor()) {
    return fail(ErrorCode::protocol, "Intent.from is not the cursor that was wanted", "FLOW-02");
  }
  if (auto status = check_resumed(intent); !status) return status;
  if (!anew && intent.complete && sink_.holds_unconfirmed()) {
    want_repair("log_complete");  // absences count again: settle what was kept on suspicion (§4.9)
    return {};
  }
  return start_answer(intent);
}

/// STG-04: the sender goes on where we said, or sends the last revision again as a whole.
Status FlowReceiver::check_resumed(const wire::Intent& intent) const {
  if (!intent.resumed || ZONESYNC_DEFECT(213)) return {};
  const std::optional<wire::Staged> ours = options_.resume ? sink_.staged() : std::nullopt;
  const wire::Staged& theirs = *intent.resumed;
  const bool same = ours && ours->at == theirs.at && ours->full == theirs.full &&
                    (theirs.changes == ours->changes || theirs.changes == 0);
  if (same) return {};
  return fail(ErrorCode::protocol, "the answer goes on behind something that is not staged",
              "STG-04");
}

Status FlowReceiver::start_answer(const wire::Intent& intent) {
  repair_.reset();
  if (intent.reason == wire::IntentReason::repair) {
    auto prints = sink_.prints();
    if (!prints) {
      want_full(intent.why);
      return {};
    }
    repair_ = std::make_unique<RepairReceiver>(options_.flow, std::move(*prints));
  }
  awaiting_intent_ = false;
  // Until a full cut is applied our cursor may be one of another log: nothing to ack (FLOW-21).
  durable_ = intent.from;
  intent_ = intent;
  expected_ = intent.from;
  replacing_ = !intent.from;
  cut_changes_ = 0;
  resumed_ = intent.resumed.has_value();
  last_revision_ = resumed_ ? intent.resumed->at.revision : Revision{};
  counters_.resumes += resumed_ ? 1 : 0;
  dropped_ = false;
  view_ = intent.from ? intent.from->view : intent.view;
  assembly_.reset();
  lists_.reset();
  sink_.begin(intent);
  return {};
}

void FlowReceiver::count_received(std::size_t packet_bytes, TimePoint) {
  received_bytes_ += packet_bytes;
  counters_.data_bytes += packet_bytes;
  if (received_bytes_ - acked_bytes_ >= options_.window_bytes / 2) ack_due_ = true;
  ack_soon_ = true;
}

Status FlowReceiver::check_window() const {
  if (received_bytes_ - acked_bytes_ > acked_window_ + limits::kMessageMaxBytes) {
    return fail(ErrorCode::resource_exhausted, "more data in flight than was granted", "FLOW-22");
  }
  return {};
}

Status FlowReceiver::on_change(Revision revision, ByteView payload, std::size_t packet_bytes,
                               TimePoint now) {
  if (ZONESYNC_DEFECT(10) && awaiting_intent_) return {};
  count_received(packet_bytes, now);
  if (auto status = check_window(); !status) return status;
  if (awaiting_intent_) return {};
  if (assembly_) return fail(ErrorCode::protocol, "Change inside a series of Parts", "FLOW-07");
  auto change = wire::decode_change(SharedBytes(std::string(payload)));
  if (!change) return fail(change.error());
  return accept(StagedChange{revision, std::move(*change)}, packet_bytes, now);
}

Status FlowReceiver::on_part(Revision revision, const wire::Part& part, std::size_t packet_bytes,
                             TimePoint now) {
  count_received(packet_bytes, now);
  if (auto status = check_window(); !status) return status;
  if (awaiting_intent_) return {};
  if (!assembly_) {
    if (part.total_bytes > limits::kResourceMaxBytes + limits::kPartBytes) {
      return fail(ErrorCode::too_large, "a resource in parts is over the limit", "FLOW-07");
    }
    assembly_ = std::make_unique<Assembly>();
    assembly_->revision = revision;
    assembly_->count = part.count;
    assembly_->total_bytes = part.total_bytes;
  }
  Assembly& open = *assembly_;
  if (part.index != open.next || part.count != open.count || revision != open.revision ||
      part.total_bytes != open.total_bytes || part.bytes.empty() ||
      open.bytes.size() + part.bytes.size() > open.total_bytes) {
    return fail(ErrorCode::protocol, "a Part does not continue its series", "FLOW-07");
  }
  open.bytes += part.bytes;
  if (++open.next < open.count) return {};
  if (open.bytes.size() != open.total_bytes) {
    return fail(ErrorCode::protocol, "a series of Parts is shorter than it said", "FLOW-07");
  }
  auto change = wire::decode_change(SharedBytes(std::move(open.bytes)));
  assembly_.reset();
  if (!change) return fail(change.error());
  return accept(StagedChange{revision, std::move(*change)}, packet_bytes, now);
}

Status FlowReceiver::on_differing(const wire::Differing& differing) {
  if (awaiting_intent_) return {};
  if (!repair_) return fail(ErrorCode::protocol, "Differing without a repair", "REP-03");
  return repair_->on_differing(differing);
}

Status FlowReceiver::on_remove(const wire::Remove& remove, std::size_t packet_bytes,
                               TimePoint now) {
  if (!ZONESYNC_DEFECT(307)) count_received(packet_bytes, now);
  if (auto status = check_window(); !status) return status;
  if (awaiting_intent_) return {};
  const bool changes_came = last_revision_ != Revision{} || assembly_;
  if (!repair_) return fail(ErrorCode::protocol, "Remove without a repair", "REP-05");
  if (auto status = repair_->on_remove(remove, changes_came); !status) return status;
  cut_changes_ += remove.fingerprints.size();
  for (const Id128& key : remove.fingerprints) {
    if (auto status = sink_.stage_remove(key); !status) return status;
  }
  return {};
}

Status FlowReceiver::on_patch(Revision revision, const wire::Patch& patch,
                              std::size_t packet_bytes, TimePoint now) {
  count_received(packet_bytes, now);
  if (auto status = check_window(); !status) return status;
  if (awaiting_intent_) return {};
  if (assembly_) return fail(ErrorCode::protocol, "Patch inside a series of Parts", "FLOW-07");
  if (replacing_ || repair_ || dropped_ || no_patches_) {
    return fail(ErrorCode::protocol, "a Patch where only whole versions may come", "ZIP-13");
  }
  auto change = restore(patch, sink_);
  if (!change && change.error().code == ErrorCode::precondition_failed) {
    want_without_patches();
    return {};
  }
  if (!change) return fail(change.error());
  ++counters_.patches;
  return accept(StagedChange{revision, std::move(*change)}, packet_bytes, now);
}

Status FlowReceiver::accept(StagedChange change, std::size_t, TimePoint) {
  // FLOW-31: what cannot be stored ends the answer here; the rest would come for nothing.
  const auto unless_held = [this](Status status) -> Status {
    const bool full = !status && status.error().code == ErrorCode::resource_exhausted;
    if (status || (!full && status.error().code != ErrorCode::storage_io)) return status;
    on_commit_failed({full ? CutFailure::Kind::hold : CutFailure::Kind::fatal,
                      std::move(status.error()), full ? "disk_full" : ""});
    return {};
  };
  if (options_.mode == SyncMode::v1) return unless_held(accept_listed(std::move(change)));
  if (repair_ && !repair_->printed()) {
    return fail(ErrorCode::protocol, "a change before the comparison is over", "REP-05");
  }
  const bool after_cursor =
      !expected_ || dropped_ || change.revision > expected_->revision;  // VIEW-03
  if (!after_cursor || change.revision < last_revision_ || change.revision == Revision{}) {
    return fail(ErrorCode::protocol, "changes of a cut are not in log order", "FLOW-05");
  }
  last_revision_ = change.revision;
  ++cut_changes_;
  ++counters_.changes;
  return unless_held(sink_.stage(std::move(change)));
}

/// FLOW-33, FLOW-34. Other words are of later versions.
void FlowReceiver::on_sender_hold(const wire::Hold& hold) {
  if (hold.reason == "resync") {
    if (!want_to_send_) want_full("resync");
  } else if (hold.released) {
    sender_hold_.reset();
  } else {
    sender_hold_ = hold;
  }
}

/// VIEW-02, VIEW-03.
Status FlowReceiver::on_drop(const wire::Drop& drop, std::size_t packet_bytes, TimePoint now) {
  count_received(packet_bytes, now);
  if (auto status = check_window(); !status) return status;
  if (awaiting_intent_) return {};
  if (repair_) return fail(ErrorCode::protocol, "Drop inside a repair", "REP-05");
  assembly_.reset();
  dropped_ = true;
  last_revision_ = Revision{};
  ++cut_changes_;
  ++counters_.drops;
  return sink_.drop(drop.cls);
}

Status FlowReceiver::on_mark(const wire::Mark& mark, TimePoint now) {
  if (awaiting_intent_) return {};
  if (assembly_) return fail(ErrorCode::protocol, "Mark inside a series of Parts", "FLOW-07");
  if (repair_ && !repair_->printed()) {
    return fail(ErrorCode::protocol, "Mark before the comparison is over", "REP-05");
  }
  if (mark.from.has_value() == replacing_ || (mark.from && mark.from != expected_)) {
    return fail(ErrorCode::protocol, "Mark.from is not where the last cut ended", "FLOW-10");
  }
  if (mark.changes != cut_changes_) {
    return fail(ErrorCode::protocol, "Mark.changes differs from what arrived", "FLOW-11");
  }
  if (mark.to.revision < last_revision_ ||
      (mark.from && mark.to.revision < mark.from->revision)) {
    return fail(ErrorCode::protocol, "Mark.to does not end this cut", "FLOW-11");
  }
  if (options_.flow == wire::FlowId::up && mark.to.view != view_) {
    return fail(ErrorCode::protocol, "the view of the up flow changed in a session", "VIEW-01");
  }
  if ((dropped_ || mark.to.view != view_) && !mark.digest) {
    return fail(ErrorCode::protocol, "a cut to another view ends without a digest", "VIEW-04");
  }
  if (options_.mode == SyncMode::v1) {
    const auto checked = end_lists(mark);
    if (!checked) return fail(checked.error());
    if (!*checked) return {};
  }
  if ((replacing_ || resumed_) && !mark.digest) {
    return fail(ErrorCode::protocol, "a full, resumed or repairing cut ends without a digest",
                resumed_ ? "STG-04" : "FLOW-13");
  }
  const bool idle = mark.from == mark.to;
  const bool check = mark.digest && outstanding_ == 0;
  if (!idle || check) {
    start_commit(CutEnd{intent_->reason, intent_->complete, intent_->log_id, mark.from, mark.to,
                        mark.digest});
  }
  if (awaiting_intent_) return {};  // the commit failed at once
  expected_ = mark.to;
  replacing_ = false;
  resumed_ = false;
  repair_.reset();
  cut_changes_ = 0;
  last_revision_ = Revision{};
  dropped_ = false;
  view_ = mark.to.view;
  if (!last_ack_) last_ack_ = now;
  return {};
}

void FlowReceiver::start_commit(const CutEnd& end) {
  ++outstanding_;
  if (end.digest) ++counters_.digest_checks;
  const std::uint64_t epoch = epoch_;
  sink_.commit(end, next_token_++,
               [this, epoch, alive = std::weak_ptr<bool>(alive_)](
                   CommitToken, tl::expected<CutResult, CutFailure> result) {
                 const auto guard = alive.lock();
                 if (!guard || !*guard) return;
                 ZS_ASSERT(outstanding_ > 0);
                 --outstanding_;
                 // A failure of an answer that was given up says nothing; what became durable does.
                 if (!result && epoch != epoch_) PROBE(late_result_of_old_answer);
                 if (result || epoch == epoch_) on_committed(std::move(result));
               });
}

void FlowReceiver::on_committed(tl::expected<CutResult, CutFailure> result) {
  if (!result) {
    on_commit_failed(std::move(result.error()));
    return;
  }
  ++counters_.cuts;
  mismatches_in_a_row_ = 0;
  hold_retry_ = {};
  ack_soon_ = ack_soon_ || durable_ != result->cursor || !result->verdicts.empty();
  durable_ = result->cursor;
  for (Verdict& verdict : result->verdicts) report(std::move(verdict));
}

/// Every failure ends the current answer of the sender: what follows is ignored until a new Intent.
void FlowReceiver::on_commit_failed(CutFailure failure) {
  give_up_answer();
  switch (failure.kind) {
    case CutFailure::Kind::digest_mismatch:
      ++counters_.digest_mismatches;
      if (++mismatches_in_a_row_ < kMismatchesBeforeHold) {
        if (mismatches_in_a_row_ == 1) {
          want_repair("digest_mismatch");  // REP-08: compared first, replaced only if that fails
        } else {
          want_full("digest_mismatch");
        }
        return;
      }
      failure.hold_reason = "digest";
      [[fallthrough]];
    case CutFailure::Kind::hold:
      hold_ = wire::Hold{failure.hold_reason, failure.error.message, false};
      hold_to_send_ = true;
      if (!retries_itself(hold_->reason)) PROBE(hold_without_retry);
      if (ZONESYNC_DEFECT(12)) want_full("hold");
      return;
    case CutFailure::Kind::stale:
    case CutFailure::Kind::fatal:
      failure_ = std::move(failure);
      return;
  }
}

void FlowReceiver::retry_held() {
  if (!hold_) return;
  // An answer that replaced what was here, durably, is continued from there.
  const auto unfinished = [this](wire::IntentReason reason) {
    return !durable_ && intent_ && intent_->reason == reason;
  };
  const bool full = !sink_.cursor() || unfinished(wire::IntentReason::full);
  // Pieces of the held answer may be stored: only the rest is missing then.
  const bool pieces = !sink_.cursor() && sink_.has_content();
  const bool repair = options_.repair && (pieces || unfinished(wire::IntentReason::repair));
  const std::string why = hold_->reason;
  hold_.reset();
  hold_to_send_ = false;
  retry_at_.reset();
  mismatches_in_a_row_ = 0;
  wire::Want want;
  want.force_full = full && !repair;
  want.repair = repair;
  want.why = why;
  want_to_send_ = std::move(want);
  want_resumes_ = !repair;
  awaiting_intent_ = true;
  repair_.reset();
}

void FlowReceiver::want_full(std::string why) {
  wire::Want want;
  want.force_full = true;
  want.why = std::move(why);
  want_to_send_ = std::move(want);
  want_resumes_ = ZONESYNC_DEFECT(216);
  hold_.reset();
  hold_to_send_ = false;
  retry_at_.reset();
  give_up_answer();
}

void FlowReceiver::want_repair(std::string why) {
  want_full(std::move(why));
  want_to_send_->repair = options_.repair && sink_.has_content();
  want_to_send_->force_full = !want_to_send_->repair;
}

/// Whatever belongs to the sender's current answer is ignored from here to the next Intent.
void FlowReceiver::give_up_answer() {
  ++epoch_;
  awaiting_intent_ = true;
  assembly_.reset();
  repair_.reset();
}

void FlowReceiver::want_without_patches() {
  PROBE(patch_failed);
  ++counters_.patch_failures;
  no_patches_ = true;
  give_up_answer();
  wire::Want want;
  want.why = "patch_failed";
  want_to_send_ = std::move(want);
  want_resumes_ = true;
}

bool FlowReceiver::settled() const {
  return outstanding_ == 0 && !awaiting_intent_ && durable_ && durable_->revision >= intent_->head;
}

void FlowReceiver::report(Verdict verdict) {
  if (!verdict.accepted) ++counters_.rejects;
  verdicts_.push_back(std::move(verdict));
  ack_soon_ = true;
}

void FlowReceiver::set_window(std::uint64_t window_bytes) {
  if (window_bytes == options_.window_bytes) return;
  options_.window_bytes = window_bytes;
  ack_due_ = true;
}

// -- output ---------------------------------------------------------------------------------------

void FlowReceiver::produce(std::string& out, TimePoint now) {
  if (hold_to_send_) {
    wire::append(out, options_.flow, *hold_);
    hold_to_send_ = false;
    if (retries_itself(hold_->reason)) {
      hold_retry_ = std::clamp(hold_retry_ * 2, kHoldRetryFirst, kHoldRetryMax);
      retry_at_ = now + hold_retry_;
    }
  }
  if (retry_at_ && now >= *retry_at_ && outstanding_ == 0) {
    PROBE(hold_retried);
    retry_held();
  }
  if (want_to_send_ && outstanding_ == 0 && !want_in_flight_) {
    want_to_send_->cursor = sink_.cursor();
    want_to_send_->no_patches = no_patches_ && !ZONESYNC_DEFECT(91);
    if (want_resumes_ && options_.resume) want_to_send_->staged = sink_.staged();
    wire::append(out, options_.flow, *want_to_send_);
    want_to_send_.reset();
    want_in_flight_ = true;
  }
  if (repair_ && !awaiting_intent_) repair_->produce(out);
  if (!last_ack_) last_ack_ = now;
  const Duration since = now - *last_ack_;
  const bool due = ack_due_ || (ack_soon_ && since >= limits::kAckInterval) ||
                   since >= limits::kIdleMarkInterval;
  if (!due) return;
  wire::Ack ack;
  ack.received_bytes = received_bytes_;
  ack.window_bytes = options_.window_bytes;
  ack.cursor = ZONESYNC_DEFECT(11) && durable_ ? expected_ : durable_;
  if (!durable_ && sink_.cursor()) PROBE(ack_withheld_foreign_cursor);
  const std::size_t count = std::min(verdicts_.size(), kVerdictsPerAck);
  const auto split = verdicts_.begin() + static_cast<std::ptrdiff_t>(count);
  ack.verdicts.assign(std::make_move_iterator(verdicts_.begin()), std::make_move_iterator(split));
  verdicts_.erase(verdicts_.begin(), ZONESYNC_DEFECT(210) ? verdicts_.end() : split);
  wire::append(out, options_.flow, ack);
  acked_bytes_ = received_bytes_;
  acked_window_ = std::max(acked_window_, options_.window_bytes);
  ack_due_ = !verdicts_.empty();
  ack_soon_ = false;
  last_ack_ = now;
}

std::optional<TimePoint> FlowReceiver::next_deadline() const {
  if (!last_ack_) return std::nullopt;
  TimePoint deadline = *last_ack_ + limits::kIdleMarkInterval;
  if (ack_soon_) deadline = *last_ack_ + limits::kAckInterval;
  if (retry_at_ && outstanding_ == 0) deadline = std::min(deadline, *retry_at_);
  return deadline;
}

}  // namespace zonesync

// Status and barriers of the zone machine.
#include <algorithm>
#include <utility>

#include "client-sdk/zone/zone_machine.hpp"

namespace zonesync {
namespace {

constexpr std::size_t kBarriersMax = 1'024;

}  // namespace

// -- barriers -------------------------------------------------------------------------------------

void ZoneMachine::barrier(TimePoint deadline, BarrierDone done) {
  if (phase_ == Phase::closed || phase_ == Phase::superseded) {
    return done(fail(ErrorCode::canceled, "the client is not running any more"));
  }
  if (barriers_.size() >= kBarriersMax) {
    return done(fail(ErrorCode::resource_exhausted, "too many barriers wait; wait for one first"));
  }
  barriers_.push_back(Barrier{next_barrier_++, false, std::nullopt, deadline, std::move(done)});
  send_barriers();
  reschedule();
}

void ZoneMachine::wait_revision(Revision revision, TimePoint deadline, BarrierDone done) {
  if (applied() >= revision) return done(applied());
  if (phase_ == Phase::closed || phase_ == Phase::superseded) {
    return done(fail(ErrorCode::canceled, "the client is not running any more"));
  }
  if (barriers_.size() >= kBarriersMax) {
    return done(fail(ErrorCode::resource_exhausted, "too many barriers wait; wait for one first"));
  }
  barriers_.push_back(Barrier{next_barrier_++, true, revision, deadline, std::move(done)});
  reschedule();
}

/// Over the session's bound they stay unsent and go out as answers arrive.
void ZoneMachine::send_barriers() {
  if (!session_ || !welcomed_) return;
  for (Barrier& barrier : barriers_) {
    if (barrier.sent || barrier.revision) continue;
    if (!session_->sync(barrier.id)) break;
    barrier.sent = true;
  }
  port_.wake();
}

void ZoneMachine::on_synced(Session& session, const wire::Synced& synced) {
  if (&session != session_.get()) return;
  for (Barrier& barrier : barriers_) {
    if (barrier.id == synced.id && barrier.sent) barrier.revision = synced.revision;
  }
  settle_barriers();
  send_barriers();
}

void ZoneMachine::settle_barriers() {
  std::vector<BarrierDone> ready;
  const Revision now = applied();
  std::erase_if(barriers_, [&](Barrier& barrier) {
    if (!barrier.revision || now < *barrier.revision) return false;
    ready.push_back(std::move(barrier.done));
    return true;
  });
  for (BarrierDone& done : ready) done(now);
}

void ZoneMachine::expire_barriers(TimePoint now) {
  std::vector<BarrierDone> late;
  std::erase_if(barriers_, [&](Barrier& barrier) {
    if (now < barrier.deadline) return false;
    late.push_back(std::move(barrier.done));
    return true;
  });
  for (BarrierDone& done : late) {
    done(fail(ErrorCode::timeout, "the deadline passed before the hub's state was applied"));
  }
}

void ZoneMachine::fail_barriers(const Error& error) {
  std::deque<Barrier> barriers = std::move(barriers_);
  barriers_.clear();
  for (Barrier& barrier : barriers) barrier.done(fail(error));
}

void ZoneMachine::reschedule() {
  std::optional<TimePoint> deadline = retry_at_;
  if (const auto& until = modes_.fallback_until()) {
    deadline = deadline ? std::min(*deadline, *until) : *until;
  }
  for (const Barrier& barrier : barriers_) {
    deadline = deadline ? std::min(*deadline, barrier.deadline) : barrier.deadline;
  }
  port_.schedule(deadline);
}

Revision ZoneMachine::applied() const {
  const auto cursor = store_.state().cursor;
  return cursor ? cursor->revision : Revision{};
}

// -- status ---------------------------------------------------------------------------------------

void ZoneMachine::absorb(const Session& session) {
  counters_.bytes_rx += session.counters().bytes_rx;
  counters_.bytes_tx += session.counters().bytes_tx;
  auto& open = const_cast<Session&>(session);
  if (open.receiver() != nullptr) {
    const FlowReceiverCounters& down = open.receiver()->counters();
    counters_.changes_received += down.changes;
    counters_.digest_mismatches += down.digest_mismatches;
    if (open.receiver()->offered()) {
      head_seen_ = std::max(head_seen_, open.receiver()->offered()->revision);
    }
  }
  if (open.sender() != nullptr) counters_.changes_sent += open.sender()->counters().changes;
}

ZoneState ZoneMachine::state() const {
  switch (phase_) {
    case Phase::closed: return ZoneState::closed;
    case Phase::superseded: return ZoneState::superseded;
    case Phase::idle: return ZoneState::initializing;
    default: break;
  }
  if (auth_failed_) return ZoneState::auth_failed;
  if (!welcomed_) return ever_tried_ ? ZoneState::disconnected : ZoneState::initializing;
  const FlowReceiver* receiver = session_->receiver();
  if (receiver == nullptr || !receiver->intent() || receiver->held()) return ZoneState::behind;
  const auto cursor = store_.state().cursor;
  const bool at_offer = cursor && receiver->offered() == cursor;
  return at_offer && cursor->revision >= receiver->intent()->head ? ZoneState::synced
                                                                  : ZoneState::behind;
}

ZoneStatus ZoneMachine::status() const {
  ZoneStatus status;
  status.state = state();
  status.connected = welcomed_;
  status.mode = modes_.mode();
  status.mode_reason = modes_.reason();
  status.cursor = store_.state().cursor;
  status.from_cache = status.cursor && !sink_.confirmed();
  status.head_seen = head_seen_;
  status.outbox_head = outbox_.head();
  status.outbox_acked = outbox_acked_;
  status.peer_held = peer_held_;
  status.generation = generation_;
  status.session = session_id_;
  status.registry_version = registry_version_;
  status.last_error = last_error_;
  status.retry_at = retry_at_;
  ZoneCounters& total = status.counters;
  total = counters_;
  const SinkCounters& sink = sink_.counters();
  total.cuts = sink.cuts;
  total.intents_none = sink.intents_none;
  total.intents_changes = sink.intents_changes;
  total.intents_repair = sink.intents_repair;
  total.intents_full = sink.intents_full;
  total.resumes = sink_.staging().counters().resumes;
  total.spills = sink_.staging().counters().spills;
  status.staged_bytes = sink_.staging().bytes();
  status.staged_memory_bytes = sink_.staging().memory_bytes();
  if (!session_) return status;
  total.bytes_rx += session_->counters().bytes_rx;
  total.bytes_tx += session_->counters().bytes_tx;
  if (const FlowReceiver* receiver = session_->receiver(); receiver != nullptr) {
    total.changes_received += receiver->counters().changes;
    total.digest_mismatches += receiver->counters().digest_mismatches;
    for (const auto* hold : {&receiver->sender_held(), &receiver->held()}) {
      if (!*hold) continue;
      status.held = (*hold)->reason;
      status.held_text = (*hold)->text;
    }
    if (receiver->intent()) status.head_seen = std::max(status.head_seen, receiver->intent()->head);
    if (receiver->offered()) {
      status.head_seen = std::max(status.head_seen, receiver->offered()->revision);
    }
  }
  if (const FlowSender* sender = session_->sender(); sender != nullptr) {
    total.changes_sent += sender->counters().changes;
    status.in_flight_bytes = sender->in_flight_bytes();
  }
  return status;
}

}  // namespace zonesync

#include "client-sdk/include/zonesync/status.hpp"

#include "client-sdk/src/status_from.hpp"

namespace zonesync::client {

std::string_view to_string(State state) {
  switch (state) {
    case State::initializing: return "initializing";
    case State::synced: return "synced";
    case State::behind: return "behind";
    case State::disconnected: return "disconnected";
    case State::auth_failed: return "auth_failed";
    case State::superseded: return "superseded";
    case State::closed: return "closed";
  }
  return "unknown";
}

std::string_view to_string(Mode mode) { return mode == Mode::v1 ? "v1" : "delta"; }

namespace {

State state_from(ZoneState state) {
  switch (state) {
    case ZoneState::initializing: return State::initializing;
    case ZoneState::synced: return State::synced;
    case ZoneState::behind: return State::behind;
    case ZoneState::disconnected: return State::disconnected;
    case ZoneState::auth_failed: return State::auth_failed;
    case ZoneState::superseded: return State::superseded;
    case ZoneState::closed: return State::closed;
  }
  return State::closed;
}

Counters counters_from(const ZoneCounters& zone) {
  return Counters{.connects = zone.connects,
                  .sessions = zone.sessions,
                  .bytes_rx = zone.bytes_rx,
                  .bytes_tx = zone.bytes_tx,
                  .changes_received = zone.changes_received,
                  .changes_sent = zone.changes_sent,
                  .cuts = zone.cuts,
                  .intents_none = zone.intents_none,
                  .intents_changes = zone.intents_changes,
                  .intents_repair = zone.intents_repair,
                  .intents_full = zone.intents_full,
                  .digest_mismatches = zone.digest_mismatches,
                  .resumes = zone.resumes,
                  .spills = zone.spills};
}

}  // namespace

ClientStatus status_from(const ZoneStatus& zone, const ReplicaState& replica, TimePoint now) {
  ClientStatus status;
  status.state = state_from(zone.state);
  status.mode = zone.mode == SyncMode::v1 ? Mode::v1 : Mode::delta;
  status.mode_reason = zone.mode_reason;
  status.connected = zone.connected;
  status.from_cache = zone.from_cache;
  status.cursor = zone.cursor;
  status.head_seen = zone.head_seen;
  status.digest = replica.digest;
  status.resources = replica.entries;
  status.unconfirmed = replica.unconfirmed;
  status.rejects = replica.rejects;
  status.outbox_head = zone.outbox_head;
  status.outbox_acked = zone.outbox_acked;
  status.in_flight_bytes = zone.in_flight_bytes;
  status.staged_bytes = zone.staged_bytes;
  status.staged_memory_bytes = zone.staged_memory_bytes;
  status.held = zone.held;
  status.held_text = zone.held_text;
  status.peer_held = zone.peer_held;
  status.generation = zone.generation;
  status.session = zone.session;
  status.registry_version = zone.registry_version;
  if (zone.last_error) {
    status.last_error = LastError{zone.last_error->code, zone.last_error->message,
                                  zone.last_error->close_code, zone.last_error->http_status};
  }
  if (zone.retry_at && *zone.retry_at > now) status.retry_in = *zone.retry_at - now;
  status.counters = counters_from(zone.counters);
  return status;
}

}  // namespace zonesync::client

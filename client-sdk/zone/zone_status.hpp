// State and counters of a zone machine, as plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "protocol/core/time.hpp"
#include "protocol/model/ids.hpp"
#include "protocol/model/result.hpp"
#include "protocol/model/sync_mode.hpp"

namespace zonesync {

enum class ZoneState : std::uint8_t {
  initializing,
  synced,
  behind,
  disconnected,
  auth_failed,
  superseded,
  closed,
};

struct ZoneError {
  ErrorCode code = ErrorCode::internal;
  std::string message;
  std::uint16_t close_code = 0;
  unsigned http_status = 0;
};

struct ZoneCounters {
  std::uint64_t connects = 0, sessions = 0;
  std::uint64_t bytes_rx = 0, bytes_tx = 0;
  std::uint64_t changes_received = 0, changes_sent = 0, cuts = 0;
  std::uint64_t intents_none = 0, intents_changes = 0, intents_repair = 0, intents_full = 0;
  std::uint64_t digest_mismatches = 0;
  std::uint64_t resumes = 0, spills = 0;  // of what was staged of an unfinished cut
};

struct ZoneStatus {
  ZoneState state = ZoneState::initializing;
  SyncMode mode = SyncMode::delta;     // of the open session, else of the last one
  std::string mode_reason = "default"; // see ModePolicy::reason
  bool connected = false;
  bool from_cache = false;
  std::optional<Cursor> cursor;
  Revision head_seen;
  Revision outbox_head, outbox_acked;
  std::uint64_t in_flight_bytes = 0;
  std::uint64_t staged_bytes = 0, staged_memory_bytes = 0;  // of the unfinished cut; in memory
  std::string held, held_text, peer_held;
  std::uint64_t generation = 0, session = 0, registry_version = 0;
  std::optional<ZoneError> last_error;
  std::optional<TimePoint> retry_at;
  ZoneCounters counters;
};

}  // namespace zonesync

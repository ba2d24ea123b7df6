// Read model: what the hub knows about each zone (docs/protocol.md P9: three separate facts).
// Plain values, copied out; thread-safe to pass around.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocol/core/list_status.hpp"
#include "protocol/model/ids.hpp"
#include "protocol/model/sync_mode.hpp"
#include "protocol/model/verdict.hpp"
#include "server/hub/zone_scope.hpp"

namespace zonesync::hub {

enum class Convergence : std::uint8_t {
  unknown,  // no digest compared yet, or changes are on the way
  yes,      // the zone durably holds the head of its view; the last digest check did not fail
  no,       // the last digest comparison of either flow failed, whatever the revisions say
};
[[nodiscard]] std::string_view to_string(Convergence value);

/// Why the last session ended.
struct DisconnectReason {
  std::uint16_t code = 0;   // websocket close code
  std::string event;        // stable log event, e.g. "sync.zone.disconnected"
  std::string text;
  std::int64_t at_ms = 0;   // wall clock
};

/// A version that one side refuses to use.
struct RejectRecord {
  bool down = true;         // true = the zone refused the hub's version; false = the hub its
  ResourceKey key;
  Revision revision;        // in the sender's log
  Hash128 hash;             // up only
  Reject reject;
  std::int64_t at_ms = 0;
};

/// Monotonic since process start, summed over the zone's sessions.
struct ZoneCounters {
  std::uint64_t changes_sent = 0;
  std::uint64_t changes_received = 0;
  std::uint64_t bytes_rx = 0;          // websocket payload bytes the hub received
  std::uint64_t bytes_tx = 0;
  std::uint64_t sessions = 0;
  std::uint64_t intents_none = 0;      // down flow: how resumes were answered
  std::uint64_t intents_changes = 0;
  std::uint64_t intents_repair = 0;
  std::uint64_t intents_full = 0;
  std::uint64_t cuts_resumed = 0;      // of the answers above: behind what the zone had staged
  std::uint64_t v1_bytes_est = 0;      // what complete lists per changed type would have sent
  std::uint64_t up_cuts = 0;
  std::uint64_t digest_mismatches = 0;
  std::uint64_t saved_bytes = 0;       // down: what compression and patches did not send
  std::uint64_t patches_sent = 0;
  std::uint64_t patch_failures = 0;    // up: patches without a base, each one answer again
};

struct ZoneStatus {
  std::string name;
  bool enabled = true;
  bool paused = false;                 // by an operator: the hub sends it no data
  ZoneScope scope;
  std::int64_t registered_at_ms = 0;
  std::int64_t first_seen_ms = 0;      // 0 = never connected
  std::int64_t last_seen_ms = 0;       // last packet received or disconnect

  // Fact 1: connection.
  bool connected = false;
  std::string mode = "delta";          // of the current or last session
  std::string mode_reason = "default"; // see mode_choice.hpp
  std::optional<SyncMode> forced_mode; // by an operator
  SessionId session;                   // of the current or last session
  InstanceId instance;
  Generation generation;
  std::string software;
  std::string peer;                    // "address:port"
  bool durable = true;                 // the zone keeps a store
  std::int64_t connected_since_ms = 0; // 0 = not connected
  std::optional<DisconnectReason> last_disconnect;

  // Fact 2: progress of the down flow.
  std::optional<Revision> acked;       // durable at the zone
  std::uint64_t lag_revisions = 0;     // head - acked
  double lag_seconds = 0;              // since the first revision the zone has not acked
  std::uint64_t in_flight_bytes = 0;

  // Fact 3: convergence.
  Convergence converged = Convergence::unknown;

  // Up flow.
  std::optional<Cursor> up_cursor;     // durable at the hub
  std::optional<Revision> up_offered;  // newest revision of the zone's log it told us
  std::uint64_t up_resources = 0;      // live resources of this origin

  std::string hold_reason;             // empty = none, e.g. "mass_delete"
  std::string hold_text;
  bool hold_down = false;              // the zone holds (else the hub holds the up flow)

  std::vector<RejectRecord> rejects;   // bounded: newest kZoneRejectsShown; see rejects_total
  std::uint64_t rejects_total = 0;     // open rejects, both directions
  std::map<std::string, ListState> lists;  // v1: per type, of this session
  ZoneCounters counters;
};

inline constexpr std::size_t kZoneRejectsShown = 1'000;

}  // namespace zonesync::hub

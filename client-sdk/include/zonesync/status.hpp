// What a client knows about itself, as one value.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/core/time.hpp"
#include "protocol/model/digest.hpp"
#include "protocol/model/ids.hpp"
#include "protocol/model/result.hpp"
#include "protocol/model/verdict.hpp"

namespace zonesync::client {

/// Connection and progress in one word. Names are stable.
enum class State : std::uint8_t {
  initializing,  // no attempt to connect has ended yet
  synced,        // everything the hub told us of is durably applied
  behind,        // connected, changes are on the way
  disconnected,  // waiting to connect again
  auth_failed,   // the hub refused the credential: slow retries, never stops
  superseded,    // another process of this zone took over: final for this process
  closed,        // stopped, or the store failed (see last_error)
};
[[nodiscard]] std::string_view to_string(State state);

enum class Mode : std::uint8_t { delta, v1 };
[[nodiscard]] std::string_view to_string(Mode mode);

/// The last thing that went wrong with the connection or the store; kept until the next one.
struct LastError {
  ErrorCode code = ErrorCode::internal;
  std::string message;
  std::uint16_t close_code = 0;   // websocket close code, 0 = none
  std::uint32_t http_status = 0;  // of a refused upgrade, 0 = none
  friend bool operator==(const LastError&, const LastError&) = default;
};

/// Since the client was made; bytes are websocket payload.
struct Counters {
  std::uint64_t connects = 0;          // attempts
  std::uint64_t sessions = 0;          // established
  std::uint64_t bytes_rx = 0;
  std::uint64_t bytes_tx = 0;
  std::uint64_t changes_received = 0;
  std::uint64_t changes_sent = 0;
  std::uint64_t cuts = 0;              // durably applied
  std::uint64_t intents_none = 0;      // what the hub answered to our cursor
  std::uint64_t intents_changes = 0;
  std::uint64_t intents_repair = 0;
  std::uint64_t intents_full = 0;
  std::uint64_t digest_mismatches = 0;
  std::uint64_t resumes = 0;           // unfinished cuts that went on where they were interrupted
  std::uint64_t spills = 0;            // times that staged changes went to disk
  friend bool operator==(const Counters&, const Counters&) = default;
};

struct ClientStatus {
  State state = State::initializing;
  Mode mode = Mode::delta;             // of the open session, else of the last one
  std::string mode_reason = "default"; // for v1: "config" (ours), "fallback" or "hub" (it asked)
  bool connected = false;
  bool from_cache = false;             // content is from the store, not yet confirmed by the hub
  std::optional<Cursor> cursor;        // durably applied
  Revision head_seen;                  // newest revision the hub told us of
  Digest digest;                       // of the replica
  std::uint64_t resources = 0;
  std::uint64_t unconfirmed = 0;
  std::uint64_t rejects = 0;           // versions that our validators refused
  Revision outbox_head;                // newest own revision
  Revision outbox_acked;               // what the hub holds durably of it
  std::uint64_t in_flight_bytes = 0;   // up, sent and not yet received
  std::uint64_t staged_bytes = 0;      // payload of the unfinished cut, in memory and on disk
  std::uint64_t staged_memory_bytes = 0;  // of it in memory: limits::kStageMemoryBytes at most
  std::string held;                    // why we do not apply: "mass_delete", "disk_full", ...
  std::string held_text;               // the same for people, with numbers
  std::string peer_held;               // why the hub does not apply what we publish
  std::uint64_t generation = 0;        // the hub's count of our instances
  std::uint64_t session = 0;
  std::uint64_t registry_version = 0;  // grows when the hub's type table replaced ours
  std::optional<LastError> last_error;
  Duration retry_in{};                 // until the next attempt when disconnected
  Counters counters;
};

}  // namespace zonesync::client

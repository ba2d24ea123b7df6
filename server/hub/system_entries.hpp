// The hub's own state as entries of the log: whoever has the log has everything.
//
// System entries have a type that begins with '$', origin `global`, no mesh, and JSON text as spec.
// No view admits them; the API refuses to write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/model/resource.hpp"
#include "protocol/model/sync_mode.hpp"
#include "protocol/model/verdict.hpp"
#include "server/hub/write.hpp"
#include "server/hub/zone_scope.hpp"

namespace zonesync::hub {

inline constexpr std::string_view kZoneType = "$zone";                // name = zone
inline constexpr std::string_view kUpCursorType = "$up-cursor";       // name = zone
inline constexpr std::string_view kOfferType = "$up-offer";           // name = zone.fingerprint
inline constexpr std::string_view kViewsType = "$views";              // name = zone
inline constexpr std::string_view kTypeType = "$type";                // name = the type's
inline constexpr std::string_view kIdempotencyType = "$idempotency";  // name = hash of the key

/// A registered zone. `retired` are the newest instances that were superseded.
struct ZoneRecord {
  std::string name;
  bool enabled = true;
  bool paused = false;              // the hub sends it no data
  ZoneScope scope;
  bool deleting = false;            // a deletion is under way and survives a restart
  std::int64_t registered_at_ms = 0;
  std::int64_t first_seen_ms = 0;   // 0 = never connected
  Generation generation;
  InstanceId instance;
  std::vector<InstanceId> retired;
  std::optional<SyncMode> forced_mode;  // by an operator; nothing = as configured
  friend bool operator==(const ZoneRecord&, const ZoneRecord&) = default;
};
inline constexpr std::size_t kRetiredInstancesMax = 8;

/// What the hub durably applied of a zone's log.
struct UpCursorRecord {
  std::string zone;
  Id128 log_id;
  Cursor cursor;
  bool unfinished = false;  // pieces of a cut behind it are stored, its end is not (FLOW-19)
  friend bool operator==(const UpCursorRecord&, const UpCursorRecord&) = default;
};

/// A key where what the zone offers differs from what the hub's log holds: a rejected version, or
/// an unconfirmed one (kept from before a partial log, protocol.md §4.9).
struct OfferRecord {
  std::string zone;
  ResourceKey key;
  bool unconfirmed = false;
  Class cls;              // of the rejected version
  Hash128 hash;
  Revision revision;      // in the zone's log
  Reject reject;
  std::int64_t at_ms = 0;
  friend bool operator==(const OfferRecord&, const OfferRecord&) = default;
};

/// The answer to a request that carried an idempotency key. Keys of outcomes are not kept: the
/// same request names them again.
struct IdempotencyRecord {
  std::string key;
  Hash128 request_hash;
  WriteResult result;
};

[[nodiscard]] bool is_system_type(std::string_view type);
[[nodiscard]] ResourceKey system_key(std::string_view type, std::string name);
[[nodiscard]] ResourceKey zone_key(const std::string& zone);
[[nodiscard]] ResourceKey up_cursor_key(const std::string& zone);
[[nodiscard]] ResourceKey offer_key(const std::string& zone, const ResourceKey& key);
[[nodiscard]] ResourceKey idempotency_key_of(const std::string& key);

[[nodiscard]] Change encode(const ZoneRecord& record);
[[nodiscard]] Change encode(const UpCursorRecord& record);
[[nodiscard]] Change encode(const OfferRecord& record);
[[nodiscard]] Change encode(const IdempotencyRecord& record);
[[nodiscard]] Change system_leave(const ResourceKey& key);

/// Errors: storage_corrupt (not what this build or an older one wrote).
[[nodiscard]] Result<ZoneRecord> decode_zone(const Change& change);
[[nodiscard]] Result<UpCursorRecord> decode_up_cursor(const Change& change);
[[nodiscard]] Result<OfferRecord> decode_offer(const Change& change);
[[nodiscard]] Result<IdempotencyRecord> decode_idempotency(const Change& change);

}  // namespace zonesync::hub

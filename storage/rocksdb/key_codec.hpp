// Order-preserving keys of the log's RocksDB store (docs/storage-format.md). Names may hold any
// byte: in a part, 0x00 is written 0x00 0xff, and 0x00 0x01 ends the part.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/model/log.hpp"
#include "storage/lineage.hpp"
#include "storage/log_rules.hpp"
#include "storage/trim_floors.hpp"

namespace zonesync::rocksdb_store {

// Family `log`: revision, index; in the second range behind a byte that no revision begins with.
enum class LogRange : std::uint8_t { viewed, aside };
struct LogKey {
  LogRange range = LogRange::viewed;
  Position position;
};
[[nodiscard]] std::string log_key(Position position, LogRange range = LogRange::viewed);
[[nodiscard]] std::optional<LogKey> parse_log_key(std::string_view key);
/// Behind the last key of a range.
[[nodiscard]] std::string range_end(LogRange range);

// Family `latest`: type, mesh, origin, name, tag.
[[nodiscard]] std::string latest_key(const log_rules::Slot& slot);
[[nodiscard]] std::optional<log_rules::Slot> parse_latest_key(std::string_view key);
/// Common start of the keys of all classes of `key`.
[[nodiscard]] std::string latest_prefix(const ResourceKey& key);
/// Common start of what a listing may contain.
[[nodiscard]] std::string latest_prefix(const ListFilter& filter);
/// First key behind everything that starts with `prefix` (which ends a part, or is empty).
[[nodiscard]] std::string prefix_end(std::string prefix);

/// `sealed`: `entry.hash` is the shown hash (storage/sealing); the log entry holds the true one.
[[nodiscard]] std::string latest_value(const LatestEntry& entry, bool sealed = false);
[[nodiscard]] bool is_sealed_latest(std::string_view value);
[[nodiscard]] std::optional<LatestEntry> parse_latest(std::string_view key, std::string_view value);

/// Versions of the layout. 1 had no floors and no running hash, 2 no sealed entries, 3 no second
/// range and no floors of types, 4 no total of the digests: all are taken over at open.
inline constexpr std::uint64_t kFormatVersion = 5;
inline constexpr std::uint64_t kOldestFormat = 1;
/// Errors: unsupported (names both versions and what to do).
[[nodiscard]] Status check_format(std::uint64_t version, const std::string& path);

// Default family: identity and bounds of the log.
inline constexpr std::string_view kFormatKey = "format";
inline constexpr std::string_view kLogIdKey = "log_id";
inline constexpr std::string_view kCompleteKey = "complete";
inline constexpr std::string_view kHeadKey = "head";
inline constexpr std::string_view kEraPrefix = "era/";
inline constexpr std::string_view kSegmentPrefix = "seg/";
inline constexpr std::string_view kDigestPrefix = "digest/";
inline constexpr std::string_view kDigestTotalKey = "digests";

inline constexpr std::string_view kSealKeyPrefix = "sealkey/";
inline constexpr std::string_view kResealKey = "reseal";
inline constexpr std::string_view kTrimKey = "trim";
inline constexpr std::string_view kLossKey = "loss";
inline constexpr std::string_view kRestoredKey = "restored";

inline constexpr std::string_view kAsidePrefix = "aside/";

/// Floors, and how far trimming came: entries at or before these positions were looked at.
struct TrimState {
  TrimFloors floors;
  Revision segments_swept;
  friend bool operator==(const TrimState&, const TrimState&) = default;
};
[[nodiscard]] std::string trim_value(const TrimState& trim);
[[nodiscard]] std::optional<TrimState> parse_trim(std::string_view value);
/// Since when changes of a pattern of classes (storage/trim_floors.hpp) go to the second range.
struct AsideMark {
  Revision since;          // those up to here lie in the first
  bool moved = false;      // the rule changed meanwhile: either range may hold one
  friend bool operator==(const AsideMark&, const AsideMark&) = default;
};
[[nodiscard]] std::string aside_key(const Class& pattern);
[[nodiscard]] std::optional<Class> parse_aside_key(std::string_view key);
[[nodiscard]] std::string aside_value(const AsideMark& mark);
[[nodiscard]] std::optional<AsideMark> parse_aside(std::string_view value);
[[nodiscard]] std::string loss_value(const LossRecord& loss);
[[nodiscard]] std::optional<LossRecord> parse_loss(std::string_view value);
[[nodiscard]] std::string restored_value(const RestoreRecord& restored);
[[nodiscard]] std::optional<RestoreRecord> parse_restored(std::string_view value);
/// The running hash behind a segment; nothing for a segment written without (format 1).
[[nodiscard]] std::string chain_value(const Hash128& chain);
[[nodiscard]] std::optional<Hash128> parse_chain(std::string_view value);

[[nodiscard]] std::string numbered_key(std::string_view prefix, std::uint64_t number);
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view key,
                                                        std::string_view prefix);
[[nodiscard]] std::string digest_key(const Class& cls);
[[nodiscard]] std::optional<Class> parse_digest_key(std::string_view key);
[[nodiscard]] std::string digest_value(const Digest& digest);
[[nodiscard]] std::optional<Digest> parse_digest(std::string_view value);
[[nodiscard]] std::string era_value(const EraRecord& era);
[[nodiscard]] std::optional<EraRecord> parse_era(std::string_view value);
[[nodiscard]] std::string number_value(std::uint64_t number);
[[nodiscard]] std::optional<std::uint64_t> parse_number_value(std::string_view value);

}  // namespace zonesync::rocksdb_store

#include "storage/rocksdb/key_codec.hpp"

#include <array>

#include "storage/byte_codec.hpp"
#include "storage/entry_codec.hpp"

namespace zonesync::rocksdb_store {
namespace {

constexpr char kEscape = '\x00';
constexpr char kEscapedZero = '\xff';
constexpr char kPartEnd = '\x01';
constexpr std::uint8_t kSealedLatest = 0x80;
constexpr char kAsideByte = '\xff';       // revisions stay below 2^56
constexpr std::size_t kPositionBytes = 12;

void write_group(ByteWriter& out, const TrimGroup& group) {
  out.u64(group.floor.value);
  write_position(out, group.swept);
  write_position(out, group.tombstones_swept);
}

void append_part(std::string& key, std::string_view part) {
  for (const char byte : part) {
    key.push_back(byte);
    if (byte == kEscape) key.push_back(kEscapedZero);
  }
  key.push_back(kEscape);
  key.push_back(kPartEnd);
}

// Takes one part off the front of `key`.
std::optional<std::string> take_part(std::string_view& key) {
  std::string part;
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (key[i] != kEscape) {
      part.push_back(key[i]);
      continue;
    }
    if (++i == key.size()) return std::nullopt;
    if (key[i] == kPartEnd) {
      key.remove_prefix(i + 1);
      return part;
    }
    if (key[i] != kEscapedZero) return std::nullopt;
    part.push_back(kEscape);
  }
  return std::nullopt;
}

template <std::size_t N>
std::optional<std::array<std::string, N>> take_parts(std::string_view key) {
  std::array<std::string, N> parts;
  for (std::string& part : parts) {
    auto taken = take_part(key);
    if (!taken) return std::nullopt;
    part = std::move(*taken);
  }
  if (!key.empty()) return std::nullopt;
  return parts;
}

}  // namespace

Status check_format(std::uint64_t version, const std::string& path) {
  if (version >= kOldestFormat && version <= kFormatVersion) return {};
  return fail(ErrorCode::unsupported,
              "the log has format " + std::to_string(version) +
                  ", this version of zonesync reads formats " + std::to_string(kOldestFormat) +
                  " to " + std::to_string(kFormatVersion) + "; use the version that wrote it",
              path);
}

std::string log_key(Position position, LogRange range) {
  ByteWriter out;
  if (range == LogRange::aside) out.u8(static_cast<std::uint8_t>(kAsideByte));
  write_position(out, position);
  return out.take();
}

std::optional<LogKey> parse_log_key(std::string_view key) {
  LogKey parsed;
  if (key.size() > kPositionBytes && key.front() == kAsideByte) {
    parsed.range = LogRange::aside;
    key.remove_prefix(1);
  }
  ByteReader in(key);
  parsed.position = read_position(in);
  if (!in.done()) return std::nullopt;
  return parsed;
}

std::string range_end(LogRange range) {
  return range == LogRange::aside ? std::string() : std::string(1, kAsideByte);
}

std::string latest_prefix(const ResourceKey& key) {
  std::string out;
  append_part(out, key.type);
  append_part(out, key.mesh);
  append_part(out, key.origin);
  append_part(out, key.name);
  return out;
}

std::string latest_prefix(const ListFilter& filter) {
  std::string out;
  if (filter.all_types) return out;
  append_part(out, filter.type);
  if (!filter.mesh) return out;
  append_part(out, *filter.mesh);
  if (filter.origin) append_part(out, *filter.origin);
  return out;
}

std::string prefix_end(std::string prefix) {
  if (!prefix.empty()) prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

std::string latest_key(const log_rules::Slot& slot) {
  std::string out = latest_prefix(slot.key);
  append_part(out, slot.tag);
  return out;
}

std::optional<log_rules::Slot> parse_latest_key(std::string_view key) {
  auto parts = take_parts<5>(key);
  if (!parts) return std::nullopt;
  auto& [type, mesh, origin, name, tag] = *parts;
  return log_rules::Slot{ResourceKey{std::move(type), std::move(mesh), std::move(origin),
                                     std::move(name)},
                         std::move(tag)};
}

std::string latest_value(const LatestEntry& entry, bool sealed) {
  ByteWriter out;
  out.u8(static_cast<std::uint8_t>(entry.kind) | (sealed ? kSealedLatest : 0));
  out.id(entry.hash.id);
  write_position(out, entry.position);
  return out.take();
}

bool is_sealed_latest(std::string_view value) {
  return !value.empty() && (static_cast<std::uint8_t>(value.front()) & kSealedLatest) != 0;
}

std::optional<LatestEntry> parse_latest(std::string_view key, std::string_view value) {
  auto slot = parse_latest_key(key);
  if (!slot) return std::nullopt;
  ByteReader in(value);
  LatestEntry entry;
  const std::uint8_t kind = in.u8() & ~kSealedLatest;
  entry.kind = static_cast<ChangeKind>(kind);
  entry.hash.id = in.id();
  entry.position = read_position(in);
  if (!in.done() || !is_kind(kind)) return std::nullopt;
  entry.cls = log_rules::class_of_slot(*slot);
  entry.key = std::move(slot->key);
  return entry;
}

std::string numbered_key(std::string_view prefix, std::uint64_t number) {
  ByteWriter out;
  out.raw(prefix);
  out.u64(number);
  return out.take();
}

std::optional<std::uint64_t> parse_number(std::string_view key, std::string_view prefix) {
  if (key.substr(0, prefix.size()) != prefix) return std::nullopt;
  return parse_number_value(key.substr(prefix.size()));
}

std::string digest_key(const Class& cls) {
  std::string out(kDigestPrefix);
  append_part(out, cls.type);
  append_part(out, cls.mesh);
  append_part(out, cls.origin);
  append_part(out, cls.tag);
  return out;
}

std::optional<Class> parse_digest_key(std::string_view key) {
  if (key.substr(0, kDigestPrefix.size()) != kDigestPrefix) return std::nullopt;
  auto parts = take_parts<4>(key.substr(kDigestPrefix.size()));
  if (!parts) return std::nullopt;
  auto& [type, mesh, origin, tag] = *parts;
  return Class{std::move(type), std::move(mesh), std::move(origin), std::move(tag)};
}

std::string digest_value(const Digest& digest) {
  ByteWriter out;
  out.u64(digest.high);
  out.u64(digest.low);
  out.u64(digest.count);
  return out.take();
}

std::optional<Digest> parse_digest(std::string_view value) {
  ByteReader in(value);
  Digest digest;
  digest.high = in.u64();
  digest.low = in.u64();
  digest.count = in.u64();
  if (!in.done()) return std::nullopt;
  return digest;
}

std::string era_value(const EraRecord& era) {
  ByteWriter out;
  out.id(era.id.id);
  out.u64(era.start.value);
  return out.take();
}

std::optional<EraRecord> parse_era(std::string_view value) {
  ByteReader in(value);
  EraRecord era;
  era.id.id = in.id();
  era.start.value = in.u64();
  if (!in.done()) return std::nullopt;
  return era;
}

std::string loss_value(const LossRecord& loss) {
  ByteWriter out;
  out.u8(static_cast<std::uint8_t>(loss.lineage));
  out.u64(loss.found.value);
  out.u64(loss.known.value);
  return out.take();
}

std::optional<LossRecord> parse_loss(std::string_view value) {
  ByteReader in(value);
  LossRecord loss;
  const std::uint8_t lineage = in.u8();
  loss.found.value = in.u64();
  loss.known.value = in.u64();
  loss.lineage = static_cast<Lineage>(lineage);
  const bool known = loss.lineage == Lineage::rewound || loss.lineage == Lineage::diverged;
  return in.done() && known ? std::optional(loss) : std::nullopt;
}

std::string restored_value(const RestoreRecord& restored) {
  ByteWriter out;
  out.u64(restored.revision.value);
  out.u64(static_cast<std::uint64_t>(restored.at_ms));
  return out.take();
}

std::optional<RestoreRecord> parse_restored(std::string_view value) {
  ByteReader in(value);
  RestoreRecord restored;
  restored.revision.value = in.u64();
  restored.at_ms = static_cast<std::int64_t>(in.u64());
  return in.done() ? std::optional(restored) : std::nullopt;
}

std::string trim_value(const TrimState& trim) {
  const TrimFloors& floors = trim.floors;
  ByteWriter out;
  out.u64(floors.rest.floor.value);
  out.u64(floors.tombstone_floor.value);
  write_position(out, floors.rest.swept);
  write_position(out, floors.rest.tombstones_swept);
  out.u64(trim.segments_swept.value);
  for (const auto& [type, group] : floors.types) {
    out.text(type);
    write_group(out, group);
  }
  return out.take();
}

std::optional<TrimState> parse_trim(std::string_view value) {
  ByteReader in(value);
  TrimState trim;
  TrimFloors& floors = trim.floors;
  floors.rest.floor.value = in.u64();
  floors.tombstone_floor.value = in.u64();
  floors.rest.swept = read_position(in);
  floors.rest.tombstones_swept = read_position(in);
  trim.segments_swept.value = in.u64();
  while (in.ok() && !in.done()) {
    const std::string type(in.text());
    TrimGroup group;
    group.floor.value = in.u64();
    group.swept = read_position(in);
    group.tombstones_swept = read_position(in);
    floors.types.emplace(type, group);
  }
  if (!in.done()) return std::nullopt;
  return trim;
}

std::string aside_key(const Class& pattern) {
  std::string out(kAsidePrefix);
  append_part(out, pattern.type);
  append_part(out, pattern.origin);
  append_part(out, pattern.tag);
  return out;
}

std::optional<Class> parse_aside_key(std::string_view key) {
  if (!key.starts_with(kAsidePrefix)) return std::nullopt;
  auto parts = take_parts<3>(key.substr(kAsidePrefix.size()));
  if (!parts) return std::nullopt;
  auto& [type, origin, tag] = *parts;
  return Class{std::move(type), {}, std::move(origin), std::move(tag)};
}

std::string aside_value(const AsideMark& mark) {
  ByteWriter out;
  out.u64(mark.since.value);
  out.u8(mark.moved ? 1 : 0);
  return out.take();
}

std::optional<AsideMark> parse_aside(std::string_view value) {
  ByteReader in(value);
  AsideMark mark;
  mark.since.value = in.u64();
  mark.moved = in.u8() != 0;
  if (!in.done()) return std::nullopt;
  return mark;
}

std::string chain_value(const Hash128& chain) {
  ByteWriter out;
  out.id(chain.id);
  return out.take();
}

std::optional<Hash128> parse_chain(std::string_view value) {
  ByteReader in(value);
  const Hash128 chain{in.id()};
  if (!in.done()) return std::nullopt;
  return chain;
}

std::string number_value(std::uint64_t number) {
  ByteWriter out;
  out.u64(number);
  return out.take();
}

std::optional<std::uint64_t> parse_number_value(std::string_view value) {
  ByteReader in(value);
  const std::uint64_t number = in.u64();
  if (!in.done()) return std::nullopt;
  return number;
}

}  // namespace zonesync::rocksdb_store

#include "protocol/model/ids.hpp"

#include <cstring>

#include <xxhash.h>

#include "protocol/model/canonical_bytes.hpp"
#include "protocol/model/limits.hpp"
#include "protocol/model/utf8.hpp"

namespace zonesync {
namespace {

Id128 from_xxh(XXH128_hash_t hash) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  Id128 id;
  static_assert(sizeof canonical == sizeof id.bytes);
  std::memcpy(id.bytes.data(), &canonical, sizeof canonical);
  return id;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool alphanumeric_lower(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

std::string to_hex(const Id128& id) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(32);
  for (const std::uint8_t byte : id.bytes) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 0xf]);
  }
  return text;
}

std::optional<Id128> id128_from_hex(std::string_view hex) {
  if (hex.size() != 32) return std::nullopt;
  Id128 id;
  for (std::size_t i = 0; i < 16; ++i) {
    const int high = hex_value(hex[2 * i]);
    const int low = hex_value(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    id.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return id;
}

Hash128 hash_bytes(std::string_view bytes) {
  return Hash128{from_xxh(XXH3_128bits(bytes.data(), bytes.size()))};
}

std::string to_string(const ResourceKey& key) {
  return key.type + '/' + (key.mesh.empty() ? "-" : key.mesh) + '/' + key.name + '@' + key.origin;
}

Id128 fingerprint(const ResourceKey& key) {
  std::string text;
  text.reserve(key.type.size() + key.mesh.size() + key.origin.size() + key.name.size() + 16);
  append_field(text, key.type);
  append_field(text, key.mesh);
  append_field(text, key.origin);
  append_field(text, key.name);
  return hash_bytes(text).id;
}

Status check_zone_name(std::string_view name) {
  if (name.empty() || name.size() > limits::kZoneNameMaxBytes) {
    return fail(ErrorCode::invalid_argument, "a zone name has 1 to 63 characters", "zone");
  }
  if (name == kGlobalOrigin) {
    return fail(ErrorCode::invalid_argument, "the zone name 'global' is reserved", "zone");
  }
  for (const char c : name) {
    if (!alphanumeric_lower(c) && c != '-') {
      return fail(ErrorCode::invalid_argument,
                  "a zone name consists of lowercase letters, digits and '-'", "zone");
    }
  }
  if (!alphanumeric_lower(name.front()) || !alphanumeric_lower(name.back())) {
    return fail(ErrorCode::invalid_argument,
                "a zone name starts and ends with a letter or digit", "zone");
  }
  return {};
}

Status check_resource_name(std::string_view name, std::string_view field) {
  if (name.empty() || name.size() > limits::kNameMaxBytes) {
    return fail(ErrorCode::invalid_argument, "a name has 1 to 253 bytes", std::string(field));
  }
  for (std::size_t i = 0; i < name.size();) {
    const auto c = static_cast<unsigned char>(name[i]);
    if (c < 0x20 || c == 0x7f) {
      return fail(ErrorCode::invalid_argument, "a name holds no control characters",
                  std::string(field));
    }
    if (c == '/') {
      return fail(ErrorCode::invalid_argument, "a name holds no '/'", std::string(field));
    }
    const Utf8Sequence sequence = utf8_sequence(name.substr(i));
    const bool control = sequence.point >= 0x80 && sequence.point <= 0x9f;
    if (sequence.length == 0 || control) {
      return fail(ErrorCode::invalid_argument,
                  "a name is valid UTF-8 without control characters", std::string(field));
    }
    i += sequence.length;
  }
  return {};
}

}  // namespace zonesync

namespace std {
size_t hash<zonesync::Id128>::operator()(const zonesync::Id128& id) const noexcept {
  size_t value = 0;
  memcpy(&value, id.bytes.data(), sizeof value);
  return value;
}
size_t hash<zonesync::ResourceKey>::operator()(const zonesync::ResourceKey& key) const noexcept {
  return hash<zonesync::Id128>()(zonesync::fingerprint(key));
}
size_t hash<zonesync::Class>::operator()(const zonesync::Class& cls) const noexcept {
  return hash<zonesync::Id128>()(
      zonesync::fingerprint({cls.type, cls.mesh, cls.origin, cls.tag}));
}
}  // namespace std

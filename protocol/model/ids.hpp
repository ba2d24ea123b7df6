// Identities of the protocol: resource keys, revisions, eras, cursors, hashes.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/model/result.hpp"

namespace zonesync {

/// The reserved origin of everything that the global control plane owns.
inline constexpr std::string_view kGlobalOrigin = "global";

/// Place in a log's one order over all types; 0 = before the first transaction.
struct Revision {
  std::uint64_t value = 0;
  friend auto operator<=>(const Revision&, const Revision&) = default;
  [[nodiscard]] Revision next() const { return Revision{value + 1}; }
};

/// 128 bits, compared only for equality and order; text form is 32 lowercase hex digits.
struct Id128 {
  std::array<std::uint8_t, 16> bytes{};
  friend auto operator<=>(const Id128&, const Id128&) = default;
  [[nodiscard]] bool is_zero() const { return *this == Id128{}; }
};
[[nodiscard]] std::string to_hex(const Id128& id);
[[nodiscard]] std::optional<Id128> id128_from_hex(std::string_view hex);

/// Random id that a log appends each time its store is opened for writing (protocol.md §1).
struct EraId {
  Id128 id;
  friend auto operator<=>(const EraId&, const EraId&) = default;
};
/// Identity of a set of admitted classes; equal ids admit equal sets.
struct ViewId {
  Id128 id;
  friend auto operator<=>(const ViewId&, const ViewId&) = default;
};
/// Random identity of one agent process.
struct InstanceId {
  Id128 id;
  friend auto operator<=>(const InstanceId&, const InstanceId&) = default;
};
/// xxh3-128 of a canonical record: detects accidents, never decides authority.
struct Hash128 {
  Id128 id;
  friend auto operator<=>(const Hash128&, const Hash128&) = default;
};
[[nodiscard]] Hash128 hash_bytes(std::string_view bytes);

/// The hub's durable count of a zone's agent instances; 0 = none yet.
struct Generation {
  std::uint64_t value = 0;
  friend auto operator<=>(const Generation&, const Generation&) = default;
};
struct SessionId {
  std::uint64_t value = 0;
  friend auto operator<=>(const SessionId&, const SessionId&) = default;
};

/// What a receiver has durably applied: everything of `view` up to `revision` of the log that was
/// in `era` at that revision.
struct Cursor {
  EraId era;
  Revision revision;
  ViewId view;
  friend bool operator==(const Cursor&, const Cursor&) = default;
};

/// Identity of a resource. `mesh` is empty for global-scoped types; `origin` is `global` or the
/// name of the owning zone. No part is ever rewritten on the way (no name mangling).
struct ResourceKey {
  std::string type;
  std::string mesh;
  std::string origin;
  std::string name;
  friend auto operator<=>(const ResourceKey&, const ResourceKey&) = default;
};
/// `Type/mesh/name@origin`, with `-` for an empty mesh: for logs and error texts.
[[nodiscard]] std::string to_string(const ResourceKey& key);
/// 128-bit fingerprint over all four parts, length-prefixed so that no two keys run together.
[[nodiscard]] Id128 fingerprint(const ResourceKey& key);

/// The granularity of visibility: a view admits or refuses whole classes. `tag` is the projection
/// of a resource on the scope labels of its type (see scope.hpp).
struct Class {
  std::string type;
  std::string mesh;
  std::string origin;
  std::string tag;
  friend auto operator<=>(const Class&, const Class&) = default;
};

/// Zone names: 1-63 characters of [a-z0-9-], starting and ending alphanumeric; `global` is taken.
[[nodiscard]] Status check_zone_name(std::string_view name);
/// Resource and mesh names: 1-253 bytes of valid UTF-8 without control characters or '/'.
[[nodiscard]] Status check_resource_name(std::string_view name, std::string_view field);

}  // namespace zonesync

namespace std {
template <>
struct hash<zonesync::Id128> {
  size_t operator()(const zonesync::Id128& id) const noexcept;
};
template <>
struct hash<zonesync::ResourceKey> {
  size_t operator()(const zonesync::ResourceKey& key) const noexcept;
};
template <>
struct hash<zonesync::Class> {
  size_t operator()(const zonesync::Class& cls) const noexcept;
};
}  // namespace std

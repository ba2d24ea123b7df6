// Which resource types exist, who provides them and where they travel.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/model/ids.hpp"
#include "protocol/model/limits.hpp"

namespace zonesync {

enum class TypeScope : std::uint8_t { global, mesh };

/// One registered type. Directions follow Kuma's flags (docs/types.md has the table).
struct TypeInfo {
  std::string name;     // "MeshTimeout"
  std::string plural;   // REST path segment, "meshtimeouts"
  TypeScope scope = TypeScope::mesh;
  bool global_to_zones = false;      // the global side provides it, every zone receives it
  bool zone_to_global = false;       // zones provide it, the hub receives it
  bool synced_across_zones = false;  // what one zone provides reaches the other zones
  bool provided_by_global = false;   // may be written at the hub with origin global
  bool legacy = false;               // Kuma's flat form: all other top-level fields are the spec
  bool sensitive = false;
  int rank = 100;                    // apply order inside a cut: lower first; removes reversed
  std::size_t max_bytes = limits::kResourceMaxBytes;
  std::vector<std::string> scope_labels;  // labels projected into the class tag
  friend bool operator==(const TypeInfo&, const TypeInfo&) = default;
};

/// Immutable after construction; share as `std::shared_ptr<const TypeRegistry>`.
class TypeRegistry {
 public:
  /// Kuma 2.14's table plus the legacy types of 2.5 (reference in docs/types.md).
  [[nodiscard]] static TypeRegistry with_default_types();

  /// Adds one type. Errors: conflict (name or plural taken), invalid_argument (bad name).
  Status add(TypeInfo info);
  /// nullptr when not registered.
  [[nodiscard]] const TypeInfo* find(std::string_view type) const;
  [[nodiscard]] const TypeInfo* find_plural(std::string_view plural) const;
  /// As find(), with an error that helps. Errors: not_found (names the nearest type and the command
  /// that registers one).
  [[nodiscard]] Result<const TypeInfo*> require(std::string_view type) const;
  /// Nearest registered name for hints; empty when nothing is near.
  [[nodiscard]] std::string nearest(std::string_view type) const;
  /// Sorted by name.
  [[nodiscard]] std::vector<const TypeInfo*> all() const;
  /// Fingerprint over every field of every type that decides a view.
  [[nodiscard]] Id128 fingerprint() const;

 private:
  std::map<std::string, TypeInfo, std::less<>> by_name_;
  std::map<std::string, std::string, std::less<>> by_plural_;
};

}  // namespace zonesync

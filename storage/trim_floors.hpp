// How far a log may forget and how far it came: one floor for most types, own ones for types with a
// retention of their own. Pure; the rules of ChangeLog::trim that every implementation shares.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "storage/change_log.hpp"

namespace zonesync {

/// Types that share a floor.
struct TrimGroup {
  Revision floor;
  Position swept = Position::start();             // superseded: looked at everything up to here
  Position tombstones_swept = Position::start();
  friend bool operator==(const TrimGroup&, const TrimGroup&) = default;
};

struct TrimFloors {
  TrimGroup rest;                                 // types without a floor of their own
  std::map<std::string, TrimGroup, std::less<>> types;
  Revision tombstone_floor;
  friend bool operator==(const TrimFloors&, const TrimFloors&) = default;

  [[nodiscard]] const TrimGroup& group_of(std::string_view type) const;
  [[nodiscard]] Revision floor_of(std::string_view type) const { return group_of(type).floor; }
  [[nodiscard]] Revision highest() const;
  /// Below it no scan needs a segment end.
  [[nodiscard]] Revision lowest() const;
  /// The highest of all groups but the types that are wholly aside.
  [[nodiscard]] Revision highest_viewed(const AsideRule& aside) const;
  /// Leaves of a group go up to here: behind it a leave's predecessor may still be there.
  [[nodiscard]] Revision tombstones_of(const TrimGroup& group) const {
    return std::min(tombstone_floor, group.floor);
  }
  /// Floors only rise. A type that gets a floor of its own keeps what was swept; one that is no
  /// longer named follows `floor`, and is dropped when both came equally far.
  void raise(const TrimRequest& request);
  /// A log that lost everything after `revision`.
  void rewind_to(Revision revision);
  /// Calls `visit(type, group)` for every group; no type = the rest. False ends the walk.
  template <class Visit>
  bool each_group(const Visit& visit) {
    if (!visit(std::optional<std::string_view>(), rest)) return false;
    for (auto& [type, group] : types) {
      if (!visit(std::optional<std::string_view>(type), group)) return false;
    }
    return true;
  }
  /// Whether entries of `type` are the business of that group.
  [[nodiscard]] bool in_group(std::string_view type,
                              const std::optional<std::string_view>& group) const {
    return group ? type == *group : types.find(type) == types.end();
  }
};

/// What stands for a class where only the rule of the second range matters: its type, whether it is
/// the hub's own or a zone's, whether it stays at home. Mesh, zone and other tags decide nothing.
[[nodiscard]] Class aside_pattern(const Class& cls);

}  // namespace zonesync

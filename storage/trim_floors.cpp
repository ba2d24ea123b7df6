#include "storage/trim_floors.hpp"

#include <algorithm>

#include "protocol/model/scope.hpp"

namespace zonesync {

const TrimGroup& TrimFloors::group_of(std::string_view type) const {
  const auto own = types.find(type);
  return own == types.end() ? rest : own->second;
}

Revision TrimFloors::highest() const {
  Revision highest = rest.floor;
  for (const auto& [type, group] : types) highest = std::max(highest, group.floor);
  return highest;
}

Revision TrimFloors::lowest() const {
  Revision lowest = rest.floor;
  for (const auto& [type, group] : types) lowest = std::min(lowest, group.floor);
  return lowest;
}

Revision TrimFloors::highest_viewed(const AsideRule& aside) const {
  Revision highest = rest.floor;
  for (const auto& [type, group] : types) {
    const bool wholly = aside && aside(aside_pattern({type, {}, std::string(kGlobalOrigin), {}})) &&
                        aside(aside_pattern({type, {}, {}, {}}));
    if (!wholly) highest = std::max(highest, group.floor);
  }
  return highest;
}

void TrimFloors::raise(const TrimRequest& request) {
  for (const auto& [type, floor] : request.type_floors) {
    TrimGroup& own = types.try_emplace(type, rest).first->second;
    own.floor = std::max(own.floor, floor);
  }
  rest.floor = std::max(rest.floor, request.floor);
  tombstone_floor = std::max(tombstone_floor, request.tombstone_floor);
  for (auto it = types.begin(); it != types.end();) {
    const bool named = request.type_floors.contains(it->first);
    if (!named) it->second.floor = std::max(it->second.floor, request.floor);
    it = !named && it->second == rest ? types.erase(it) : std::next(it);
  }
}

void TrimFloors::rewind_to(Revision revision) {
  tombstone_floor = std::min(tombstone_floor, revision);
  each_group([&](const auto&, TrimGroup& group) {
    group.floor = std::min(group.floor, revision);
    group.swept = std::min(group.swept, Position::end_of(revision));
    group.tombstones_swept = std::min(group.tombstones_swept, Position::end_of(revision));
    return true;
  });
}

Class aside_pattern(const Class& cls) {
  const bool global = cls.origin == kGlobalOrigin;
  return Class{cls.type, {}, global ? cls.origin : std::string("zone"),
               cls.tag == kHomeTag ? cls.tag : std::string()};
}

}  // namespace zonesync

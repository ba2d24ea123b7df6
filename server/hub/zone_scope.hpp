// What the operator lets a zone see.
#pragma once

#include <set>
#include <string>

#include "protocol/model/scope.hpp"

namespace zonesync::hub {

/// Empty = everything; a zone's request or token only narrows it.
struct ZoneScope {
  std::set<std::string> types;
  std::set<std::string> meshes;
  LabelScope labels;                // scope labels that types declare
  friend bool operator==(const ZoneScope&, const ZoneScope&) = default;
};

}  // namespace zonesync::hub

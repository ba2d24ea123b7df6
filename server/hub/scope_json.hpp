// A zone's scope as JSON: in system entries and at REST.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "server/hub/zone_scope.hpp"

namespace zonesync::hub {

/// {"types": [..], "meshes": [..], "labels": {label: [value..]}}.
[[nodiscard]] boost::json::object scope_to_json(const ZoneScope& scope);
/// Throws what Boost.JSON throws when a member has another type; absent members are empty.
[[nodiscard]] ZoneScope scope_from_json(const boost::json::object& body);

[[nodiscard]] boost::json::array names_to_json(const std::set<std::string>& names);
[[nodiscard]] std::set<std::string> names_from_json(const boost::json::value& names);

}  // namespace zonesync::hub

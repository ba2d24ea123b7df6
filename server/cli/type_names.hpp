// Which types the hub knows, and how people may name them.
#pragma once

#include <string_view>

#include <boost/json/value.hpp>

#include "protocol/model/type_registry.hpp"
#include "server/cli/api.hpp"

namespace zonesync::cli {

/// The hub's registry (GET /types); the built-in one when the hub does not show it. Failures: no
/// answer, wrong credential.
[[nodiscard]] Outcome<TypeRegistry> fetch_types(Api& api);

/// Reads an answer of GET /types. What an entry leaves out is taken from the built-in type of that
/// name. Entries that make no sense are left out.
[[nodiscard]] TypeRegistry types_from_json(const boost::json::value& answer);

/// "MeshTimeout", "meshtimeouts", "meshtimeout", "mesh-timeout": case, dashes and the plural do not
/// matter. Failures: usage, with the nearest name.
[[nodiscard]] Outcome<const TypeInfo*> resolve_type(const TypeRegistry& registry,
                                                    std::string_view word);

/// "zone", "zones", "Zones": the zones have commands of their own.
[[nodiscard]] bool means_zones(std::string_view word);

}  // namespace zonesync::cli

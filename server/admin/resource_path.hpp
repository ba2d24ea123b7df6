// Which resource a path means.
#pragma once

#include "protocol/model/type_registry.hpp"
#include "server/admin/call.hpp"

namespace zonesync::admin {

/// Type of the path's {plural} (or "meshes" where the path has none), matching the path's scope.
/// Errors: not_found, with the nearest plural or the path that the type has.
[[nodiscard]] Result<const TypeInfo*> type_of_path(const Call& call, const TypeRegistry& registry);

/// Key of the path with `?origin=` (default global). Errors: as type_of_path, invalid_argument.
[[nodiscard]] Result<ResourceKey> key_of_path(const Call& call, const TypeRegistry& registry);

/// `?origin=` as given. Errors: invalid_argument when it is neither `global` nor a zone name.
[[nodiscard]] Result<std::optional<std::string>> origin_of_query(const Call& call);

}  // namespace zonesync::admin

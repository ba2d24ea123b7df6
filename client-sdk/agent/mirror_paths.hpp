// Where a resource stands in a mirror: `<mesh or _global>/<type>/<origin>/<name>.json`.
#pragma once

#include <string>
#include <string_view>

#include "protocol/model/ids.hpp"

namespace zonesync::agent {

inline constexpr std::string_view kGlobalMeshFolder = "_global";

/// A name as one path component. Bytes outside [A-Za-z0-9._-] become %XX; `.` and `..` become
/// `%2E` and `%2E%2E`; what is then longer than 200 bytes becomes its first bytes, `~` and the hash
/// of the name (`~` stands in no other component, so two names never meet).
[[nodiscard]] std::string encode_component(std::string_view name);

/// As encode_component; an empty mesh is `_global`. A mesh that is really called `_global` or
/// `.cut.json` has its first byte encoded.
[[nodiscard]] std::string encode_mesh(std::string_view mesh);

/// `<mesh>/<type>/<origin>`: the directory whose content changes together.
[[nodiscard]] std::string leaf_path(const ResourceKey& key);
/// `<name>.json`
[[nodiscard]] std::string file_name(const ResourceKey& key);

}  // namespace zonesync::agent

// Reads back what a mirror's directory holds.
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "client-sdk/agent/mirror.hpp"

namespace zonesync::agent {

/// Directory ids that a cut's links name. Anything unexpected is skipped.
[[nodiscard]] std::set<std::string> ids_of_cut(const std::filesystem::path& cut);

/// The tree of a cut with the hash of every file as it is on disk. What is not as a mirror makes it
/// comes out without an id or is left out, so that it compares as different. Keys of the leaves and
/// names of the resources are unknown and empty.
[[nodiscard]] MirrorTree read_cut(const std::filesystem::path& cut);

/// Whether two directories hold the same files with the same content.
[[nodiscard]] bool same_files(const MirrorLeaf& a, const MirrorLeaf& b);

}  // namespace zonesync::agent

// Where a parity run gets its resources from: files, or a generator.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "protocol/model/resource.hpp"
#include "protocol/model/result.hpp"
#include "protocol/model/type_registry.hpp"

namespace zonesync::conform::parity {

/// The zone that owns what zones provide.
inline constexpr std::string_view kOwnerZone = "east";

/// Resources in the order of their documents; a key that comes again is a later version.
struct Documents {
  std::string source;                      // for the report
  std::size_t documents = 0;
  std::vector<std::string> skipped;        // "file:line: why"
  std::vector<Resource> versions;          // canonical, origin global or kOwnerZone
  std::vector<std::string> registered;     // types that were registered for the run
  std::shared_ptr<const TypeRegistry> registry;
};

/// Reads YAML streams and JSON files. A type that is not registered, or that does not travel, is
/// registered for the run as global_to_zones. What both sides may provide is shared out by `seed`.
/// Errors: not_found (file), too_large, invalid_argument (a JSON file's syntax).
[[nodiscard]] Result<Documents> read_documents(const std::vector<std::string>& files,
                                               std::uint64_t seed);

struct GenerateOptions {
  std::size_t resources = 30'000;
  std::size_t spec_bytes = 1'000;          // on average; from 30 % to 170 % of it
  std::uint64_t seed = 1;
};

/// A state of that size whose content hardly repeats. The same for the same options.
[[nodiscard]] Documents generate_documents(const GenerateOptions& options);

/// The documents as one YAML stream.
[[nodiscard]] std::string to_yaml(const Documents& documents);

}  // namespace zonesync::conform::parity

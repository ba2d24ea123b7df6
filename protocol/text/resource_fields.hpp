// From a parsed document to a resource: which fields there are and what they must be.
#pragma once

#include <optional>

#include <boost/json/value.hpp>

#include "protocol/model/resource.hpp"
#include "protocol/model/type_registry.hpp"

namespace zonesync::text {

struct FieldRules {
  std::string origin;
  bool lenient = false;
  const ResourceKey* expected = nullptr;  // from a request path: fills gaps, wins over nothing
};

/// Builds the canonical resource. Errors: invalid_argument, not_found (type); `field` is a JSON
/// pointer into the document.
[[nodiscard]] Result<Resource> resource_from_value(boost::json::value document,
                                                   const TypeRegistry& registry,
                                                   const FieldRules& rules);

}  // namespace zonesync::text

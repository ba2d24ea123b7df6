// JSON Schema 2020-12, as much of it as docs/openapi.yaml uses.
#pragma once

#include <string>
#include <vector>

#include <boost/json/value.hpp>

namespace zonesync::admin::testing {

/// What `value` breaks of `schema`, each with the place. References are resolved in `document`. A
/// keyword that this checker does not know is a finding too: silence would look like agreement.
[[nodiscard]] std::vector<std::string> schema_findings(const boost::json::value& document,
                                                       const boost::json::value& schema,
                                                       const boost::json::value& value);
/// The target of a local "#/a/b" reference; nullptr when there is none.
[[nodiscard]] const boost::json::value* resolve(const boost::json::value& document,
                                                const boost::json::value& node);

}  // namespace zonesync::admin::testing

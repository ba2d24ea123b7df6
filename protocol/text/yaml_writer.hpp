// JSON values as YAML that reads back the same under YAML 1.2 and 1.1.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace zonesync::text {

/// Block style, two spaces, members in the order of the value, ending in a newline. Strings that
/// any YAML version could read as something else are quoted.
[[nodiscard]] std::string write_yaml(const boost::json::value& value);
/// One string scalar: plain where that is safe, else a double-quoted JSON string.
[[nodiscard]] std::string yaml_string(std::string_view text);

}  // namespace zonesync::text

// The strict configuration reader: a table of keys, a YAML file, the environment, flags.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "protocol/model/result.hpp"
#include "protocol/text/config_table.hpp"
#include "protocol/text/config_values.hpp"

namespace zonesync::text {

/// Where settings come from; later ones win: default, file, environment, overrides.
struct ConfigSources {
  std::string file_name;  // for error texts
  std::string text;       // the YAML document; empty = no file
  std::map<std::string, std::string> environment;
  std::vector<std::pair<std::string, std::string>> overrides;  // path, text
};

using ConfigErrors = std::vector<Error>;

/// Reads every source and reports *all* errors at once, in the order of the sources. Refused:
/// unknown keys (with the nearest known one), keys given twice, wrong types, values out of bounds,
/// missing required keys, and environment variables with the table's prefix that look like a
/// misspelt key (other unknown ones become warnings: tools share the prefix). An error's `field` is
/// `file:line:column`, `environment NAME`, `--set path`, or the key's path.
[[nodiscard]] tl::expected<ConfigValues, ConfigErrors> read_config(const ConfigTable& table,
                                                                   const ConfigSources& sources);

}  // namespace zonesync::text

// Everything people read about settings, generated from the table that reads them.
#pragma once

#include <string>

#include "protocol/text/config_table.hpp"
#include "protocol/text/config_values.hpp"

namespace zonesync::text {

/// A commented YAML file with every key at its default. Required keys are commented out.
[[nodiscard]] std::string config_defaults_yaml(const ConfigTable& table);
/// JSON Schema (draft 2020-12) of the file.
[[nodiscard]] std::string config_json_schema(const ConfigTable& table);
/// A Markdown table of keys, types, defaults, environment names and meanings.
[[nodiscard]] std::string config_markdown(const ConfigTable& table);
/// The configuration in force as YAML; `show_origin` adds where each value came from.
[[nodiscard]] std::string config_effective_yaml(const ConfigTable& table,
                                                const ConfigValues& values, bool show_origin);

}  // namespace zonesync::text

// Settings of `zonesync-agent run`: one YAML file, the environment (ZONESYNC_AGENT_*), flags.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "client-sdk/include/zonesync/config.hpp"
#include "protocol/model/resource.hpp"
#include "protocol/runtime/logger.hpp"
#include "protocol/text/config_table.hpp"
#include "protocol/text/strict_yaml.hpp"

namespace zonesync::agent {

struct AgentConfig {
  client::Config client;              // without clock and logger
  std::filesystem::path mirror_dir;   // empty = no mirror
  std::filesystem::path publish_dir;  // empty = nothing is published
  Duration publish_interval{};
  std::filesystem::path status_file;  // empty = none
  bool log_cuts = false;
  Labels refuse_labels;               // versions with one of these are refused
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::json;
};

[[nodiscard]] const text::ConfigTable& agent_config_table();

/// Reads `file` (empty = none), `environment` and `overrides` (path of the table, text). All errors
/// at once.
[[nodiscard]] tl::expected<AgentConfig, text::ConfigErrors> load_agent_config(
    const std::filesystem::path& file, std::map<std::string, std::string> environment,
    std::vector<std::pair<std::string, std::string>> overrides);

}  // namespace zonesync::agent

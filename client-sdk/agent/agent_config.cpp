#include "client-sdk/agent/agent_config.hpp"

#include <algorithm>

#include "client-sdk/agent/file_io.hpp"

namespace zonesync::agent {
namespace {

using text::ConfigKey;
using text::ConfigType;

constexpr std::size_t kConfigFileMaxBytes = 1u << 20;

text::ConfigTable make_table() {
  text::ConfigTable table;
  table.program = "zonesync-agent";
  table.environment_prefix = "ZONESYNC_AGENT_";
  table.keys = {
      {.path = "hub", .doc = "Where the hub listens for zones: wss://host:port/sync.",
       .required = true},
      {.path = "zone", .doc = "Name of this zone; the token must be for it.", .required = true},
      {.path = "token_file", .doc = "File with the zone's token, read again at every connect."},
      {.path = "ca_file", .doc = "PEM of the hub's CA; empty = the system's trust store."},
      {.path = "client_certificate_file", .doc = "Client certificate (PEM) for a TLS proxy."},
      {.path = "client_key_file", .doc = "Private key of that certificate (PEM)."},
      {.path = "store_dir",
       .doc = "Folder that survives restarts; empty = everything is synced anew each time."},
      {.path = "mirror_dir", .doc = "Folder that shows what the zone received; empty = none."},
      {.path = "types", .type = ConfigType::string_list,
       .doc = "Types to receive; empty = all that the hub grants."},
      {.path = "meshes", .type = ConfigType::string_list,
       .doc = "Meshes to receive; empty = all that the hub grants."},
      {.path = "sync.delta.enabled", .type = ConfigType::boolean, .default_text = "true",
       .doc = "Ask for delta mode; false = complete lists (v1) only.",
       .environment_aliases = {"ZONESYNC_SYNC_DELTA_ENABLED",
                               "KUMA_EXPERIMENTAL_KDS_DELTA_ENABLED"}},
      {.path = "sync.compression", .type = ConfigType::boolean, .default_text = "true",
       .doc = "Offer zstd packets and patches to the hub; never used for sensitive types."},
      {.path = "publish.dir", .doc = "Folder whose documents become resources of this zone."},
      {.path = "publish.interval", .type = ConfigType::duration, .default_text = "1s",
       .doc = "How often that folder is looked at.", .min = 10, .max = 3'600'000},
      {.path = "refuse_labels", .type = ConfigType::string_list,
       .doc = "Labels (key=value): this zone refuses versions that carry one of them."},
      {.path = "status_file", .doc = "JSON file that always shows the agent's state."},
      {.path = "log.cuts", .type = ConfigType::boolean, .default_text = "false",
       .doc = "One log line for every applied and every mirrored cut."},
      {.path = "log.level", .type = ConfigType::choice, .default_text = "info",
       .doc = "Least important events that are logged.",
       .choices = {"debug", "info", "warn", "error"}},
      {.path = "log.format", .type = ConfigType::choice, .default_text = "json",
       .doc = "Form of log lines.", .choices = {"json", "logfmt"}},
  };
  return table;
}

LogLevel level_of(const std::string& word) {
  for (const LogLevel level : {LogLevel::debug, LogLevel::warn, LogLevel::error}) {
    if (to_string(level) == word) return level;
  }
  return LogLevel::info;
}

AgentConfig assemble(const text::ConfigValues& values) {
  AgentConfig config;
  client::Config& client = config.client;
  client.hub_url = values.text("hub");
  client.zone = values.text("zone");
  client.token_file = values.text("token_file");
  client.ca_file = values.text("ca_file");
  client.client_certificate_file = values.text("client_certificate_file");
  client.client_key_file = values.text("client_key_file");
  client.store_dir = values.text("store_dir");
  client.types = values.list("types");
  client.meshes = values.list("meshes");
  client.delta_enabled = values.flag("sync.delta.enabled");
  client.compression = values.flag("sync.compression");
  client.software = "zonesync-agent/" ZONESYNC_VERSION;
  config.mirror_dir = values.text("mirror_dir");
  config.publish_dir = values.text("publish.dir");
  config.publish_interval = values.duration("publish.interval");
  config.status_file = values.text("status_file");
  for (const std::string& label : values.list("refuse_labels")) {
    const std::size_t equals = std::min(label.find('='), label.size());
    config.refuse_labels[label.substr(0, equals)] =
        equals == label.size() ? std::string() : label.substr(equals + 1);
  }
  config.log_cuts = values.flag("log.cuts");
  config.log_level = level_of(values.text("log.level"));
  config.log_format =
      values.text("log.format") == "json" ? LogFormat::json : LogFormat::logfmt;
  return config;
}

}  // namespace

const text::ConfigTable& agent_config_table() {
  static const text::ConfigTable table = make_table();
  return table;
}

tl::expected<AgentConfig, text::ConfigErrors> load_agent_config(
    const std::filesystem::path& file, std::map<std::string, std::string> environment,
    std::vector<std::pair<std::string, std::string>> overrides) {
  text::ConfigSources sources;
  sources.environment = std::move(environment);
  sources.overrides = std::move(overrides);
  if (!file.empty()) {
    auto content = read_file(file, kConfigFileMaxBytes);
    if (!content) return tl::unexpected(text::ConfigErrors{content.error()});
    sources.file_name = file.string();
    sources.text = std::move(*content);
  }
  auto values = text::read_config(agent_config_table(), sources);
  if (!values) return tl::unexpected(std::move(values.error()));
  AgentConfig config = assemble(*values);
  if (auto status = client::check_config(config.client); !status) {
    return tl::unexpected(text::ConfigErrors{status.error()});
  }
  return config;
}

}  // namespace zonesync::agent

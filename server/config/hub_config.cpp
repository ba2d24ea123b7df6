#include "server/config/hub_config.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <type_traits>

#include <unistd.h>

#include "protocol/model/nearest.hpp"
#include "protocol/text/strict_yaml.hpp"

namespace zonesync {
namespace {

namespace fs = std::filesystem;
using text::ConfigValues;

constexpr std::size_t kConfigFileMaxBytes = 1u << 20;
constexpr long kAutoThreadsMax = 16;

Result<std::string> read_file(const fs::path& file) {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) {
    return fail(ErrorCode::not_found,
                "no such configuration file; make one with: zonesync-hub init --dir DIR",
                file.string());
  }
  if (fs::file_size(file, error) > kConfigFileMaxBytes || error) {
    return fail(ErrorCode::too_large, "a configuration file has at most 1 MiB", file.string());
  }
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream content;
  content << stream.rdbuf();
  if (!stream) {
    return fail(ErrorCode::storage_io, "cannot read the configuration file", file.string());
  }
  return std::move(content).str();
}

bool same_value(const text::ConfigKey& key, const ConfigValues& a, const ConfigValues& b);

bool same_records(const text::ConfigKey& key, const std::vector<ConfigValues>& left,
                  const std::vector<ConfigValues>& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [&key](const ConfigValues& one, const ConfigValues& other) {
                      return std::all_of(
                          key.fields.begin(), key.fields.end(),
                          [&](const auto& field) { return same_value(field, one, other); });
                    });
}

bool same_value(const text::ConfigKey& key, const ConfigValues& a, const ConfigValues& b) {
  if (!a.has(key.path) || !b.has(key.path)) return a.has(key.path) == b.has(key.path);
  const auto equal = [&](const auto& left) {
    using Held = std::decay_t<decltype(left)>;
    const Held* right = std::get_if<Held>(&b.entry(key.path).value);
    if constexpr (std::is_same_v<Held, std::vector<ConfigValues>>) {
      return right != nullptr && same_records(key, left, *right);
    } else {
      return right != nullptr && left == *right;
    }
  };
  return std::visit(equal, a.entry(key.path).value);
}

/// Turns checked values into the struct; collects what only makes sense across values.
/// Life cycle: one object per load. Not thread-safe.
class Assembler {
 public:
  Assembler(const ConfigValues& values, const fs::path& file) : values_(values), file_(file) {}

  HubConfig run() {
    HubConfig config;
    config.name = values_.text("hub.name");
    if (config.name.empty()) refuse("hub.name", "must not be empty");
    config.data_dir = path("hub.data_dir");
    config.storage_dir = path("storage.dir");
    if (config.storage_dir.empty()) config.storage_dir = config.data_dir / "log";
    config.backup_dir = path("storage.backup_dir");
    if (config.backup_dir.empty()) config.backup_dir = config.data_dir / "backups";
    config.storage_sync = values_.text("storage.sync") == "always";
    config.storage_ballast_bytes = values_.bytes("storage.ballast");
    config.encrypt = values_.text("storage.encryption.mode") == "on";
    config.encryption_key_file = path("storage.encryption.key_file");
    config.retention.revisions =
        static_cast<std::uint64_t>(values_.number("storage.retention.revisions"));
    config.retention.age_ms = values_.duration("storage.retention.age").count();
    config.retention.bytes = values_.bytes("storage.retention.bytes");
    config.retention.tombstones_ms = values_.duration("storage.retention.tombstones").count();
    config.listen_sync = endpoint("listen.sync");
    config.listen_api = endpoint("listen.api");
    config.metrics_enabled = !values_.text("listen.metrics").empty();
    if (config.metrics_enabled) config.listen_metrics = endpoint("listen.metrics");
    config.tls_cert_file = path("tls.cert_file");
    config.tls_key_file = path("tls.key_file");
    config.tls_ca_file = path("tls.ca_file");
    config.zone_keys_dir = path("auth.zone_keys_dir");
    config.api_keys_dir = path("auth.api_keys_dir");
    if (config.zone_keys_dir == config.api_keys_dir) {
      refuse("auth.api_keys_dir", "must differ from auth.zone_keys_dir: a zone's token would "
                                  "otherwise verify as a user's");
    }
    config.audience = values_.text("auth.audience");
    if (config.audience.empty()) refuse("auth.audience", "must not be empty");
    config.zones_auto_register = values_.flag("zones.auto_register");
    config.delta_enabled = values_.flag("sync.delta.enabled");
    config.sync_compression = values_.flag("sync.compression");
    config.io_threads = threads();
    config.log_level = values_.text("log.level");
    config.log_format = values_.text("log.format");
    types(config);
    type_retention(config);
    distinct_endpoints(config);
    config.values = values_;
    return config;
  }

  [[nodiscard]] std::vector<Error>& errors() { return errors_; }

 private:
  void refuse(const std::string& key, const std::string& message) {
    const std::string& origin = values_.entry(key).origin;
    errors_.push_back({ErrorCode::invalid_argument, "'" + key + "' " + message,
                       origin == "default" ? key : origin});
  }

  fs::path path(const std::string& key) {
    const fs::path given = values_.text(key);
    if (given.empty() || given.is_absolute()) return given;
    const bool from_file = values_.entry(key).origin.starts_with(file_.string() + ":");
    if (file_.empty() || !from_file) return given;
    return (file_.parent_path() / given).lexically_normal();
  }

  Endpoint endpoint(const std::string& key) {
    const Result<Endpoint> parsed = parse_endpoint(values_.text(key));
    if (parsed) return *parsed;
    refuse(key, parsed.error().message);
    return {};
  }

  void distinct_endpoints(const HubConfig& config) {
    const auto same = [](const Endpoint& a, const Endpoint& b) { return a.port != 0 && a == b; };
    if (same(config.listen_sync, config.listen_api)) {
      refuse("listen.api", "is the address of listen.sync");
    }
    if (!config.metrics_enabled) return;
    if (same(config.listen_metrics, config.listen_sync) ||
        same(config.listen_metrics, config.listen_api)) {
      refuse("listen.metrics", "is the address of another listener");
    }
  }

  std::size_t threads() const {
    const std::int64_t given = values_.number("io.threads");
    if (given > 0) return static_cast<std::size_t>(given);
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);  // -1 when unknown
    return static_cast<std::size_t>(std::clamp(processors, 1L, kAutoThreadsMax));
  }

  void type_retention(HubConfig& config) {
    const auto& records = values_.records("storage.retention.types");
    if (records.size() > kRetentionTypesMax) {
      refuse("storage.retention.types",
             "names " + std::to_string(records.size()) + " types, at most " +
                 std::to_string(kRetentionTypesMax) + " may have a retention of their own");
      return;
    }
    for (const ConfigValues& record : records) {
      HubConfig::Retention own;
      own.revisions = static_cast<std::uint64_t>(record.number("revisions"));
      own.age_ms = record.duration("age").count();
      own.bytes = record.bytes("bytes");
      const std::string type = record.text("type");
      if (type.empty() || !config.type_retention.emplace(type, own).second) {
        errors_.push_back({ErrorCode::invalid_argument,
                           "'storage.retention.types' needs every type once, got '" + type + "'",
                           record.entry("type").origin});
      } else if (config.registry->find(type) == nullptr) {
        // A misspelt one would keep the limits from the type that was meant, unseen.
        errors_.push_back({ErrorCode::invalid_argument,
                           "'storage.retention.types' names type '" + type +
                               "', which this configuration does not know" +
                               did_you_mean(config.registry->nearest(type)) +
                               "; a type of your own must stand under 'types' too, also one that "
                               "was registered while the hub ran",
                           record.entry("type").origin});
      }
    }
  }

  void types(HubConfig& config) {
    TypeRegistry registry = TypeRegistry::with_default_types();
    const auto& records = values_.records("types");
    for (std::size_t i = 0; i < records.size(); ++i) {
      TypeInfo info = type_info(records[i]);
      if (Status added = registry.add(info); added) {
        config.types.push_back(std::move(info));
      } else {
        const std::string& origin = records[i].entry("name").origin;
        errors_.push_back({added.error().code, added.error().message,
                           origin + " types[" + std::to_string(i) + "]." + added.error().field});
      }
    }
    config.registry = std::make_shared<const TypeRegistry>(std::move(registry));
  }

  static TypeInfo type_info(const ConfigValues& record) {
    TypeInfo info;
    info.name = record.text("name");
    info.plural = record.text("plural");
    info.scope = record.text("scope") == "mesh" ? TypeScope::mesh : TypeScope::global;
    info.global_to_zones = record.flag("global_to_zones");
    info.zone_to_global = record.flag("zone_to_global");
    info.synced_across_zones = record.flag("synced_across_zones");
    info.provided_by_global = record.flag("provided_by_global") || info.global_to_zones;
    info.legacy = record.flag("legacy");
    info.sensitive = record.flag("sensitive");
    info.rank = static_cast<int>(record.number("rank"));
    info.max_bytes = record.bytes("max_bytes");
    info.scope_labels = record.list("scope_labels");
    return info;
  }

  const ConfigValues& values_;
  const fs::path& file_;
  std::vector<Error> errors_;
};

}  // namespace

Result<Endpoint> parse_endpoint(const std::string& text) {
  const auto refuse = [&] {
    return fail(ErrorCode::invalid_argument,
                "is an address like 127.0.0.1:5685 or [::1]:5685, got '" + text + "'");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return refuse();
  Endpoint endpoint;
  endpoint.host = text.substr(0, colon);
  const bool bracketed = endpoint.host.size() > 2 && endpoint.host.front() == '[' &&
                         endpoint.host.back() == ']';
  if (bracketed) endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
  const bool bare_ipv6 = !bracketed && endpoint.host.find(':') != std::string::npos;
  const bool strange = endpoint.host.find_first_of("[]/ \t") != std::string::npos;
  if (endpoint.host.empty() || bare_ipv6 || strange) return refuse();
  const char* begin = text.data() + colon + 1;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(begin, end, endpoint.port);
  if (error != std::errc() || stop != end || begin == end) return refuse();
  return endpoint;
}

tl::expected<HubConfig, std::vector<Error>> load_hub_config(const HubConfigSources& sources) {
  text::ConfigSources inputs;
  inputs.environment = sources.environment;
  inputs.overrides = sources.overrides;
  if (!sources.file.empty()) {
    Result<std::string> content = read_file(sources.file);
    if (!content) return tl::unexpected<std::vector<Error>>({std::move(content.error())});
    inputs.file_name = sources.file.string();
    inputs.text = std::move(*content);
  }
  auto values = text::read_config(hub_config_table(), inputs);
  if (!values) return tl::unexpected<std::vector<Error>>(std::move(values.error()));
  Assembler assembler(*values, sources.file);
  HubConfig config = assembler.run();
  if (!assembler.errors().empty()) {
    return tl::unexpected<std::vector<Error>>(std::move(assembler.errors()));
  }
  return config;
}

std::vector<std::string> changed_settings(const HubConfig& before, const HubConfig& after) {
  std::vector<std::string> changed;
  for (const text::ConfigKey& key : hub_config_table().keys) {
    if (!same_value(key, before.values, after.values)) changed.push_back(key.path);
  }
  return changed;
}

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals == text.npos) continue;
    variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

}  // namespace zonesync

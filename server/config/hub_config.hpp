// The hub's configuration: one table of settings, one struct of values.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "protocol/model/result.hpp"
#include "protocol/model/type_registry.hpp"
#include "protocol/text/config_table.hpp"
#include "protocol/text/config_values.hpp"

namespace zonesync {

/// A listening address. `port` 0 = any free one.
struct Endpoint {
  std::string host;  // without brackets
  std::uint16_t port = 0;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};
/// "127.0.0.1:5685", "[::1]:0", "localhost:80". Errors: invalid_argument.
[[nodiscard]] Result<Endpoint> parse_endpoint(const std::string& text);

inline constexpr std::size_t kRetentionTypesMax = 64;

/// Plain values. Paths are absolute or relative to the working directory: relative ones in a file
/// are resolved against the file's folder.
struct HubConfig {
  std::string name;
  std::filesystem::path data_dir;
  std::filesystem::path storage_dir;  // inside data_dir unless set
  std::filesystem::path backup_dir;   // of checkpoints; inside data_dir unless set
  bool storage_sync = true;
  std::uint64_t storage_ballast_bytes = 0;
  bool encrypt = true;                         // values of sensitive types, at rest
  std::filesystem::path encryption_key_file;   // empty = none
  struct Retention {                  // as storage/retention.hpp; all 0 = nothing is trimmed
    std::uint64_t revisions = 0;
    std::int64_t age_ms = 0;
    std::uint64_t bytes = 0;
    std::int64_t tombstones_ms = 0;   // of types always 0: the default's counts
  };
  Retention retention;
  std::map<std::string, Retention, std::less<>> type_retention;  // at most kRetentionTypesMax

  Endpoint listen_sync;
  Endpoint listen_api;
  bool metrics_enabled = true;
  Endpoint listen_metrics;

  std::filesystem::path tls_cert_file;
  std::filesystem::path tls_key_file;
  std::filesystem::path tls_ca_file;  // empty = not told; for ready files and hints only

  std::filesystem::path zone_keys_dir;
  std::filesystem::path api_keys_dir;
  std::string audience;
  bool zones_auto_register = true;

  bool delta_enabled = true;
  bool sync_compression = true;
  std::size_t io_threads = 1;  // at least 1
  std::string log_level;       // "debug", "info", "warn", "error"
  std::string log_format;      // "logfmt", "json"

  std::vector<TypeInfo> types;                     // added to the defaults
  std::shared_ptr<const TypeRegistry> registry;    // defaults plus `types`
  text::ConfigValues values;                       // every setting with its origin, and warnings
};

struct HubConfigSources {
  std::filesystem::path file;                                   // empty = none
  std::map<std::string, std::string> environment;               // see process_environment()
  std::vector<std::pair<std::string, std::string>> overrides;   // key path, text
};

/// Reads and checks everything; all errors at once (a program exits 78 on any).
[[nodiscard]] tl::expected<HubConfig, std::vector<Error>> load_hub_config(
    const HubConfigSources& sources);

/// Paths of the settings in which two configurations differ, in the order of the table. How a value
/// is written, and where it comes from, is no difference.
[[nodiscard]] std::vector<std::string> changed_settings(const HubConfig& before,
                                                        const HubConfig& after);

/// This process's environment. Not thread-safe against setenv.
[[nodiscard]] std::map<std::string, std::string> process_environment();

[[nodiscard]] const text::ConfigTable& hub_config_table();

/// Generated texts: `config defaults`, `config schema`, docs/configuration.md, `config effective`.
[[nodiscard]] std::string hub_config_defaults();
[[nodiscard]] std::string hub_config_schema();
[[nodiscard]] std::string hub_config_page();
[[nodiscard]] std::string hub_config_effective(const HubConfig& config, bool show_origin);

}  // namespace zonesync

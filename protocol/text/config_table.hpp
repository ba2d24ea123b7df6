// One table per program says which settings exist. The reader (strict_yaml), the defaults file, the
// JSON Schema and the docs page (config_docs) all come from it.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace zonesync::text {

enum class ConfigType : std::uint8_t {
  string,
  boolean,
  integer,
  duration,     // "500ms", "10s", "5m", "1h", "7d"; kept in milliseconds
  size,         // "64KiB", "10MiB", "1GiB" or a number of bytes; kept in bytes
  choice,       // one of `choices`
  string_list,  // YAML list; comma-separated in the environment
  records,      // YAML list of objects with `fields`; file only
};

struct ConfigKey {
  std::string path;          // "listen.sync"; inside records the field's name
  ConfigType type = ConfigType::string;
  std::string default_text;  // as in the environment; empty = empty string, empty list
  std::string doc;           // one sentence, for people
  bool required = false;     // must be given and not empty
  std::int64_t min = 0;      // for integer, duration (ms) and size (bytes)
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  std::vector<std::string> choices{};
  std::vector<std::string> environment_aliases{};  // foreign names; ours wins where both are set
  std::vector<ConfigKey> fields{};                 // of one record
};

struct ConfigTable {
  std::string program;              // for titles: "zonesync-hub"
  std::string environment_prefix;   // "ZONESYNC_"
  std::vector<ConfigKey> keys;      // keys of one section stand together

  /// nullptr when there is no such key.
  [[nodiscard]] const ConfigKey* find(std::string_view path) const;
  /// "sync.delta.enabled" -> "ZONESYNC_SYNC_DELTA_ENABLED"; empty for records.
  [[nodiscard]] std::string environment_name(const ConfigKey& key) const;
};

/// "string", "duration" ...: the word people see.
[[nodiscard]] std::string_view to_string(ConfigType type);

}  // namespace zonesync::text

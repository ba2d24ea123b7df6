#include "protocol/text/config_table.hpp"

#include <algorithm>

namespace zonesync::text {

const ConfigKey* ConfigTable::find(std::string_view path) const {
  const auto found = std::find_if(keys.begin(), keys.end(),
                                  [&](const ConfigKey& key) { return key.path == path; });
  return found == keys.end() ? nullptr : &*found;
}

std::string ConfigTable::environment_name(const ConfigKey& key) const {
  if (key.type == ConfigType::records) return {};
  std::string name = environment_prefix;
  for (const char c : key.path) {
    if (c == '.') name.push_back('_');
    else if (c >= 'a' && c <= 'z') name.push_back(static_cast<char>(c - 'a' + 'A'));
    else name.push_back(c);
  }
  return name;
}

std::string_view to_string(ConfigType type) {
  switch (type) {
    case ConfigType::string: return "string";
    case ConfigType::boolean: return "boolean";
    case ConfigType::integer: return "integer";
    case ConfigType::duration: return "duration";
    case ConfigType::size: return "size";
    case ConfigType::choice: return "choice";
    case ConfigType::string_list: return "list of strings";
    case ConfigType::records: return "list of objects";
  }
  return "unknown";
}

}  // namespace zonesync::text

#include "protocol/text/strict_yaml.hpp"

#include <algorithm>

#include "protocol/model/nearest.hpp"
#include "protocol/text/json_value.hpp"
#include "protocol/text/value_builder.hpp"
#include "protocol/text/yaml_reader.hpp"

namespace zonesync::text {
namespace {

namespace json = boost::json;
using Value = ConfigValues::Value;

// Origin of a setting that was given but not understood: its error is reported already.
constexpr std::string_view kRefused = "refused";

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

std::string kind_name(const json::value& value) {
  if (value.is_null()) return "nothing";
  if (value.is_bool()) return "a boolean";
  if (value.is_number()) return "the number " + write_canonical(value);
  if (value.is_string()) return "the string '" + std::string(view(value.get_string())) + "'";
  return value.is_array() ? "a list" : "a section";
}

std::string is_a(ConfigType type) {
  return (type == ConfigType::integer ? "is an " : "is a ") + std::string(to_string(type));
}

tl::unexpected<Error> expected_kind(const ConfigKey& key, const json::value& value) {
  std::string message = is_a(key.type) + ", got " + kind_name(value);
  if (key.type != ConfigType::string_list && (value.is_number() || value.is_bool())) {
    message += "; quote it";
  }
  return fail(ErrorCode::invalid_argument, std::move(message));
}

/// Reads one YAML file into values, collecting errors with their places.
/// Life cycle: one object per file. Not thread-safe.
class FileReader {
 public:
  FileReader(const std::string& file_name, ConfigErrors& errors)
      : file_name_(file_name), errors_(errors) {}

  /// False when the file as a whole could not be read.
  bool read(const ConfigTable& table, std::string_view text, ConfigValues& values) {
    const std::vector<YamlChunk> chunks = split_yaml(text);
    if (chunks.empty()) return true;
    if (chunks.size() > 1) {
      errors_.push_back({ErrorCode::invalid_argument,
                         "a configuration is one document; remove '---'",
                         file_name_ + ":" + std::to_string(chunks[1].line)});
      return false;
    }
    Result<json::value> document = parse_yaml(chunks[0], &marks_);
    if (!document) {
      errors_.push_back(std::move(document.error()));
      errors_.back().field = file_name_ + ":" + errors_.back().field;
      return false;
    }
    if (document->is_null()) return true;
    if (!document->is_object()) {
      refuse("", "a configuration is a mapping of keys, got " + kind_name(*document));
      return false;
    }
    section(table.keys, "", "", document->get_object(), values);
    return true;
  }

 private:
  void refuse(const std::string& pointer, std::string message) {
    errors_.push_back({ErrorCode::invalid_argument, std::move(message), place(pointer)});
  }
  std::string place(const std::string& pointer) const {
    const auto mark = marks_.find(pointer);
    return file_name_ + ":" + (mark == marks_.end() ? "1:1" : to_string(mark->second));
  }

  void section(const std::vector<ConfigKey>& keys, const std::string& prefix,
               const std::string& pointer, const json::object& object, ConfigValues& values) {
    for (const auto& member : object) {
      const std::string name(member.key().data(), member.key().size());
      const std::string inner = pointer + '/' + pointer_token(name);
      const std::string path = prefix + name;
      if (name.find('.') != name.npos) {
        refuse(inner, "key '" + path + "' holds a dot; write its parts as nested sections");
      } else if (const ConfigKey* key = find(keys, path)) {
        setting(*key, inner, member.value(), values);
      } else if (is_section(keys, path)) {
        if (member.value().is_object()) {
          section(keys, path + ".", inner, member.value().get_object(), values);
        } else if (!member.value().is_null()) {
          refuse(inner, "'" + path + "' is a section, got " + kind_name(member.value()));
        }
      } else {
        unknown(keys, path, inner);
      }
    }
  }

  static const ConfigKey* find(const std::vector<ConfigKey>& keys, const std::string& path) {
    const auto found = std::find_if(keys.begin(), keys.end(),
                                    [&](const ConfigKey& key) { return key.path == path; });
    return found == keys.end() ? nullptr : &*found;
  }
  static bool is_section(const std::vector<ConfigKey>& keys, const std::string& path) {
    return std::any_of(keys.begin(), keys.end(), [&](const ConfigKey& key) {
      return key.path.starts_with(path + ".");
    });
  }

  void unknown(const std::vector<ConfigKey>& keys, const std::string& path,
               const std::string& pointer) {
    Nearest search(path);
    for (const ConfigKey& key : keys) {
      search.offer(key.path, key.path);
      for (std::size_t dot = key.path.find('.'); dot != std::string::npos;
           dot = key.path.find('.', dot + 1)) {
        search.offer(key.path.substr(0, dot), key.path.substr(0, dot));
      }
    }
    refuse(pointer, "unknown key '" + path + "'" + did_you_mean(search.best()));
  }

  void setting(const ConfigKey& key, const std::string& pointer, const json::value& value,
               ConfigValues& values) {
    if (value.is_null()) {
      refuse(pointer, "'" + key.path + "' has no value; give one or remove the line");
      values.set(key.path, Value(), std::string(kRefused));
      return;
    }
    if (key.type == ConfigType::records) {
      records(key, pointer, value, values);
      return;
    }
    Result<Value> converted = convert(key, value);
    if (!converted) {
      refuse(pointer, "'" + key.path + "' " + converted.error().message);
      values.set(key.path, Value(), std::string(kRefused));
      return;
    }
    values.set(key.path, std::move(*converted), place(pointer));
  }

  static Result<Value> convert(const ConfigKey& key, const json::value& value) {
    const bool number_ok = key.type == ConfigType::integer || key.type == ConfigType::size ||
                           key.type == ConfigType::duration;
    if (key.type == ConfigType::boolean) {
      if (value.is_bool()) return Value(value.get_bool());
    } else if (key.type == ConfigType::string_list) {
      return string_list(key, value);
    } else if (value.is_int64() && number_ok) {
      return config_value_from_text(key, std::to_string(value.get_int64()));
    } else if (value.is_string() && key.type != ConfigType::integer) {
      return config_value_from_text(key, view(value.get_string()));
    } else if (number_ok || value.is_array() || value.is_object()) {
      return fail(ErrorCode::invalid_argument, is_a(key.type) + ", got " + kind_name(value));
    } else {
      return expected_kind(key, value);
    }
    return fail(ErrorCode::invalid_argument, "is true or false, got " + kind_name(value));
  }

  static Result<Value> string_list(const ConfigKey& key, const json::value& value) {
    if (!value.is_array()) return expected_kind(key, value);
    std::vector<std::string> items;
    for (const json::value& item : value.get_array()) {
      if (!item.is_string()) {
        return fail(ErrorCode::invalid_argument,
                    "holds strings only, got " + kind_name(item) + "; quote it");
      }
      items.emplace_back(view(item.get_string()));
    }
    if (key.required && items.empty()) {
      return fail(ErrorCode::invalid_argument, "must not be empty");
    }
    return Value(std::move(items));
  }

  void records(const ConfigKey& key, const std::string& pointer, const json::value& value,
               ConfigValues& values) {
    if (!value.is_array()) {
      refuse(pointer, "'" + key.path + "' is a list of objects, got " + kind_name(value));
      return;
    }
    std::vector<ConfigValues> entries;
    for (std::size_t i = 0; i < value.get_array().size(); ++i) {
      const json::value& item = value.get_array()[i];
      const std::string inner = pointer + '/' + std::to_string(i);
      if (!item.is_object()) {
        refuse(inner, "an element of '" + key.path + "' is an object, got " + kind_name(item));
        continue;
      }
      ConfigValues record;
      section(key.fields, "", inner, item.get_object(), record);
      complete(key.fields, inner, item.get_object(), record);
      entries.push_back(std::move(record));
    }
    values.set(key.path, std::move(entries), place(pointer));
  }

  /// Fills the defaults of one record; a field that was given but refused has its error already.
  void complete(const std::vector<ConfigKey>& fields, const std::string& pointer,
                const json::object& given, ConfigValues& record) {
    for (const ConfigKey& field : fields) {
      if (record.has(field.path) && record.entry(field.path).origin != kRefused) continue;
      if (field.required && !given.contains(field.path)) {
        refuse(pointer, "'" + field.path + "' is missing here");
      }
      ConfigKey optional = field;
      optional.required = false;
      if (const auto value = config_value_from_text(optional, field.default_text)) {
        record.set(field.path, *value, "default");
      }
    }
  }

  const std::string& file_name_;
  ConfigErrors& errors_;
  Marks marks_;
};

void apply_text(const ConfigKey& key, std::string_view text, const std::string& origin,
                ConfigValues& values, ConfigErrors& errors) {
  Result<Value> value = config_value_from_text(key, text);
  if (value) {
    values.set(key.path, std::move(*value), origin);
  } else {
    errors.push_back({ErrorCode::invalid_argument, "'" + key.path + "' " + value.error().message,
                      origin});
    values.set(key.path, Value(), std::string(kRefused));
  }
}

void apply_environment(const ConfigTable& table, const ConfigSources& sources,
                       ConfigValues& values, ConfigErrors& errors) {
  std::map<std::string, const ConfigKey*> known;
  for (const ConfigKey& key : table.keys) {
    if (key.type == ConfigType::records) continue;
    const std::string own = table.environment_name(key);
    known[own] = &key;
    std::vector<std::string> names = {own};
    names.insert(names.end(), key.environment_aliases.begin(), key.environment_aliases.end());
    for (const std::string& name : names) {
      const auto variable = sources.environment.find(name);
      if (variable == sources.environment.end()) continue;
      apply_text(key, variable->second, "environment " + name, values, errors);
      break;
    }
  }
  const std::string& prefix = table.environment_prefix;
  for (const auto& [name, text] : sources.environment) {
    if (!name.starts_with(prefix) || known.contains(name)) continue;
    Nearest search(std::string_view(name).substr(prefix.size()));
    for (const auto& [candidate, key] : known) {
      search.offer(std::string_view(candidate).substr(prefix.size()), candidate);
    }
    if (search.best().empty()) {
      values.warnings.push_back("environment variable " + name + " is not a setting; ignored");
    } else {
      errors.push_back({ErrorCode::invalid_argument,
                        "unknown setting" + did_you_mean(search.best()), "environment " + name});
    }
  }
}

void apply_overrides(const ConfigTable& table, const ConfigSources& sources, ConfigValues& values,
                     ConfigErrors& errors) {
  for (const auto& [path, text] : sources.overrides) {
    if (const ConfigKey* key = table.find(path)) {
      apply_text(*key, text, "--set " + path, values, errors);
      continue;
    }
    Nearest search(path);
    for (const ConfigKey& key : table.keys) search.offer(key.path, key.path);
    errors.push_back({ErrorCode::invalid_argument,
                      "unknown key '" + path + "'" + did_you_mean(search.best()),
                      "--set " + path});
  }
}

}  // namespace

tl::expected<ConfigValues, ConfigErrors> read_config(const ConfigTable& table,
                                                     const ConfigSources& sources) {
  ConfigValues values;
  ConfigErrors errors;
  for (const ConfigKey& key : table.keys) {
    ConfigKey optional = key;
    optional.required = false;
    const Result<Value> value = config_value_from_text(optional, key.default_text);
    if (value) values.set(key.path, *value, "default");
    else errors.push_back({ErrorCode::internal, "bad default: " + value.error().message, key.path});
  }
  const bool readable = FileReader(sources.file_name, errors).read(table, sources.text, values);
  apply_environment(table, sources, values, errors);
  apply_overrides(table, sources, values, errors);
  for (const ConfigKey& key : table.keys) {
    const bool unset = values.has(key.path) && values.entry(key.path).origin == "default";
    if (key.required && key.default_text.empty() && unset && readable) {
      const std::string name = table.environment_name(key);
      errors.push_back({ErrorCode::invalid_argument,
                        "'" + key.path + "' is required; set it in the file" +
                            (name.empty() ? "" : " or with " + name),
                        key.path});
    }
  }
  if (!errors.empty()) return tl::unexpected<ConfigErrors>(std::move(errors));
  return values;
}

}  // namespace zonesync::text

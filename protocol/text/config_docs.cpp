#include "protocol/text/config_docs.hpp"

#include <boost/json/value.hpp>

#include "protocol/text/json_value.hpp"
#include "protocol/text/yaml_writer.hpp"

namespace zonesync::text {
namespace {

std::string join(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : std::string(separator)) + word;
  return text;
}

std::vector<std::string> split_path(const std::string& path) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t dot = path.find('.'); dot != path.npos; dot = path.find('.', begin)) {
    parts.push_back(path.substr(begin, dot - begin));
    begin = dot + 1;
  }
  parts.push_back(path.substr(begin));
  return parts;
}

/// Opens the sections of `path` that `open` does not have open yet; returns the leaf's indent.
std::size_t open_sections(const std::string& path, std::vector<std::string>& open,
                          std::string& out) {
  std::vector<std::string> parts = split_path(path);
  parts.pop_back();
  std::size_t same = 0;
  while (same < parts.size() && same < open.size() && parts[same] == open[same]) ++same;
  if (same == 0 && !out.empty()) out += '\n';
  for (std::size_t i = same; i < parts.size(); ++i) {
    out.append(2 * i, ' ');
    out += parts[i] + ":\n";
  }
  open = parts;
  return 2 * parts.size();
}

std::string yaml_list(const std::vector<std::string>& items) {
  std::string text = "[";
  for (const std::string& item : items) text += (text.size() > 1 ? ", " : "") + yaml_string(item);
  return text + "]";
}

std::string yaml_value(const ConfigKey& key, const ConfigValues::Value& value) {
  switch (key.type) {
    case ConfigType::boolean: return std::get<bool>(value) ? "true" : "false";
    case ConfigType::integer: return std::to_string(std::get<std::int64_t>(value));
    case ConfigType::duration: return duration_to_text(std::get<std::int64_t>(value));
    case ConfigType::size: return size_to_text(std::get<std::int64_t>(value));
    case ConfigType::string_list: return yaml_list(std::get<std::vector<std::string>>(value));
    case ConfigType::records: return "[]";
    case ConfigType::string:
    case ConfigType::choice: break;
  }
  return yaml_string(std::get<std::string>(value));
}

std::string default_yaml(const ConfigKey& key) {
  ConfigKey optional = key;
  optional.required = false;
  const auto value = config_value_from_text(optional, key.default_text);
  return value ? yaml_value(key, *value) : std::string();
}

std::string type_words(const ConfigKey& key) {
  if (key.type == ConfigType::choice) return join(key.choices, " | ");
  return std::string(to_string(key.type));
}

std::string leaf(const std::string& path) { return split_path(path).back(); }

/// Indented JSON in the order of insertion: schemas are read by people too.
void pretty(std::string& out, const boost::json::value& value, std::size_t indent) {
  const auto line = [&](std::size_t depth) { out += '\n' + std::string(depth, ' '); };
  if (value.is_object() && !value.get_object().empty()) {
    out += '{';
    bool first = true;
    for (const auto& member : value.get_object()) {
      if (!first) out += ',';
      first = false;
      line(indent + 2);
      append_canonical_string(out, {member.key().data(), member.key().size()});
      out += ": ";
      pretty(out, member.value(), indent + 2);
    }
    line(indent);
    out += '}';
  } else {
    out += write_canonical(value);
  }
}

boost::json::object leaf_schema(const ConfigKey& key);

boost::json::object object_schema(const std::vector<ConfigKey>& keys, const std::string& prefix) {
  boost::json::object properties;
  for (const ConfigKey& key : keys) {
    if (!key.path.starts_with(prefix)) continue;
    const std::string rest = key.path.substr(prefix.size());
    const std::string name = rest.substr(0, rest.find('.'));
    if (name != rest) {
      if (!properties.contains(name)) properties[name] = object_schema(keys, prefix + name + ".");
      continue;
    }
    properties[name] = leaf_schema(key);
  }
  boost::json::object schema;
  schema["type"] = "object";
  schema["additionalProperties"] = false;
  schema["properties"] = std::move(properties);
  return schema;
}

boost::json::object leaf_schema(const ConfigKey& key) {
  boost::json::object schema;
  schema["description"] = key.doc;
  const auto bound = [&] {
    schema["minimum"] = key.min;
    if (key.max != std::numeric_limits<std::int64_t>::max()) schema["maximum"] = key.max;
  };
  switch (key.type) {
    case ConfigType::string: schema["type"] = "string"; break;
    case ConfigType::boolean: schema["type"] = "boolean"; break;
    case ConfigType::integer:
      schema["type"] = "integer";
      bound();
      break;
    case ConfigType::duration:
      schema["type"] = "string";
      schema["pattern"] = "^(0|[0-9]+(ms|s|m|h|d))$";
      break;
    case ConfigType::size:
      schema["type"] = boost::json::array{"string", "integer"};
      schema["pattern"] = "^[0-9]+(B|KiB|MiB|GiB)?$";
      bound();
      break;
    case ConfigType::choice: {
      boost::json::array choices;
      for (const std::string& choice : key.choices) choices.emplace_back(choice);
      schema["enum"] = std::move(choices);
      break;
    }
    case ConfigType::string_list:
      schema["type"] = "array";
      schema["items"] = boost::json::object{{"type", "string"}};
      break;
    case ConfigType::records: {
      boost::json::object items = object_schema(key.fields, "");
      boost::json::array required;
      for (const ConfigKey& field : key.fields) {
        if (field.required) required.emplace_back(field.path);
      }
      items["required"] = std::move(required);
      schema["type"] = "array";
      schema["items"] = std::move(items);
      break;
    }
  }
  if (!key.default_text.empty()) schema["default"] = key.default_text;
  return schema;
}

std::string cell(std::string text) {
  for (std::size_t at = text.find('|'); at != text.npos; at = text.find('|', at + 2)) {
    text.insert(at, "\\");
  }
  return text;
}

std::string default_cell(const ConfigKey& key) {
  if (key.required) return "required";
  if (key.default_text.empty() && key.type == ConfigType::string) return "empty";
  return '`' + default_yaml(key) + '`';
}

void markdown_row(std::string& out, const ConfigTable& table, const ConfigKey& key,
                  const std::string& prefix) {
  std::string names;
  if (prefix.empty()) {
    for (const std::string& alias : key.environment_aliases) names += ", `" + alias + '`';
    const std::string own = table.environment_name(key);
    names = own.empty() ? "–" : '`' + own + '`' + names;
  }
  out += "| `" + prefix + key.path + "` | " + cell(type_words(key)) + " | " + default_cell(key) +
         " | " + (prefix.empty() ? names : "–") + " | " + cell(key.doc) + " |\n";
}

}  // namespace

std::string config_defaults_yaml(const ConfigTable& table) {
  std::string out;
  std::vector<std::string> open;
  std::string body;
  for (const ConfigKey& key : table.keys) {
    const std::string indent(open_sections(key.path, open, body), ' ');
    body += indent + "# " + key.doc + "\n";
    const std::string name = table.environment_name(key);
    body += indent + "# " + type_words(key) + (key.required ? ", required" : "") +
            (name.empty() ? "" : "; " + name) + "\n";
    for (const ConfigKey& field : key.fields) {
      body += indent + "#   " + field.path + ": " + type_words(field) + ". " + field.doc + "\n";
    }
    body += indent + (key.required ? "# " : "") + leaf(key.path) + ": " + default_yaml(key) + "\n";
  }
  out += "# " + table.program + ": every setting at its default.\n";
  out += "# Order of precedence: flags, environment, this file, defaults.\n\n";
  return out + body;
}

std::string config_json_schema(const ConfigTable& table) {
  boost::json::object schema;
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = table.program + " configuration";
  for (auto& member : object_schema(table.keys, "")) {
    schema.insert_or_assign(member.key(), std::move(member.value()));
  }
  std::string out;
  pretty(out, boost::json::value(std::move(schema)), 0);
  return out + '\n';
}

std::string config_markdown(const ConfigTable& table) {
  std::string out = "| key | type | default | environment | meaning |\n|---|---|---|---|---|\n";
  for (const ConfigKey& key : table.keys) {
    markdown_row(out, table, key, "");
    for (const ConfigKey& field : key.fields) markdown_row(out, table, field, key.path + "[].");
  }
  return out;
}

std::string config_effective_yaml(const ConfigTable& table, const ConfigValues& values,
                                  bool show_origin) {
  std::string out;
  std::vector<std::string> open;
  for (const ConfigKey& key : table.keys) {
    const std::string indent(open_sections(key.path, open, out), ' ');
    const ConfigValues::Entry& entry = values.entry(key.path);
    const std::string origin = show_origin ? "  # " + entry.origin : std::string();
    if (key.type != ConfigType::records || values.records(key.path).empty()) {
      out += indent + leaf(key.path) + ": " + yaml_value(key, entry.value) + origin + "\n";
      continue;
    }
    out += indent + leaf(key.path) + ":" + origin + "\n";
    for (const ConfigValues& record : values.records(key.path)) {
      std::string start = indent + "  - ";
      for (const ConfigKey& field : key.fields) {
        out += start + field.path + ": " + yaml_value(field, record.entry(field.path).value) + "\n";
        start = indent + "    ";
      }
    }
  }
  return out;
}

}  // namespace zonesync::text

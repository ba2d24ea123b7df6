#include "protocol/wire/json_fields.hpp"

#include "protocol/wire/flat.hpp"

namespace zonesync::wire::detail {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

void escape_into(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (c == '"' || c == '\\') {
    out.push_back('\\');
    out.push_back(c);
  } else if (byte < 0x20 || byte == 0x7f) {
    out += "\\u00";
    out.push_back(kHexDigits[byte >> 4]);
    out.push_back(kHexDigits[byte & 0xf]);
  } else {
    out.push_back(c);
  }
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string out = "\"";
  if (is_utf8(text)) {
    for (const char c : text) escape_into(out, c);
  } else {
    out += "hex:";
    for (const char c : text) {
      out.push_back(kHexDigits[static_cast<unsigned char>(c) >> 4]);
      out.push_back(kHexDigits[static_cast<unsigned char>(c) & 0xf]);
    }
  }
  out.push_back('"');
  return out;
}

std::string json_array(const std::vector<std::string>& values) {
  std::string out = "[";
  for (const std::string& value : values) {
    if (out.size() > 1) out.push_back(',');
    out += value;
  }
  out.push_back(']');
  return out;
}

std::string json_strings(const std::vector<std::string>& texts) {
  std::vector<std::string> values;
  values.reserve(texts.size());
  for (const std::string& text : texts) values.push_back(json_string(text));
  return json_array(values);
}

JsonFields& JsonFields::text(std::string_view name, std::string_view value) {
  return raw(name, json_string(value));
}
JsonFields& JsonFields::number(std::string_view name, std::uint64_t value) {
  return raw(name, std::to_string(value));
}
JsonFields& JsonFields::flag(std::string_view name, bool value) {
  return raw(name, value ? "true" : "false");
}
JsonFields& JsonFields::raw(std::string_view name, std::string json) {
  fields_.emplace_back(std::string(name), std::move(json));
  return *this;
}
JsonFields& JsonFields::text_if(std::string_view name, std::string_view value) {
  return value.empty() ? *this : text(name, value);
}

std::string JsonFields::json() const {
  std::string out = "{";
  for (const auto& [name, value] : fields_) {
    if (out.size() > 1) out.push_back(',');
    out += json_string(name);
    out.push_back(':');
    out += value;
  }
  out.push_back('}');
  return out;
}

std::string JsonFields::line() const {
  std::string out;
  for (const auto& [name, value] : fields_) {
    if (!out.empty()) out.push_back(' ');
    out += name;
    out.push_back('=');
    out += value;
  }
  return out;
}

}  // namespace zonesync::wire::detail

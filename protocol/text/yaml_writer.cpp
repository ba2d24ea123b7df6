#include "protocol/text/yaml_writer.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "protocol/model/utf8.hpp"
#include "protocol/text/json_value.hpp"

namespace zonesync::text {
namespace {

namespace json = boost::json;

// Words that some YAML version reads as null or a boolean.
constexpr std::array<std::string_view, 8> kReserved = {"false", "n",  "no",   "null",
                                                       "off",   "on", "true", "y"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool plain_ok(std::string_view text) {
  if (text.empty() || text.size() > 200) return false;
  if (!is_letter(text.front()) && text.front() != '_' && text.front() != '/') return false;
  if (text.back() == ' ' || text.back() == ':') return false;
  const bool letters_ok = std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') ||
           std::string_view("_-./ ").find(c) != std::string_view::npos;
  });
  if (!letters_ok) return false;
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower != "yes" && std::find(kReserved.begin(), kReserved.end(), lower) == kReserved.end();
}

/// A JSON string with the code points escaped that YAML does not allow raw or folds as line breaks.
std::string quoted(std::string_view text) {
  std::string literal;
  append_canonical_string(literal, text);
  std::string out;
  for (std::size_t i = 0; i < literal.size();) {
    const std::string_view rest = std::string_view(literal).substr(i);
    const Utf8Sequence sequence = utf8_sequence(rest);
    const char32_t point = sequence.point;
    const bool escape = (point >= 0x7f && point <= 0x9f) || point == 0x2028 || point == 0x2029 ||
                        point == 0xfeff || point == 0xfffe || point == 0xffff;
    if (escape) {
      static constexpr char kDigits[] = "0123456789abcdef";
      out += "\\u";
      for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[(point >> shift) & 0xf];
    } else {
      out += rest.substr(0, std::max<std::size_t>(1, sequence.length));
    }
    i += std::max<std::size_t>(1, sequence.length);
  }
  return out;
}

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

bool is_block(const json::value& value) {
  if (value.is_object()) return !value.get_object().empty();
  return value.is_array() && !value.get_array().empty();
}

void write_block(std::string& out, const json::value& value, std::size_t indent);

void write_inline(std::string& out, const json::value& value) {
  if (value.is_string()) out += yaml_string(view(value.get_string()));
  else out += write_canonical(value);  // numbers, booleans, null, {} and []
  out += '\n';
}

void write_object(std::string& out, const json::object& object, std::size_t indent,
                  bool first_in_place) {
  for (const auto& member : object) {
    if (!first_in_place) out.append(indent, ' ');
    first_in_place = false;
    out += yaml_string({member.key().data(), member.key().size()});
    out += ':';
    if (is_block(member.value())) {
      out += '\n';
      // A list may stand at its key's own indent; objects go one level in.
      write_block(out, member.value(), member.value().is_array() ? indent : indent + 2);
    } else {
      out += ' ';
      write_inline(out, member.value());
    }
  }
}

void write_array(std::string& out, const json::array& array, std::size_t indent) {
  for (const json::value& element : array) {
    out.append(indent, ' ');
    out += '-';
    if (element.is_object() && is_block(element)) {
      out += ' ';
      write_object(out, element.get_object(), indent + 2, true);
    } else if (is_block(element)) {
      out += '\n';
      write_block(out, element, indent + 2);
    } else {
      out += ' ';
      write_inline(out, element);
    }
  }
}

void write_block(std::string& out, const json::value& value, std::size_t indent) {
  if (value.is_object()) write_object(out, value.get_object(), indent, false);
  else write_array(out, value.get_array(), indent);
}

}  // namespace

std::string yaml_string(std::string_view text) {
  return plain_ok(text) ? std::string(text) : quoted(text);
}

std::string write_yaml(const json::value& value) {
  std::string out;
  if (is_block(value)) write_block(out, value, 0);
  else write_inline(out, value);
  return out;
}

}  // namespace zonesync::text

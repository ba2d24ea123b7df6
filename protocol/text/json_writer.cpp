#include <algorithm>
#include <vector>

#include "protocol/text/canonical_json.hpp"
#include "protocol/text/json_value.hpp"
#include "protocol/text/number.hpp"

namespace zonesync::text {
namespace {

/// UTF-8 order equals UTF-16 order except that surrogate pairs (lead bytes F0..F4) sort before
/// U+E000..U+FFFF (lead bytes EE, EF): move those two behind.
unsigned utf16_rank(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0xee || byte == 0xef ? byte + 0x10u : byte;
}

bool utf16_less(std::string_view a, std::string_view b) {
  return std::lexicographical_compare(
      a.begin(), a.end(), b.begin(), b.end(),
      [](char x, char y) { return utf16_rank(x) < utf16_rank(y); });
}

std::string_view view(const boost::json::string& text) { return {text.data(), text.size()}; }

void append(std::string& out, const boost::json::value& value);

void append_object(std::string& out, const boost::json::object& object) {
  std::vector<const boost::json::key_value_pair*> members;
  members.reserve(object.size());
  for (const auto& member : object) members.push_back(&member);
  std::sort(members.begin(), members.end(), [](const auto* a, const auto* b) {
    return utf16_less({a->key().data(), a->key().size()}, {b->key().data(), b->key().size()});
  });
  out += '{';
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i > 0) out += ',';
    append_canonical_string(out, {members[i]->key().data(), members[i]->key().size()});
    out += ':';
    append(out, members[i]->value());
  }
  out += '}';
}

void append_array(std::string& out, const boost::json::array& array) {
  out += '[';
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (i > 0) out += ',';
    append(out, array[i]);
  }
  out += ']';
}

void append(std::string& out, const boost::json::value& value) {
  switch (value.kind()) {
    case boost::json::kind::null: out += "null"; return;
    case boost::json::kind::bool_: out += value.get_bool() ? "true" : "false"; return;
    case boost::json::kind::int64: out += std::to_string(value.get_int64()); return;
    case boost::json::kind::uint64: out += std::to_string(value.get_uint64()); return;
    case boost::json::kind::double_: out += number_to_text(value.get_double()); return;
    case boost::json::kind::string: append_canonical_string(out, view(value.get_string())); return;
    case boost::json::kind::array: append_array(out, value.get_array()); return;
    case boost::json::kind::object: append_object(out, value.get_object()); return;
  }
}

}  // namespace

void append_canonical_string(std::string& out, std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\t': out += "\\t"; break;
      case '\n': out += "\\n"; break;
      case '\f': out += "\\f"; break;
      case '\r': out += "\\r"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out += kDigits[c >> 4];
          out += kDigits[c & 0xf];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

std::string write_canonical(const boost::json::value& value) {
  std::string out;
  append(out, value);
  return out;
}

}  // namespace zonesync::text

namespace zonesync {

Result<std::string> canonical_json(std::string_view json_text) {
  Result<boost::json::value> value = text::parse_json(json_text);
  if (!value) return fail(std::move(value.error()));
  return text::write_canonical(*value);
}

bool is_canonical_object(std::string_view json_text) {
  if (json_text.empty() || json_text.front() != '{') return false;
  const Result<std::string> canonical = canonical_json(json_text);
  return canonical && *canonical == json_text;
}

}  // namespace zonesync

#include "protocol/text/yaml_scalar.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "protocol/text/number.hpp"

namespace zonesync::text {
namespace {

constexpr std::string_view kCoreTags = "tag:yaml.org,2002:";

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

/// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?   (integers included)
bool is_decimal(std::string_view text) {
  std::size_t at = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  const std::size_t whole = at;
  at = skip_digits(text, at);
  std::size_t digits = at - whole;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = ++at;
    at = skip_digits(text, at);
    digits += at - fraction;
  }
  if (digits == 0) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    const std::size_t exponent = at;
    at = skip_digits(text, at);
    if (at == exponent) return false;
  }
  return at == text.size();
}

/// 0o[0-7]+ and 0x[0-9a-fA-F]+; base 0 when it is neither.
int prefixed_base(std::string_view text) {
  if (text.size() < 3 || text[0] != '0') return 0;
  const std::string_view digits = text.substr(2);
  if (text[1] == 'o' && digits.find_first_not_of("01234567") == digits.npos) return 8;
  if (text[1] == 'x' && digits.find_first_not_of("0123456789abcdefABCDEF") == digits.npos) {
    return 16;
  }
  return 0;
}

Result<boost::json::value> read_prefixed(std::string_view text, int base) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + 2, end, number, base);
  if (error != std::errc() || stop != end) {
    return fail(ErrorCode::invalid_argument,
                "number " + std::string(text.substr(0, 40)) + " does not fit 64 bits");
  }
  if (number <= INT64_MAX) return boost::json::value(static_cast<std::int64_t>(number));
  return boost::json::value(number);
}

bool is_infinity(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return one_of(text, {".inf", ".Inf", ".INF"});
}

bool kind_is(const boost::json::value& value, std::string_view tag) {
  if (tag == "null") return value.is_null();
  if (tag == "bool") return value.is_bool();
  if (tag == "int") return value.is_int64() || value.is_uint64();
  if (tag == "float") return value.is_number();
  return false;
}

}  // namespace

Result<boost::json::value> resolve_plain(std::string_view text) {
  if (text.empty() || one_of(text, {"~", "null", "Null", "NULL"})) {
    return boost::json::value(nullptr);
  }
  if (one_of(text, {"true", "True", "TRUE"})) return boost::json::value(true);
  if (one_of(text, {"false", "False", "FALSE"})) return boost::json::value(false);
  if (const int base = prefixed_base(text); base != 0) return read_prefixed(text, base);
  if (is_decimal(text)) {
    if (text[0] == '+') text.remove_prefix(1);
    return number_from_text(text);
  }
  if (is_infinity(text) || one_of(text, {".nan", ".NaN", ".NAN"})) {
    return fail(ErrorCode::invalid_argument,
                "'" + std::string(text) + "' has no JSON form; quote it to keep it as text");
  }
  return boost::json::value(boost::json::string(text));
}

Result<boost::json::value> resolve_scalar(std::string_view tag, std::string_view text) {
  if (tag == "?") return resolve_plain(text);
  if (tag == "!") return boost::json::value(boost::json::string(text));
  if (tag.starts_with(kCoreTags)) {
    const std::string_view name = tag.substr(kCoreTags.size());
    if (name == "str") return boost::json::value(boost::json::string(text));
    if (one_of(name, {"null", "bool", "int", "float"})) {
      Result<boost::json::value> value = resolve_plain(text);
      if (value && !kind_is(*value, name)) {
        return fail(ErrorCode::invalid_argument, "'" + std::string(text.substr(0, 40)) +
                                                     "' is not a !!" + std::string(name));
      }
      return value;
    }
  }
  return fail(ErrorCode::invalid_argument,
              "tag '" + std::string(tag.substr(0, 100)) + "' is not of the YAML core schema");
}

}  // namespace zonesync::text

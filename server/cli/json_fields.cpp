#include "server/cli/json_fields.hpp"

#include <charconv>

namespace zonesync::cli {

namespace json = boost::json;

const json::value* member(const json::value& value, std::string_view name) {
  if (!value.is_object()) return nullptr;
  return value.get_object().if_contains(name);
}

std::string text_of(const json::value& value, std::string_view name) {
  const json::value* found = member(value, name);
  if (found == nullptr || !found->is_string()) return {};
  const json::string& text = found->get_string();
  return {text.data(), text.size()};
}

bool flag_of(const json::value& value, std::string_view name) {
  const json::value* found = member(value, name);
  return found != nullptr && found->is_bool() && found->get_bool();
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

std::optional<std::uint64_t> number_of(const json::value& value, std::string_view name) {
  const json::value* found = member(value, name);
  if (found == nullptr) return {};
  if (found->is_uint64()) return found->get_uint64();
  if (found->is_int64() && found->get_int64() >= 0) {
    return static_cast<std::uint64_t>(found->get_int64());
  }
  if (found->is_double() && found->get_double() >= 0 && found->get_double() < 1e18) {
    return static_cast<std::uint64_t>(found->get_double());
  }
  if (found->is_string()) return parse_number(text_of(value, name));
  return {};
}

std::optional<double> fraction_of(const json::value& value, std::string_view name) {
  const json::value* found = member(value, name);
  if (found == nullptr) return {};
  if (found->is_double()) return found->get_double();
  if (found->is_int64()) return static_cast<double>(found->get_int64());
  if (found->is_uint64()) return static_cast<double>(found->get_uint64());
  return {};
}

const json::array* array_of(const json::value& value, std::string_view name) {
  const json::value* found = member(value, name);
  return found != nullptr && found->is_array() ? &found->get_array() : nullptr;
}

}  // namespace zonesync::cli

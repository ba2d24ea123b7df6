// Reading answers of the hub: absent or mistyped members read as empty, never as a crash.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "protocol/text/json_value.hpp"

namespace zonesync::cli {

/// nullptr when `value` is no object or has no such member.
[[nodiscard]] const boost::json::value* member(const boost::json::value& value,
                                               std::string_view name);
[[nodiscard]] std::string text_of(const boost::json::value& value, std::string_view name);
[[nodiscard]] bool flag_of(const boost::json::value& value, std::string_view name);
/// Numbers, and strings of digits; fractions are cut off; negative = absent.
[[nodiscard]] std::optional<std::uint64_t> number_of(const boost::json::value& value,
                                                     std::string_view name);
[[nodiscard]] std::optional<double> fraction_of(const boost::json::value& value,
                                                std::string_view name);
[[nodiscard]] const boost::json::array* array_of(const boost::json::value& value,
                                                 std::string_view name);
/// "12"; nullopt for anything but decimal digits of a 64-bit number.
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text);

}  // namespace zonesync::cli

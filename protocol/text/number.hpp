// Numbers of JSON and YAML: 64-bit integers exact, everything else an IEEE double.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "protocol/model/result.hpp"

namespace zonesync::text {

/// Reads a decimal number with optional sign, fraction and exponent: int64 or uint64 when it is an
/// integer, else a double. Errors: invalid_argument (overflow; an integer beyond 64 bits that a
/// double would change).
[[nodiscard]] Result<boost::json::value> number_from_text(std::string_view text);

/// The shortest decimal text that reads back as `number`, as ECMAScript's Number::toString does
/// (RFC 8785 §3.2.2.3). `number` is finite.
[[nodiscard]] std::string number_to_text(double number);

}  // namespace zonesync::text

// JSON as values. Include canonical_json.hpp instead where text is all that is needed: this header
// brings Boost.JSON.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "protocol/model/result.hpp"

namespace zonesync::text {

/// Parses one JSON text (RFC 8259) strictly: valid UTF-8, no duplicate keys, no comments, no
/// trailing content, 64-bit integers exact, doubles correctly rounded, within limits.hpp.
/// Errors: invalid_argument, too_large; `field` is `line:column`.
[[nodiscard]] Result<boost::json::value> parse_json(std::string_view text);

/// Canonical text (RFC 8785, with all 64-bit integers exact): the one form that is stored,
/// hashed and compared.
[[nodiscard]] std::string write_canonical(const boost::json::value& value);
/// `text` as a JSON string literal.
void append_canonical_string(std::string& out, std::string_view text);

}  // namespace zonesync::text

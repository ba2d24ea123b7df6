// JSON of tokens: objects without duplicate members. Internal to server/auth.
#pragma once

#include <optional>
#include <string_view>

#include <boost/json/object.hpp>

namespace zonesync::auth {

/// Parses one JSON object of at most 8 levels. Nothing for malformed text, another kind of value,
/// or an object that has a member twice (parsers disagree on which one counts: a known way to make
/// issuer and verifier read different claims).
[[nodiscard]] std::optional<boost::json::object> parse_strict_object(std::string_view text);

}  // namespace zonesync::auth

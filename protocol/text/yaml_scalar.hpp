// Scalars of the YAML 1.2 core schema.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "protocol/model/result.hpp"

namespace zonesync::text {

/// Resolves a plain scalar: null, bool, int, float, else string. Errors: invalid_argument (NaN,
/// infinity, number beyond 64 bits).
[[nodiscard]] Result<boost::json::value> resolve_plain(std::string_view text);

/// Resolves a scalar with an explicit tag as yaml-cpp reports it ("!" and "?" included).
/// Errors: as above, and a value that is not of its tag, and an unknown tag.
[[nodiscard]] Result<boost::json::value> resolve_scalar(std::string_view tag,
                                                        std::string_view text);

}  // namespace zonesync::text

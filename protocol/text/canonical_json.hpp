// Canonical JSON text: RFC 8785 with all 64-bit integers exact.
#pragma once

#include <string>
#include <string_view>

#include "protocol/model/result.hpp"

namespace zonesync {

/// The canonical form of a JSON text. Idempotent. Errors: invalid_argument, too_large; `field` is
/// `line:column`.
[[nodiscard]] Result<std::string> canonical_json(std::string_view json_text);

/// Whether `json_text` is a canonical JSON object byte for byte: what a peer's spec must be.
[[nodiscard]] bool is_canonical_object(std::string_view json_text);

}  // namespace zonesync

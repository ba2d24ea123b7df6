// The HTTP side of a websocket upgrade that needs no Beast: decisions as text, header lists.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/transport/websocket.hpp"

namespace zonesync {

/// A whole HTTP/1.1 response that refuses and closes.
[[nodiscard]] std::string render_refusal(const UpgradeDecision& decision);

/// "a, b ,c" → {a, b, c}; empty elements are dropped.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text);

/// Token of "Bearer xyz" (scheme without case); empty when it is something else.
[[nodiscard]] std::string_view bearer_of(std::string_view authorization);

/// What a client makes of an HTTP answer other than 101.
[[nodiscard]] ErrorCode code_of_status(unsigned status);

/// At most 123 bytes, cut between UTF-8 characters.
[[nodiscard]] std::string_view cut_close_reason(std::string_view reason);

}  // namespace zonesync

// Where the hub is, taken from the configured URL.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/model/result.hpp"

namespace zonesync::client {

struct HubUrl {
  bool tls = true;
  std::string host;      // without brackets
  std::uint16_t port = 0;
  std::string path;      // "/sync" when the URL names none
};

/// "wss://host:port/sync"; "ws://" only for loopback addresses. Default port 5685. Errors:
/// invalid_argument.
[[nodiscard]] Result<HubUrl> parse_hub_url(std::string_view text);

}  // namespace zonesync::client

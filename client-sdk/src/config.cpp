#include "client-sdk/include/zonesync/config.hpp"

#include "client-sdk/src/hub_url.hpp"
#include "protocol/model/ids.hpp"

namespace zonesync::client {

Status check_config(const Config& config) {
  const auto url = parse_hub_url(config.hub_url);
  if (!url) return fail(url.error());
  if (auto zone = check_zone_name(config.zone); !zone) {
    return fail(zone.error().code, zone.error().message, "zone");
  }
  if (!config.token.empty() && !config.token_file.empty()) {
    return fail(ErrorCode::invalid_argument, "give either token or token_file, not both", "token");
  }
  if (config.token.empty() && config.token_file.empty() &&
      config.client_certificate_file.empty()) {
    return fail(ErrorCode::invalid_argument,
                "a credential is missing: give token_file (or token, or a client certificate)",
                "token_file");
  }
  if (config.client_certificate_file.empty() != config.client_key_file.empty()) {
    return fail(ErrorCode::invalid_argument, "client certificate and key go together",
                "client_key_file");
  }
  if (!url->tls && !config.ca_file.empty()) {
    return fail(ErrorCode::invalid_argument, "ca_file needs a wss:// URL", "ca_file");
  }
  if (config.backoff.base <= Duration::zero() || config.backoff.max < config.backoff.base) {
    return fail(ErrorCode::invalid_argument, "backoff needs 0 < base <= max", "backoff");
  }
  return {};
}

}  // namespace zonesync::client

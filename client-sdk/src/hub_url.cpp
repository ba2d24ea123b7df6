#include "client-sdk/src/hub_url.hpp"

#include <charconv>

namespace zonesync::client {
namespace {

constexpr std::uint16_t kDefaultPort = 5685;

tl::unexpected<Error> bad(const std::string& what) {
  return fail(ErrorCode::invalid_argument, what + "; expected wss://host:port/sync", "hub_url");
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

Result<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    return bad("'" + std::string(text) + "' is not a port");
  }
  return port;
}

/// Splits "host", "host:port", "[v6]:port".
Status parse_authority(std::string_view authority, HubUrl& url) {
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) return bad("']' is missing");
    url.host = authority.substr(1, close - 1);
    std::string_view rest = authority.substr(close + 1);
    if (!rest.empty() && !rest.starts_with(':')) return bad("unexpected text after ']'");
    if (!rest.empty()) port = rest.substr(1);
  } else {
    const auto colon = authority.find(':');
    url.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) port = authority.substr(colon + 1);
  }
  if (url.host.empty()) return bad("the host is missing");
  url.port = kDefaultPort;
  if (port.empty()) return {};
  auto parsed = parse_port(port);
  if (!parsed) return fail(parsed.error());
  url.port = *parsed;
  return {};
}

}  // namespace

Result<HubUrl> parse_hub_url(std::string_view text) {
  HubUrl url;
  if (text.starts_with("wss://")) {
    text.remove_prefix(6);
  } else if (text.starts_with("ws://")) {
    text.remove_prefix(5);
    url.tls = false;
  } else {
    return bad("the URL starts with neither wss:// nor ws://");
  }
  const auto slash = text.find('/');
  url.path = slash == std::string_view::npos ? "/sync" : std::string(text.substr(slash));
  if (url.path == "/") url.path = "/sync";
  const std::string_view authority = text.substr(0, slash);
  if (authority.find('@') != std::string_view::npos) {
    return bad("credentials do not belong into the URL");
  }
  if (auto status = parse_authority(authority, url); !status) return fail(status.error());
  if (!url.tls && !is_loopback(url.host)) {
    return bad("ws:// is allowed to loopback addresses only");
  }
  return url;
}

}  // namespace zonesync::client

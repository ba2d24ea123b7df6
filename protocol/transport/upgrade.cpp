#include "protocol/transport/upgrade.hpp"

#include <algorithm>

namespace zonesync {
namespace {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string_view reason_phrase(unsigned status) {
  switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 503: return "Service Unavailable";
    default: return "Refused";
  }
}

std::string json_string(std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += hex[byte >> 4];
      out += hex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

/// The stable word of a refusal; the same words as the API's.
std::string_view problem_code(unsigned status) {
  switch (status) {
    case 401: return to_string(ErrorCode::unauthenticated);
    case 403: return to_string(ErrorCode::forbidden);
    case 404: return to_string(ErrorCode::not_found);
    case 408: return to_string(ErrorCode::timeout);
    case 411: return "length_required";
    case 413:
    case 431: return to_string(ErrorCode::too_large);
    case 426: return "upgrade_required";
    case 429: return to_string(ErrorCode::resource_exhausted);
    case 503: return to_string(ErrorCode::unavailable);
    default: return to_string(status < 500 ? ErrorCode::invalid_argument : ErrorCode::internal);
  }
}

}  // namespace

UpgradeDecision UpgradeDecision::accept(std::string subprotocol) {
  UpgradeDecision decision;
  decision.subprotocol = std::move(subprotocol);
  return decision;
}

UpgradeDecision UpgradeDecision::reject(unsigned status, std::string_view title,
                                        std::string_view detail) {
  UpgradeDecision decision;
  decision.status = status;
  decision.body = "{\"code\":" + json_string(problem_code(status)) +
                  ",\"detail\":" + json_string(detail) +
                  ",\"status\":" + std::to_string(status) + ",\"title\":" + json_string(title) +
                  ",\"type\":\"about:blank\"}\n";
  return decision;
}

std::string render_refusal(const UpgradeDecision& decision) {
  std::string out = "HTTP/1.1 " + std::to_string(decision.status) + " ";
  out += reason_phrase(decision.status);
  out += "\r\nConnection: close\r\nContent-Length: " + std::to_string(decision.body.size());
  if (!decision.body.empty()) out += "\r\nContent-Type: " + decision.content_type;
  if (decision.status == 426) out += "\r\nUpgrade: websocket";
  if (decision.status == 401) out += "\r\nWWW-Authenticate: Bearer";
  if (decision.retry_after) {
    out += "\r\nRetry-After: " + std::to_string(decision.retry_after->count());
  }
  return out + "\r\n\r\n" + decision.body;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    const auto item = trim(text.substr(0, comma));
    if (!item.empty()) items.emplace_back(item);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
}

std::string_view bearer_of(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size()) return {};
  const bool match =
      std::equal(kScheme.begin(), kScheme.end(), authorization.begin(),
                 [](char a, char b) { return a == ((b >= 'A' && b <= 'Z') ? b + 32 : b); });
  return match ? trim(authorization.substr(kScheme.size())) : std::string_view();
}

ErrorCode code_of_status(unsigned status) {
  switch (status) {
    case 401: return ErrorCode::unauthenticated;
    case 403: return ErrorCode::forbidden;
    case 404: return ErrorCode::not_found;
    case 400:
    case 426: return ErrorCode::unsupported;
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504: return ErrorCode::unavailable;
    default: return ErrorCode::protocol;
  }
}

std::string_view cut_close_reason(std::string_view reason) {
  constexpr std::size_t kMax = 123;
  if (reason.size() <= kMax) return reason;
  std::size_t end = kMax;
  while (end > 0 && (static_cast<unsigned char>(reason[end]) & 0xC0) == 0x80) --end;
  return reason.substr(0, end);
}

}  // namespace zonesync

#include "server/cli/outcome.hpp"

#include "protocol/model/limits.hpp"
#include "server/cli/json_fields.hpp"

namespace zonesync::cli {
namespace {

Exit exit_of(unsigned status) {
  switch (status) {
    case 401:
    case 403: return Exit::auth;
    case 404:
    case 410: return Exit::not_found;
    case 409:
    case 412: return Exit::conflict;
    case 400:
    case 413:
    case 415:
    case 422: return Exit::rejected;
    case 408:
    case 504: return Exit::timeout;
    default: return Exit::failed;
  }
}

std::string hint_of(const HttpResponse& response) {
  if (is_disk_full(response)) {
    return "free some space on the hub's disk; it takes writes again by itself, zones and reads go "
           "on meanwhile";
  }
  switch (response.status) {
    case 401:
      return "name a file with a valid API token: --token-file FILE or ZONESYNC_TOKEN_FILE";
    case 403: return "the token's role does not allow this; use a token with a higher role";
    case 429: return "the hub has too much to do or to keep; try again in a few seconds";
    case 503: return "the hub is busy or draining; try again in a few seconds";
    default: return {};
  }
}

}  // namespace

std::string one_line(std::string_view text) {
  constexpr std::size_t kMaxBytes = 2'048;
  std::string line(text.substr(0, kMaxBytes));
  for (std::size_t i = 0; i < line.size(); ++i) {
    char& c = line[i];
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = c == '\n' || c == '\t' ? ' ' : '?';
    // C1 controls, U+0080 to U+009F: terminals obey them like ESC sequences.
    const bool c1 = byte == 0xc2 && i + 1 < line.size() &&
                    (static_cast<unsigned char>(line[i + 1]) & 0xe0) == 0x80;
    if (c1) c = line[i + 1] = '?';
  }
  if (text.size() > kMaxBytes) line += " ...";
  return line;
}

bool is_disk_full(const HttpResponse& response) {
  if (response.status != 503) return false;
  const auto value = text::parse_json(response.body);
  return value && text_of(*value, "code") == to_string(ErrorCode::resource_exhausted);
}

Failure failure_of(const Error& error, std::string_view url) {
  const std::string where(url);
  switch (error.code) {
    case ErrorCode::unavailable:
      return {Exit::cannot_connect, "cannot reach the hub at " + where + ": " + error.message,
              "is zonesync-hub running, and is its address right? (--api URL or ZONESYNC_API)", {}};
    case ErrorCode::unauthenticated:
      return {Exit::cannot_connect,
              "the certificate of " + where + " is not trusted: " + error.message,
              "name the hub's CA certificate: --ca FILE or ZONESYNC_CA", {}};
    case ErrorCode::timeout:
      return {Exit::timeout, "no answer from the hub at " + where + ": " + error.message,
              "is the hub overloaded? look at its log and /readyz", {}};
    case ErrorCode::protocol:
      return {Exit::cannot_connect, where + " does not speak HTTP: " + error.message,
              "is this the API address and not the sync or metrics one?", {}};
    case ErrorCode::canceled: return {Exit::interrupted, "interrupted", {}, {}};
    default: return {Exit::failed, describe(error), {}, {}};
  }
}

Failure failure_of(const HttpResponse& response) {
  Failure failure;
  failure.exit = exit_of(response.status);
  failure.hint = hint_of(response);
  const auto value = text::parse_json(response.body);
  if (!value || !value->is_object()) {
    failure.message = "the hub answered " + std::to_string(response.status);
    return failure;
  }
  failure.problem = response.body;
  const std::string detail = text_of(*value, "detail");
  const std::string title = text_of(*value, "title");
  failure.message = !detail.empty()  ? detail
                    : !title.empty() ? title
                                     : "the hub answered " + std::to_string(response.status);
  if (const auto* parameters = array_of(*value, "invalid_parameters");
      parameters != nullptr && !parameters->empty()) {
    if (response.status == 403) {  // about what was sent, not who sent it
      failure.exit = Exit::rejected;
      failure.hint.clear();
    }
    const std::string reason = text_of(parameters->front(), "reason");
    const std::string field = text_of(parameters->front(), "field");
    if (!reason.empty() && reason != failure.message) failure.message += ": " + reason;
    if (!field.empty()) failure.message += " (" + field + ")";
  }
  return failure;
}

}  // namespace zonesync::cli

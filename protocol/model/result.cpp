#include "protocol/model/result.hpp"

#include <cstdio>
#include <cstdlib>

#include "protocol/model/assert.hpp"
#include "protocol/model/defect.hpp"

namespace zonesync {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument: return "invalid_argument";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::conflict: return "conflict";
    case ErrorCode::precondition_failed: return "precondition_failed";
    case ErrorCode::forbidden: return "forbidden";
    case ErrorCode::unauthenticated: return "unauthenticated";
    case ErrorCode::too_large: return "too_large";
    case ErrorCode::resource_exhausted: return "resource_exhausted";
    case ErrorCode::unavailable: return "unavailable";
    case ErrorCode::storage_io: return "storage_io";
    case ErrorCode::storage_corrupt: return "storage_corrupt";
    case ErrorCode::protocol: return "protocol";
    case ErrorCode::timeout: return "timeout";
    case ErrorCode::canceled: return "canceled";
    case ErrorCode::held: return "held";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::internal: return "internal";
  }
  return "unknown";
}

std::string describe(const Error& error) {
  std::string text(to_string(error.code));
  text += ": ";
  text += error.message;
  if (!error.field.empty()) {
    text += " (";
    text += error.field;
    text += ')';
  }
  return text;
}

namespace detail {
void assertion_failed(const char* expression, const char* file, int line) {
#ifdef ZONESYNC_DEFECTS
  throw defects::AssertionFailed{std::string(expression) + " at " + file + ":" +
                                 std::to_string(line)};
#endif
  std::fprintf(stderr, "zonesync: assertion failed: %s at %s:%d\n", expression, file, line);
  std::fflush(stderr);
  std::abort();
}
}  // namespace detail

}  // namespace zonesync

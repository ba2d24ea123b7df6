// The error vocabulary. Errors are values across module borders; exceptions never cross one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace zonesync {

/// What went wrong, in terms a caller can act on. Names are stable: they appear in logs, in
/// problem+json bodies and in rejects.
enum class ErrorCode : std::uint16_t {
  invalid_argument = 1,      // the input itself is wrong; retrying the same input cannot help
  not_found = 2,             // no such resource, zone, type, era ...
  conflict = 3,              // exists already, or owned by someone else
  precondition_failed = 4,   // If-Match, absent, up cursor or generation no longer holds
  forbidden = 5,             // known identity, not allowed
  unauthenticated = 6,       // missing, wrong or expired credential
  too_large = 7,             // over a limit of limits.hpp
  resource_exhausted = 8,    // a queue or table is full; retry later
  unavailable = 9,           // not reachable or not ready now; retry later
  storage_io = 10,           // the disk said no
  storage_corrupt = 11,      // the store does not verify; never continue
  protocol = 12,             // the peer broke a rule of docs/protocol.md
  timeout = 13,
  canceled = 14,
  held = 15,                 // a guard stopped it until someone approves (mass delete, partial log)
  unsupported = 16,          // version, feature or encoding this build does not have
  internal = 17,             // a bug; please report
};

[[nodiscard]] std::string_view to_string(ErrorCode code);

/// One failure: what (`code`, `message`), where (`field`: JSON pointer, file:line:col, key ...).
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;
  std::string field;

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string message,
                                                std::string field = {}) {
  return tl::unexpected<Error>(Error{code, std::move(message), std::move(field)});
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

/// "code: message (field)": one line for logs and terminals.
[[nodiscard]] std::string describe(const Error& error);

}  // namespace zonesync

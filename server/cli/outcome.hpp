// What a command ends with: exit codes and failures as people see them.
#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "protocol/http/types.hpp"
#include "protocol/model/result.hpp"

namespace zonesync::cli {

/// Exit codes are a promise to scripts (README.md of this folder).
enum class Exit : int {
  ok = 0,
  failed = 1,
  usage = 2,
  cannot_connect = 3,
  auth = 4,
  not_found = 5,
  conflict = 6,
  rejected = 7,
  timeout = 8,
  interrupted = 130,
};

/// One failure: `error: message` and, when there is something to do about it, `hint: hint`.
struct Failure {
  Exit exit = Exit::failed;
  std::string message;
  std::string hint;
  std::string problem;  // the hub's problem+json body; empty when it did not come from the hub
};

template <class T>
using Outcome = tl::expected<T, Failure>;

[[nodiscard]] inline tl::unexpected<Failure> give_up(Failure failure) {
  return tl::unexpected<Failure>(std::move(failure));
}
[[nodiscard]] inline tl::unexpected<Failure> give_up(Exit exit, std::string message,
                                                     std::string hint = {}) {
  return tl::unexpected<Failure>(Failure{exit, std::move(message), std::move(hint), {}});
}

/// The hub refuses writes until somebody frees space on its disk: asking again soon is of no use.
/// It answers 503, as when it is busy.
[[nodiscard]] bool is_disk_full(const HttpResponse& response);

/// A request that got no answer from the hub at `url`.
[[nodiscard]] Failure failure_of(const Error& error, std::string_view url);
/// An answer with an error status.
[[nodiscard]] Failure failure_of(const HttpResponse& response);

/// Control characters (escape sequences of a hostile name, line breaks) as `?`, bounded: texts of
/// others never steer the terminal and stay one line.
[[nodiscard]] std::string one_line(std::string_view text);

}  // namespace zonesync::cli

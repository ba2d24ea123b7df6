// Errors as the API answers them: application/problem+json (RFC 9457).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "protocol/http/types.hpp"
#include "protocol/model/result.hpp"

namespace zonesync::admin {

struct InvalidParameter {
  std::string field;   // JSON pointer into the body, line:column, query parameter or header
  std::string reason;
};

struct Problem {
  unsigned status = 500;
  std::string code;    // stable word; mostly the ErrorCode's name
  std::string detail;  // what and what to do
  std::vector<InvalidParameter> invalid_parameters = {};
  HttpHeaders headers = {};
  std::string inside = {};  // why, where `detail` may not say it: for the log, never sent
};

/// What a handler answers.
using Answer = tl::expected<HttpResponse, Problem>;

/// HTTP status of an error: 429 for a full queue, 503 for a full disk, 500 for what is our fault.
[[nodiscard]] unsigned status_of(const Error& error);
/// The error as a client may see it: what went wrong inside the hub is not told but logged, when
/// the Problem is sent.
[[nodiscard]] Problem problem_of(const Error& error);
[[nodiscard]] HttpResponse to_response(const Problem& problem);

[[nodiscard]] inline tl::unexpected<Problem> refuse(const Error& error) {
  return tl::unexpected<Problem>(problem_of(error));
}
[[nodiscard]] inline tl::unexpected<Problem> refuse(ErrorCode code, std::string message,
                                                    std::string field = {}) {
  return refuse(Error{code, std::move(message), std::move(field)});
}
[[nodiscard]] inline tl::unexpected<Problem> refuse(Problem problem) {
  return tl::unexpected<Problem>(std::move(problem));
}

/// A JSON body that is canonical text already. Answers are never cached.
[[nodiscard]] HttpResponse json_response(unsigned status, std::string body);
[[nodiscard]] HttpResponse text_response(unsigned status, std::string body);
[[nodiscard]] HttpResponse empty_response();  // 204

}  // namespace zonesync::admin

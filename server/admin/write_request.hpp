// What PUT, DELETE and POST /transactions have in common.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "server/admin/call.hpp"

namespace zonesync::admin {

/// The body as one JSON value, by Content-Type: JSON (also without one) or one YAML document.
/// Problems: 415, too_large, invalid_argument with line:column.
[[nodiscard]] tl::expected<boost::json::value, Problem> read_body(const Call& call);

/// A request without operations: dryRun, Idempotency-Key, actor. Errors: invalid_argument,
/// too_large.
[[nodiscard]] Result<hub::WriteRequest> base_request(const Call& call);

/// If-Match and If-None-Match into `op`. Errors: invalid_argument (more than one revision, a weak
/// or foreign tag, both headers).
[[nodiscard]] Status read_preconditions(const Call& call, hub::WriteOp& op);

/// Refuses the spec that a viewer saw in place of a secret. Errors: invalid_argument.
[[nodiscard]] Status check_not_redacted(const TypeRegistry& registry, const Resource& resource);

[[nodiscard]] boost::json::object outcome_json(const hub::WriteOutcome& outcome);

/// Submits, then runs `answer` on one of the server's own threads and sends what it returns. The
/// field of an error starts with `field_prefix` in place of the hub's "/ops"; a lone operation's
/// number is left out when `field_prefix` is empty.
using WriteAnswer = std::function<Answer(const hub::WriteResult&)>;
void submit(Call call, hub::WriteRequest request, std::string field_prefix, WriteAnswer answer);

}  // namespace zonesync::admin

#include "server/hub/write.hpp"

#include <set>

#include "protocol/model/limits.hpp"
#include "protocol/wire/codec.hpp"
#include "server/hub/system_entries.hpp"

namespace zonesync::hub {
namespace {

Error at_op(Error error, std::size_t index) {
  const bool slash = error.field.empty() || error.field.front() == '/';
  error.field = "/ops/" + std::to_string(index) + (slash ? "" : "/") + error.field;
  return error;
}

Result<Change> prepare_op(const TypeRegistry& registry, const Writer& writer, const WriteOp& op) {
  const ResourceKey& key = op.kind == WriteOp::Kind::upsert ? op.resource.key : op.key;
  if (is_system_type(key.type)) {
    return fail(ErrorCode::invalid_argument,
                "types that begin with '$' belong to the hub and cannot be written", "type");
  }
  if (op.if_match && op.if_absent) {
    return fail(ErrorCode::invalid_argument, "if_match and if_absent exclude each other",
                "if_match");
  }
  if (op.kind == WriteOp::Kind::remove) {
    if (auto allowed = may_remove(registry, writer, key); !allowed) {
      return fail(std::move(allowed.error()));
    }
    Change change;
    change.kind = ChangeKind::leave;
    change.key = key;
    return change;
  }
  if (auto allowed = may_write(registry, writer, op.resource); !allowed) {
    return fail(std::move(allowed.error()));
  }
  auto cls = class_of(registry, op.resource);
  if (!cls) return fail(std::move(cls.error()));
  return wire::make_upsert(*cls, op.resource);
}

/// Same ops, same hash; length prefixes keep neighbours apart.
void describe_op(std::string& out, const PreparedWrite::Op& op) {
  const auto field = [&out](std::string_view bytes) {
    out += std::to_string(bytes.size());
    out += ':';
    out += bytes;
  };
  out += op.change.kind == ChangeKind::upsert ? 'u' : 'r';
  field(to_hex(fingerprint(op.change.key)));
  field(to_hex(op.change.hash.id));
  field(op.if_match ? std::to_string(op.if_match->value) : std::string());
  out += op.if_absent ? 'a' : '-';
}

}  // namespace

std::string_view to_string(WriteAction action) {
  switch (action) {
    case WriteAction::created: return "created";
    case WriteAction::updated: return "updated";
    case WriteAction::unchanged: return "unchanged";
    case WriteAction::removed: return "removed";
    case WriteAction::absent: return "absent";
  }
  return "unknown";
}

Result<PreparedWrite> prepare(const TypeRegistry& registry, const WriteRequest& request) {
  if (request.ops.empty()) {
    return fail(ErrorCode::invalid_argument, "a transaction needs at least one operation", "ops");
  }
  if (request.ops.size() > limits::kTransactionMaxChanges) {
    return fail(ErrorCode::too_large,
                "a transaction may hold " + std::to_string(limits::kTransactionMaxChanges) +
                    " operations, not " + std::to_string(request.ops.size()) + "; split it",
                "ops");
  }
  if (request.idempotency_key.size() > limits::kIdempotencyKeyMaxBytes) {
    return fail(ErrorCode::too_large,
                "an idempotency key may be " + std::to_string(limits::kIdempotencyKeyMaxBytes) +
                    " bytes long",
                "idempotency_key");
  }
  PreparedWrite prepared;
  prepared.dry_run = request.dry_run;
  prepared.idempotency_key = request.idempotency_key;
  prepared.source = request.actor.empty() ? "api" : "api/" + request.actor;
  prepared.ops.reserve(request.ops.size());
  std::set<ResourceKey> seen;
  std::string description;
  for (std::size_t index = 0; index < request.ops.size(); ++index) {
    const auto& op = request.ops[index];
    auto change = prepare_op(registry, request.writer, op);
    if (!change) return fail(at_op(std::move(change.error()), index));
    if (!seen.insert(change->key).second) {
      return fail(at_op(Error{ErrorCode::invalid_argument,
                              "the transaction names " + to_string(change->key) +
                                  " twice; one operation per key",
                              "name"},
                        index));
    }
    prepared.bytes += change->payload.size();
    if (prepared.bytes > limits::kTransactionMaxBytes && request.ops.size() > 1) {
      return fail(at_op(Error{ErrorCode::too_large,
                              "a transaction may hold " +
                                  std::to_string(limits::kTransactionMaxBytes) +
                                  " bytes; split it",
                              ""},
                        index));
    }
    prepared.ops.push_back({std::move(*change), op.if_match, op.if_absent});
    describe_op(description, prepared.ops.back());
  }
  prepared.request_hash = hash_bytes(description);
  return prepared;
}

}  // namespace zonesync::hub

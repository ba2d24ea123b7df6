// POST /transactions: many writes, all or nothing.
#include <boost/json/array.hpp>

#include "protocol/text/json_value.hpp"
#include "protocol/text/resource_fields.hpp"
#include "server/admin/handlers.hpp"
#include "server/admin/write_request.hpp"

namespace zonesync::admin {
namespace {

namespace json = boost::json;

constexpr std::string_view kDefaultMesh = "default";

tl::unexpected<Error> wrong(std::string reason, std::string field) {
  return fail(ErrorCode::invalid_argument, std::move(reason), std::move(field));
}

std::string name_of(const json::key_value_pair& member) {
  return {member.key().data(), member.key().size()};
}

/// Errors name the first member that is not known.
Status only(const json::object& object, std::initializer_list<std::string_view> known,
            const std::string& field) {
  for (const auto& member : object) {
    const std::string name = name_of(member);
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return wrong("is not a field of it", field + '/' + name);
    }
  }
  return {};
}

Result<std::string> text_member(const json::object& object, std::string_view name,
                                const std::string& field) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr) return std::string();
  if (!value->is_string()) return wrong("must be a string", field + '/' + std::string(name));
  return std::string(value->get_string());
}

Result<ResourceKey> read_key(const json::value& value, const TypeRegistry& registry,
                             const std::string& field) {
  if (!value.is_object()) return wrong("must be an object", field);
  const json::object& object = value.get_object();
  if (Status known = only(object, {"type", "mesh", "origin", "name"}, field); !known) {
    return fail(known.error());
  }
  ResourceKey key;
  const std::pair<std::string_view, std::string*> parts[] = {
      {"type", &key.type}, {"mesh", &key.mesh}, {"origin", &key.origin}, {"name", &key.name}};
  for (const auto& [name, target] : parts) {
    Result<std::string> part = text_member(object, name, field);
    if (!part) return fail(part.error());
    *target = std::move(*part);
  }
  const Result<const TypeInfo*> info = registry.require(key.type);
  if (!info) {
    Error error = info.error();
    error.field = field + "/type";
    return fail(std::move(error));
  }
  if (key.origin.empty()) key.origin = kGlobalOrigin;
  if (key.mesh.empty() && (*info)->scope == TypeScope::mesh) key.mesh = kDefaultMesh;
  return key;
}

Status read_conditions(const json::object& object, const std::string& field, hub::WriteOp& op) {
  if (const json::value* match = object.if_contains("ifMatch")) {
    boost::system::error_code error;
    const auto revision = match->to_number<std::uint64_t>(error);
    if (error || match->is_double()) return wrong("must be a revision", field + "/ifMatch");
    op.if_match = Revision{revision};
  }
  if (const json::value* absent = object.if_contains("ifAbsent")) {
    if (!absent->is_bool()) return wrong("must be true or false", field + "/ifAbsent");
    op.if_absent = absent->get_bool();
  }
  return {};
}

Result<hub::WriteOp> read_upsert(json::object& object, const TypeRegistry& registry,
                                 const std::string& field) {
  json::value* document = object.if_contains("resource");
  if (document == nullptr || object.contains("key")) {
    return wrong("an upsert has a 'resource' and no 'key'", field);
  }
  text::FieldRules rules;
  rules.origin = kGlobalOrigin;
  Result<Resource> resource =
      text::resource_from_value(std::move(*document), registry, rules);
  Status shown;
  if (resource) shown = check_not_redacted(registry, *resource);
  if (!resource || !shown) {
    Error error = resource ? std::move(shown.error()) : std::move(resource.error());
    error.field = field + "/resource" + (error.field == "/" ? "" : error.field);
    return fail(std::move(error));
  }
  hub::WriteOp op;
  op.resource = std::move(*resource);
  return op;
}

Result<hub::WriteOp> read_remove(const json::object& object, const TypeRegistry& registry,
                                 const std::string& field) {
  const json::value* value = object.if_contains("key");
  if (value == nullptr || object.contains("resource")) {
    return wrong("a remove has a 'key' and no 'resource'", field);
  }
  Result<ResourceKey> key = read_key(*value, registry, field + "/key");
  if (!key) return fail(std::move(key.error()));
  hub::WriteOp op;
  op.kind = hub::WriteOp::Kind::remove;
  op.key = std::move(*key);
  return op;
}

Result<hub::WriteOp> read_operation(json::value& value, const TypeRegistry& registry,
                                    const std::string& field) {
  if (!value.is_object()) return wrong("must be an object", field);
  json::object& object = value.get_object();
  const Status known = only(object, {"op", "resource", "key", "ifMatch", "ifAbsent"}, field);
  if (!known) return fail(known.error());
  const Result<std::string> kind = text_member(object, "op", field);
  if (!kind) return fail(kind.error());
  if (*kind != "upsert" && *kind != "remove") {
    return wrong("must be 'upsert' or 'remove'", field + "/op");
  }
  Result<hub::WriteOp> op = *kind == "upsert" ? read_upsert(object, registry, field)
                                              : read_remove(object, registry, field);
  if (!op) return op;
  if (Status read = read_conditions(object, field, *op); !read) return fail(read.error());
  return op;
}

tl::expected<hub::WriteRequest, Problem> read_request(const Call& call) {
  Result<hub::WriteRequest> request = base_request(call);
  if (!request) return refuse(request.error());
  auto body = read_body(call);
  if (!body) return refuse(std::move(body.error()));
  if (!body->is_object()) {
    return refuse(ErrorCode::invalid_argument, "the body must be an object with 'operations'");
  }
  json::object& object = body->get_object();
  if (const Status known = only(object, {"operations"}, ""); !known) return refuse(known.error());
  json::value* operations = object.if_contains("operations");
  if (operations == nullptr || !operations->is_array() || operations->get_array().empty()) {
    return refuse(ErrorCode::invalid_argument, "must be an array with at least one operation",
                  "/operations");
  }
  json::array& list = operations->get_array();
  if (list.size() > limits::kTransactionMaxChanges) {
    return refuse(ErrorCode::too_large,
                  "a transaction has at most " + std::to_string(limits::kTransactionMaxChanges) +
                      " operations; split it", "/operations");
  }
  const auto registry = call.hub().registry();
  for (std::size_t i = 0; i < list.size(); ++i) {
    Result<hub::WriteOp> op =
        read_operation(list[i], *registry, "/operations/" + std::to_string(i));
    if (!op) return refuse(op.error());
    request->ops.push_back(std::move(*op));
  }
  return std::move(*request);
}

}  // namespace

void post_transaction(Call call) {
  tl::expected<hub::WriteRequest, Problem> request = read_request(call);
  if (!request) return call.reply->send(request.error());
  const auto answer = [](const hub::WriteResult& result) -> Answer {
    json::array outcomes;
    for (const hub::WriteOutcome& outcome : result.outcomes) {
      outcomes.push_back(outcome_json(outcome));
    }
    json::object body;
    body["revision"] = result.revision.value;
    body["changed"] = result.changed;
    body["replayed"] = result.replayed;
    body["outcomes"] = std::move(outcomes);
    return json_response(200, text::write_canonical(std::move(body)));
  };
  submit(std::move(call), std::move(*request), "/operations", answer);
}

}  // namespace zonesync::admin

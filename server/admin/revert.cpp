// POST /revert: what is of origin global becomes what it was at a revision, as a new transaction.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "protocol/text/json_value.hpp"
#include "protocol/wire/codec.hpp"
#include "server/admin/handlers.hpp"
#include "server/admin/past.hpp"
#include "server/admin/write_request.hpp"

namespace zonesync::admin {
namespace {

namespace json = boost::json;

struct RevertRequest {
  Revision revision;
  PastFilter filter;
};

Result<std::optional<std::string>> text_field(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) {
    return fail(ErrorCode::invalid_argument, "must be a string", '/' + std::string(name));
  }
  return std::string(value->get_string());
}

Result<RevertRequest> read_revert(const json::value& body, const TypeRegistry& registry) {
  if (!body.is_object()) {
    return fail(ErrorCode::invalid_argument, "the body must be an object with 'revision'");
  }
  const json::object& object = body.get_object();
  for (const auto& member : object) {
    const std::string name(member.key().data(), member.key().size());
    if (name != "revision" && name != "type" && name != "mesh" && name != "name") {
      return fail(ErrorCode::invalid_argument, "is not a field of it", '/' + name);
    }
  }
  RevertRequest request;
  const json::value* revision = object.if_contains("revision");
  boost::system::error_code error;
  const auto number = revision == nullptr || revision->is_double()
                          ? std::optional<std::uint64_t>()
                          : revision->to_number<std::uint64_t>(error);
  if (error || !number) return fail(ErrorCode::invalid_argument, "must be a revision", "/revision");
  request.revision = Revision{*number};
  std::optional<std::string>* fields[] = {&request.filter.type, &request.filter.mesh,
                                          &request.filter.name};
  const std::string_view names[] = {"type", "mesh", "name"};
  for (std::size_t i = 0; i < 3; ++i) {
    Result<std::optional<std::string>> field = text_field(object, names[i]);
    if (!field) return fail(std::move(field.error()));
    *fields[i] = std::move(*field);
  }
  if (request.filter.type) {
    if (const auto known = registry.require(*request.filter.type); !known) {
      return fail(known.error().code, known.error().message, "/type");
    }
  }
  if (request.filter.name && !request.filter.type) {
    return fail(ErrorCode::invalid_argument, "a name needs a type", "/name");
  }
  request.filter.origin = std::string(kGlobalOrigin);
  return request;
}

/// What brings a key back. It holds for the version that the plan saw: a write in between is not
/// undone unseen, the whole transaction is refused.
Result<hub::WriteOp> operation_of(const PastDifference& item) {
  hub::WriteOp op;
  if (item.before) {
    op.if_match = item.before->position.revision;
  } else {
    op.if_absent = true;
  }
  if (!item.after) {
    op.kind = hub::WriteOp::Kind::remove;
    op.key = item.key;
    return op;
  }
  Result<Resource> resource = wire::resource_of(item.after->change.payload);
  if (!resource) return fail(std::move(resource.error()));
  op.resource = std::move(*resource);
  return op;
}

/// Whether the one resource that was named was ever the hub's: now, or at that revision.
Status check_owned(const ChangeLog& log, const TypeRegistry& registry,
                   const RevertRequest& revert) {
  const PastFilter& filter = revert.filter;
  const TypeInfo* info = filter.type ? registry.find(*filter.type) : nullptr;
  if (info == nullptr || !filter.name) return {};
  if (info->scope == TypeScope::mesh && !filter.mesh) return {};
  const ResourceKey key{info->name, filter.mesh.value_or(""), *filter.origin, *filter.name};
  for (const Revision at : {revert.revision, log.state().head}) {
    const auto entry = log.entry_at(key, at);
    if (!entry) return fail(entry.error());
    if (*entry) return {};
  }
  return fail(ErrorCode::not_found,
              "there is no " + to_string(key) + ", and at revision " +
                  std::to_string(revert.revision.value) +
                  " there was none; what a zone owns is brought back in that zone",
              "/name");
}

tl::expected<hub::WriteRequest, Problem> plan_revert(const Call& call) {
  Result<hub::WriteRequest> request = base_request(call);
  if (!request) return refuse(request.error());
  auto body = read_body(call);
  if (!body) return refuse(std::move(body.error()));
  const auto registry = call.hub().registry();
  const Result<RevertRequest> revert = read_revert(*body, *registry);
  if (!revert) return refuse(revert.error());
  const ChangeLog& log = call.hub().log();
  const LogState state = past_of_type(log, revert->filter.type);
  if (auto past = judge_past(state, revert->revision, "/revision")) return refuse(std::move(*past));
  Position after = Position::start();
  for (;;) {
    const auto page = compare_past(log, state.head, revert->revision, revert->filter, after,
                                   limits::kTransactionMaxChanges);
    if (!page) return refuse(page.error());
    if (request->ops.size() + page->items.size() > limits::kTransactionMaxChanges) {
      return refuse(ErrorCode::too_large,
                    "more than " + std::to_string(limits::kTransactionMaxChanges) +
                        " resources differ; narrow it by type, mesh or name",
                    "/revision");
    }
    for (const PastDifference& item : page->items) {
      Result<hub::WriteOp> op = operation_of(item);
      if (!op) return refuse(op.error());
      request->ops.push_back(std::move(*op));
    }
    if (!page->next) break;
    after = *page->next;
  }
  const LogState now = past_of_type(log, revert->filter.type);
  if (auto past = judge_past(now, revert->revision, "/revision")) {
    return refuse(std::move(*past));
  }
  if (request->ops.empty()) {
    if (Status owned = check_owned(log, *registry, *revert); !owned) return refuse(owned.error());
  }
  return std::move(*request);
}

Answer result_of(const hub::WriteResult& result) {
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
}

}  // namespace

void post_revert(Call call) {
  tl::expected<hub::WriteRequest, Problem> request = plan_revert(call);
  if (!request) return call.reply->send(request.error());
  if (request->ops.empty()) {  // nothing differs: an answer, not an error
    hub::WriteResult nothing;
    nothing.revision = call.hub().log().state().head;
    return call.reply->send(result_of(nothing));
  }
  submit(std::move(call), std::move(*request), "/operations", result_of);
}

}  // namespace zonesync::admin

// PUT and DELETE of one resource.
#include "protocol/text/json_value.hpp"
#include "protocol/text/resource_fields.hpp"
#include "protocol/text/resource_text.hpp"
#include "server/admin/handlers.hpp"
#include "server/admin/resource_path.hpp"
#include "server/admin/write_request.hpp"

namespace zonesync::admin {
namespace {

using hub::WriteAction;

tl::expected<hub::WriteRequest, Problem> put_request(const Call& call) {
  const auto registry = call.hub().registry();
  const Result<ResourceKey> key = key_of_path(call, *registry);
  if (!key) return refuse(key.error());
  Result<hub::WriteRequest> request = base_request(call);
  if (!request) return refuse(request.error());
  hub::WriteOp op;
  if (const Status read = read_preconditions(call, op); !read) return refuse(read.error());
  auto body = read_body(call);
  if (!body) return refuse(std::move(body.error()));
  text::FieldRules rules;
  rules.origin = key->origin;
  rules.expected = &*key;
  Result<Resource> resource = text::resource_from_value(std::move(*body), *registry, rules);
  if (!resource) return refuse(resource.error());
  if (const Status shown = check_not_redacted(*registry, *resource); !shown) {
    return refuse(shown.error());
  }
  op.resource = std::move(*resource);
  request->ops.push_back(std::move(op));
  return std::move(*request);
}

tl::expected<hub::WriteRequest, Problem> delete_request(const Call& call) {
  const auto registry = call.hub().registry();
  const Result<ResourceKey> key = key_of_path(call, *registry);
  if (!key) return refuse(key.error());
  Result<hub::WriteRequest> request = base_request(call);
  if (!request) return refuse(request.error());
  if (call.http.headers.has("If-None-Match")) {
    return refuse(ErrorCode::invalid_argument, "has no meaning with DELETE", "If-None-Match");
  }
  hub::WriteOp op;
  op.kind = hub::WriteOp::Kind::remove;
  if (const Status read = read_preconditions(call, op); !read) return refuse(read.error());
  op.key = *key;
  request->ops.push_back(std::move(op));
  return std::move(*request);
}

}  // namespace

void put_resource(Call call) {
  tl::expected<hub::WriteRequest, Problem> request = put_request(call);
  if (!request) return call.reply->send(request.error());
  const bool dry_run = request->dry_run;
  std::string text = resource_to_json(request->ops.front().resource);
  const auto answer = [dry_run, text = std::move(text)](const hub::WriteResult& result) -> Answer {
    const hub::WriteOutcome& outcome = result.outcomes.at(0);
    const bool created = outcome.action == WriteAction::created && !dry_run;
    HttpResponse response = json_response(created ? 201 : 200, text);
    response.headers.set("Zonesync-Outcome", std::string(hub::to_string(outcome.action)));
    if (outcome.revision.value != 0) {
      response.headers.set("ETag", '"' + std::to_string(outcome.revision.value) + '"');
    }
    return response;
  };
  submit(std::move(call), std::move(*request), "", answer);
}

void delete_resource(Call call) {
  tl::expected<hub::WriteRequest, Problem> request = delete_request(call);
  if (!request) return call.reply->send(request.error());
  const auto answer = [](const hub::WriteResult& result) -> Answer {
    const hub::WriteOutcome& outcome = result.outcomes.at(0);
    if (outcome.action == WriteAction::absent) {
      return refuse(ErrorCode::not_found, "there is no " + to_string(outcome.key));
    }
    return json_response(200, text::write_canonical(outcome_json(outcome)));
  };
  submit(std::move(call), std::move(*request), "", answer);
}

}  // namespace zonesync::admin

// Mass operations: start, look at, cancel.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "protocol/text/json_value.hpp"
#include "server/admin/handlers.hpp"
#include "server/admin/write_request.hpp"

namespace zonesync::admin {
namespace {

namespace json = boost::json;

constexpr std::string_view kDeleteMesh = "delete_mesh";
constexpr std::size_t kCountPage = 1'000;

json::object job_json(const hub::JobStatus& job) {
  json::object out;
  out["id"] = job.id;
  out["kind"] = job.kind;
  out["mesh"] = job.mesh;
  out["actor"] = job.actor;
  out["state"] = hub::to_string(job.state);
  out["total"] = job.total;
  out["done"] = job.done;
  out["kept"] = job.kept;
  out["started_ms"] = job.started_ms;
  out["ended_ms"] = job.ended_ms;
  return out;
}

Result<std::string> mesh_of(const json::value& body) {
  if (!body.is_object()) {
    return fail(ErrorCode::invalid_argument, "the body must be an object with 'kind' and 'mesh'");
  }
  for (const auto& member : body.get_object()) {
    const std::string name(member.key().data(), member.key().size());
    if (name != "kind" && name != "mesh") {
      return fail(ErrorCode::invalid_argument, "is not a field of it", '/' + name);
    }
  }
  const json::value* kind = body.get_object().if_contains("kind");
  if (kind == nullptr || !kind->is_string() || kind->get_string() != kDeleteMesh) {
    return fail(ErrorCode::invalid_argument, "must be 'delete_mesh'", "/kind");
  }
  const json::value* mesh = body.get_object().if_contains("mesh");
  if (mesh == nullptr || !mesh->is_string()) {
    return fail(ErrorCode::invalid_argument, "must be the name of a mesh", "/mesh");
  }
  std::string name(mesh->get_string());
  if (Status valid = check_resource_name(name, "/mesh"); !valid) return fail(valid.error());
  return name;
}

/// What there is to remove, and what zones own and will stay.
Status count(const ChangeLog& log, const TypeRegistry& registry, hub::JobRequest& request) {
  for (const TypeInfo* info : registry.all()) {
    if (info->scope != TypeScope::mesh) continue;
    ListFilter filter;
    filter.type = info->name;
    filter.mesh = request.mesh;
    std::optional<ResourceKey> after;
    do {
      const auto page = log.list(filter, after, kCountPage);
      if (!page) return fail(page.error());
      for (const LogEntry& entry : page->entries) {
        ++(entry.change.key.origin == kGlobalOrigin ? request.total : request.kept);
      }
      after = page->next;
    } while (after);
  }
  const auto mesh = log.latest(ResourceKey{"Mesh", "", std::string(kGlobalOrigin), request.mesh});
  if (!mesh) return fail(mesh.error());
  if (*mesh && (*mesh)->kind == ChangeKind::upsert) ++request.total;
  return {};
}

hub::JobDone answer_later(Call call, unsigned status) {
  return [call = std::move(call), status](Result<hub::JobStatus> job) {
    call.context->executor.post([call, status, job = std::move(job)] {
      if (!job) return call.reply->send(problem_of(job.error()));
      call.context->logger->log({LogLevel::info, "api.job", "a user started or ended a job",
                                 {{"actor", "user/" + call.user.subject},
                                  {"job", job->id},
                                  {"kind", job->kind},
                                  {"mesh", job->mesh},
                                  {"state", std::string(hub::to_string(job->state))}}});
      HttpResponse response = json_response(status, text::write_canonical(job_json(*job)));
      response.headers.set("Location", "/jobs/" + job->id);
      call.reply->send(std::move(response));
    });
  };
}

}  // namespace

Answer list_jobs(const Call& call) {
  json::array items;
  for (const hub::JobStatus& job : call.hub().jobs()) items.push_back(job_json(job));
  json::object body;
  body["items"] = std::move(items);
  return json_response(200, text::write_canonical(std::move(body)));
}

Answer get_job(const Call& call) {
  for (const hub::JobStatus& job : call.hub().jobs()) {
    if (job.id == call.param("job")) {
      return json_response(200, text::write_canonical(job_json(job)));
    }
  }
  return refuse(ErrorCode::not_found,
                "there is no job '" + call.param("job") + "'; old ones are forgotten");
}

void post_job(Call call) {
  const Result<bool> dry_run = query_flag(call, "dryRun");
  if (!dry_run) return call.reply->send(problem_of(dry_run.error()));
  const auto body = read_body(call);
  if (!body) return call.reply->send(body.error());
  Result<std::string> mesh = mesh_of(*body);
  if (!mesh) return call.reply->send(problem_of(mesh.error()));
  hub::JobRequest request;
  request.mesh = std::move(*mesh);
  request.actor = "user/" + call.user.subject;
  hub::HubApi& hub = call.hub();
  if (Status counted = count(hub.log(), *hub.registry(), request); !counted) {
    return call.reply->send(problem_of(counted.error()));
  }
  if (request.total + request.kept == 0) {
    return call.reply->send(problem_of(Error{
        ErrorCode::not_found, "there is no mesh '" + request.mesh + "' and nothing in it",
        "/mesh"}));
  }
  if (*dry_run) {
    hub::JobStatus plan;
    plan.kind = kDeleteMesh;
    plan.mesh = request.mesh;
    plan.actor = request.actor;
    plan.total = request.total;
    plan.kept = request.kept;
    json::object shown = job_json(plan);
    shown["state"] = "planned";
    return call.reply->send(json_response(200, text::write_canonical(std::move(shown))));
  }
  hub.start_mesh_deletion(std::move(request), answer_later(std::move(call), 202));
}

void cancel_job(Call call) {
  const std::string id = call.param("job");
  hub::HubApi& hub = call.hub();
  hub.cancel_job(id, answer_later(std::move(call), 200));
}

}  // namespace zonesync::admin

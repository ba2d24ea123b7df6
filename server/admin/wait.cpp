// GET /wait: a long poll until zones have applied a revision.
#include <limits>
#include <set>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "protocol/text/json_value.hpp"
#include "server/admin/handlers.hpp"

namespace zonesync::admin {
namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds kTimeoutDefault{10'000};

struct WaitRequest {
  Revision revision;
  std::vector<std::string> zones;
  std::chrono::milliseconds timeout = kTimeoutDefault;
};

Result<std::vector<std::string>> read_zones(const Call& call) {
  const std::optional<std::string> text = call.query("zones");
  if (!text) return std::vector<std::string>();
  std::set<std::string> names;
  for (std::size_t at = 0; at <= text->size();) {
    const std::size_t comma = std::min(text->find(',', at), text->size());
    std::string name = text->substr(at, comma - at);
    if (Status valid = check_zone_name(name); !valid) {
      return fail(ErrorCode::invalid_argument, valid.error().message, "zones");
    }
    if (!call.hub().zone(name)) {
      return fail(ErrorCode::not_found, "there is no zone '" + name + "'", "zones");
    }
    names.insert(std::move(name));
    at = comma + 1;
  }
  return std::vector<std::string>(names.begin(), names.end());
}

Result<WaitRequest> read_wait(const Call& call) {
  using std::chrono::milliseconds;
  const auto max = std::chrono::duration_cast<milliseconds>(call.context->options.wait_max);
  const auto revision =
      query_number(call, "revision", 0, std::numeric_limits<std::int64_t>::max());
  if (!revision) return fail(revision.error());
  const auto timeout = query_duration(call, "timeout", max);
  if (!timeout) return fail(timeout.error());
  Result<std::vector<std::string>> zones = read_zones(call);
  if (!zones) return fail(std::move(zones.error()));
  WaitRequest wait;
  wait.revision = *revision ? Revision{**revision} : call.hub().info().head;
  wait.timeout = timeout->value_or(std::min(max, kTimeoutDefault));
  wait.zones = std::move(*zones);
  return wait;
}

json::array names_json(const std::vector<std::string>& names) {
  json::array out;
  for (const std::string& name : names) out.push_back(json::value(name));
  return out;
}

HttpResponse wait_response(Revision revision, const hub::WaitResult& result) {
  json::object body;
  body["revision"] = revision.value;
  body["reached"] = result.reached;
  body["reached_zones"] = names_json(result.reached_zones);
  body["missing_zones"] = names_json(result.missing_zones);
  return json_response(200, text::write_canonical(std::move(body)));
}

}  // namespace

void wait_for_revision(Call call) {
  Result<WaitRequest> wait = read_wait(call);
  if (!wait) return call.reply->send(problem_of(wait.error()));
  const ContextPtr context = call.context;
  if (context->waits.fetch_add(1) >= context->options.waits_max) {
    --context->waits;
    return call.reply->send(problem_of(
        Error{ErrorCode::resource_exhausted, "too many requests wait already; try again later"}));
  }
  const Revision revision = wait->revision;
  const ReplyPtr reply = call.reply;
  const auto done = [context, reply, revision](hub::WaitResult result) {
    --context->waits;
    context->executor.post([reply, revision, result = std::move(result)] {
      reply->send(wait_response(revision, result));
    });
  };
  context->hub.wait_revision(std::move(wait->zones), revision, wait->timeout, done);
}

}  // namespace zonesync::admin

// POST /zones/{zone}/..., PUT /zones/{zone}/scope and POST /types: what an operator does while the
// hub runs. Each is durable, live, and leaves a log event with its actor.
#include <exception>

#include "server/admin/handlers.hpp"
#include "server/admin/problem.hpp"
#include "server/admin/write_request.hpp"
#include "server/admin/zone_json.hpp"
#include "server/hub/scope_json.hpp"

namespace zonesync::admin {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

constexpr milliseconds kRetryAfterMax = std::chrono::hours(24);
constexpr milliseconds kRetryAfterDefault = std::chrono::seconds(30);

/// Answers 204 and logs `event` once the hub did it.
hub::StatusDone when_done(Call call, std::string event, std::string message, std::string subject) {
  return [call = std::move(call), event = std::move(event), message = std::move(message),
          subject = std::move(subject)](Status status) {
    call.context->executor.post([call, event, message, subject, status = std::move(status)] {
      if (!status) return call.reply->send(refuse(status.error()));
      call.context->logger->log({LogLevel::info, event, message,
                                 {{"actor", "user/" + call.user.subject}, {"subject", subject}}});
      call.reply->send(empty_response());
    });
  };
}

void change(Call call, hub::ZoneChange to, std::string event, std::string message) {
  if (!call.http.body.empty() && call.http.body != "{}") {
    return call.reply->send(refuse(ErrorCode::invalid_argument, "this operation takes no body"));
  }
  const std::string name = call.param("zone");
  hub::HubApi& hub = call.hub();
  hub.change_zone(name, std::move(to),
                  when_done(std::move(call), std::move(event), std::move(message), name));
}

/// Reads a body with `read`; what Boost.JSON throws becomes a problem.
template <class Value, class Read>
tl::expected<Value, Problem> read_as(const Call& call, Read read) {
  const auto body = read_body(call);
  if (!body) return refuse(body.error());
  try {
    return read(body->as_object());
  } catch (const std::exception& error) {
    return refuse(ErrorCode::invalid_argument,
                  std::string("the body is not what docs/openapi.yaml describes: ") +
                      error.what());
  }
}

bool flag(const json::object& body, std::string_view name) {
  const json::value* value = body.if_contains(name);
  return value != nullptr && value->as_bool();
}

TypeInfo type_from(const json::object& body) {
  TypeInfo type;
  type.name = std::string(body.at("name").as_string());
  type.plural = std::string(body.at("plural").as_string());
  if (const auto* scope = body.if_contains("scope")) {
    if (scope->as_string() != "mesh" && scope->as_string() != "global") {
      throw std::invalid_argument("scope is mesh or global");
    }
    type.scope = scope->as_string() == "mesh" ? TypeScope::mesh : TypeScope::global;
  }
  type.global_to_zones = flag(body, "global_to_zones");
  type.zone_to_global = flag(body, "zone_to_global");
  type.synced_across_zones = flag(body, "synced_across_zones");
  type.provided_by_global = flag(body, "provided_by_global");
  type.legacy = flag(body, "legacy");
  type.sensitive = flag(body, "sensitive");
  if (const auto* rank = body.if_contains("rank")) type.rank = rank->to_number<int>();
  if (const auto* bytes = body.if_contains("max_bytes")) {
    type.max_bytes = bytes->to_number<std::size_t>();
  }
  if (const auto* labels = body.if_contains("scope_labels")) {
    for (const json::value& label : labels->as_array()) {
      type.scope_labels.emplace_back(label.as_string());
    }
  }
  return type;
}

}  // namespace

void enable_zone(Call call) {
  change(std::move(call), {.enabled = true}, "api.zone_enabled", "a user enabled a zone");
}
void disable_zone(Call call) {
  change(std::move(call), {.enabled = false}, "api.zone_disabled", "a user disabled a zone");
}
void pause_zone(Call call) {
  change(std::move(call), {.paused = true}, "api.zone_paused", "a user paused a zone");
}
void resume_zone(Call call) {
  change(std::move(call), {.paused = false}, "api.zone_resumed", "a user resumed a zone");
}

void resync_zone(Call call) {
  const std::string name = call.param("zone");
  hub::HubApi& hub = call.hub();
  hub.resync_zone(name, when_done(std::move(call), "api.zone_resync",
                                  "a user let a zone ask for everything again", name));
}

void drain_zone(Call call) {
  const std::string name = call.param("zone");
  const auto wanted = query_duration(call, "retryAfter", kRetryAfterMax);
  if (!wanted) return call.reply->send(problem_of(wanted.error()));
  hub::HubApi& hub = call.hub();
  hub.drain_zone(name, wanted->value_or(kRetryAfterDefault),
                 when_done(std::move(call), "api.zone_drained", "a user drained a zone", name));
}

void set_zone_scope(Call call) {
  const auto scope = read_as<hub::ZoneScope>(call, hub::scope_from_json);
  if (!scope) return call.reply->send(scope.error());
  const std::string name = call.param("zone");
  hub::HubApi& hub = call.hub();
  hub.change_zone(name, {.scope = *scope},
                  when_done(std::move(call), "api.zone_scope_set",
                            "a user changed what a zone may see", name));
}

void post_type(Call call) {
  const auto type = read_as<TypeInfo>(call, type_from);
  if (!type) return call.reply->send(type.error());
  hub::HubApi& hub = call.hub();
  hub.add_type(*type, when_done(std::move(call), "api.type_registered",
                                "a user registered a type", type->name));
}

}  // namespace zonesync::admin

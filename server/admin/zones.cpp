// Zones: status for readers; register, delete and approve for admins.
#include <boost/json/array.hpp>

#include "protocol/text/json_value.hpp"
#include "server/admin/handlers.hpp"
#include "server/admin/write_request.hpp"
#include "server/admin/zone_json.hpp"

namespace zonesync::admin {
namespace {

namespace json = boost::json;

Answer one_zone(hub::HubApi& hub, const std::string& name, unsigned status) {
  const std::optional<hub::ZoneStatus> zone = hub.zone(name);
  if (!zone) return refuse(ErrorCode::not_found, "there is no zone '" + name + "'");
  return json_response(status, text::write_canonical(zone_detail(*zone)));
}

Status check_no_body(const Call& call) {
  if (call.http.body.empty() || call.http.body == "{}") return {};
  return fail(ErrorCode::invalid_argument, "this operation takes no body");
}

void log_act(const Call& call, std::string event, std::string message) {
  call.context->logger->log({LogLevel::info, std::move(event), std::move(message),
                             {{"actor", "user/" + call.user.subject},
                              {"zone", call.param("zone")}}});
}

/// Answers on one of the server's own threads with what `answer` makes of the hub's verdict.
template <class MakeAnswer>
hub::StatusDone answer_later(Call call, MakeAnswer answer) {
  return [call = std::move(call), answer](Status status) {
    call.context->executor.post([call, answer, status = std::move(status)] {
      if (!status && status_of(status.error()) == 500) {
        call.context->logger->log(
            {LogLevel::error, "api.zone_failed", describe(status.error()), {}});
      }
      call.reply->send(answer(call, status));
    });
  };
}

struct ModeOrder {
  std::optional<SyncMode> mode;          // nothing = as configured
  std::chrono::milliseconds ttl{0};
};

Result<ModeOrder> mode_order(const json::value& body) {
  constexpr std::int64_t kDayMs = 86'400'000;
  const auto wrong = [](std::string text, std::string field) {
    return fail(ErrorCode::invalid_argument, std::move(text), std::move(field));
  };
  if (!body.is_object()) return wrong("must be an object", "");
  ModeOrder order;
  bool named = false;
  for (const auto& member : body.get_object()) {
    const json::value& value = member.value();
    if (member.key() == "mode" && value.is_string()) {
      order.mode = parse_sync_mode(value.get_string());
      named = order.mode || value.get_string() == "default";
    } else if (member.key() == "for_ms" && value.is_int64() && value.get_int64() > 0 &&
               value.get_int64() <= kDayMs) {
      order.ttl = std::chrono::milliseconds(value.get_int64());
    } else {
      return wrong("is not a field of it, or not of its kind", "/" + std::string(member.key()));
    }
  }
  if (!named) return wrong("must be delta, v1 or default", "/mode");
  if (order.ttl.count() > 0 && order.mode != SyncMode::v1) {
    return wrong("only v1 can be asked for a while", "/for_ms");
  }
  return order;
}

}  // namespace

Answer list_zones(const Call& call) {
  json::array items;
  for (const hub::ZoneStatus& zone : call.hub().zones()) items.push_back(zone_summary(zone));
  json::object body;
  body["items"] = std::move(items);
  return json_response(200, text::write_canonical(std::move(body)));
}

Answer list_zone_overviews(const Call& call) {
  json::array items;
  for (const hub::ZoneStatus& zone : call.hub().zones()) items.push_back(zone_overview(zone));
  json::object body;
  body["items"] = std::move(items);
  const hub::HubInfo info = call.hub().info();
  body["head"] = info.head.value;
  add_log_state(body, info);
  return json_response(200, text::write_canonical(std::move(body)));
}

Answer get_zone(const Call& call) { return one_zone(call.hub(), call.param("zone"), 200); }

void put_zone(Call call) {
  const std::string name = call.param("zone");
  Status valid = check_no_body(call);
  if (valid) valid = check_zone_name(name);
  if (!valid) return call.reply->send(problem_of(valid.error()));
  const auto answer = [name](const Call& done, const Status& status) -> Answer {
    if (status) {
      log_act(done, "api.zone_registered", "a user registered a zone");
      return one_zone(done.hub(), name, 201);
    }
    const bool there = status.error().code == ErrorCode::conflict && done.hub().zone(name);
    if (there) return one_zone(done.hub(), name, 200);
    return refuse(status.error());
  };
  hub::HubApi& hub = call.hub();
  hub.register_zone(name, answer_later(std::move(call), answer));
}

void delete_zone(Call call) {
  const std::string name = call.param("zone");
  const Result<bool> force = query_flag(call, "force");
  if (!force) return call.reply->send(problem_of(force.error()));
  const auto answer = [](const Call& done, const Status& status) -> Answer {
    if (!status) return refuse(status.error());
    log_act(done, "api.zone_deleted", "a user deleted a zone and its resources");
    return empty_response();
  };
  hub::HubApi& hub = call.hub();
  hub.delete_zone(name, *force, answer_later(std::move(call), answer));
}

void approve_mass_delete(Call call) {
  const std::string name = call.param("zone");
  if (const Status valid = check_no_body(call); !valid) {
    return call.reply->send(problem_of(valid.error()));
  }
  const auto answer = [](const Call& done, const Status& status) -> Answer {
    if (!status) return refuse(status.error());
    log_act(done, "api.mass_delete_approved", "a user let a held publication through");
    return empty_response();
  };
  hub::HubApi& hub = call.hub();
  hub.approve_mass_delete(name, answer_later(std::move(call), answer));
}

void put_zone_mode(Call call) {
  const std::string name = call.param("zone");
  const auto body = read_body(call);
  if (!body) return call.reply->send(body.error());
  const Result<ModeOrder> order = mode_order(*body);
  if (!order) return call.reply->send(problem_of(order.error()));
  const auto answer = [name](const Call& done, const Status& status) -> Answer {
    if (!status) return refuse(status.error());
    log_act(done, "api.zone_mode", "a user changed a zone's mode");
    return one_zone(done.hub(), name, 200);
  };
  hub::HubApi& hub = call.hub();
  hub.set_zone_mode(name, order->mode, order->ttl, answer_later(std::move(call), answer));
}

}  // namespace zonesync::admin

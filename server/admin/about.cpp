// GET /, /whoami and /types.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "protocol/text/json_value.hpp"
#include "server/admin/handlers.hpp"
#include "server/admin/zone_json.hpp"

namespace zonesync::admin {

namespace json = boost::json;

Answer get_hub(const Call& call) {
  const hub::HubInfo info = call.hub().info();
  json::object body;
  body["product"] = "zonesync";
  body["version"] = info.version;
  body["hub_id"] = to_hex(info.hub_id);
  body["head"] = info.head.value;
  add_log_state(body, info);
  body["ready"] = info.ready;
  body["draining"] = info.draining;
  body["writes_refused"] = info.writes_refused;
  if (info.disk_free_bytes) body["disk_free_bytes"] = *info.disk_free_bytes;
  body["started_at_ms"] = info.started_at_ms;
  return json_response(200, text::write_canonical(std::move(body)));
}

Answer who_am_i(const Call& call) {
  json::array roles;
  for (const auth::Role role : call.user.roles) roles.push_back(json::value(to_string(role)));
  const auto expires = call.user.expires_at.time_since_epoch();
  json::object body;
  body["subject"] = call.user.subject;
  body["roles"] = std::move(roles);
  body["expires_at_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(expires).count();
  return json_response(200, text::write_canonical(std::move(body)));
}

Answer list_types(const Call& call) {
  const auto registry = call.hub().registry();
  json::array items;
  for (const TypeInfo* info : registry->all()) {
    json::array scope_labels;
    for (const std::string& label : info->scope_labels) scope_labels.push_back(json::value(label));
    json::object item;
    item["name"] = info->name;
    item["plural"] = info->plural;
    item["scope"] = info->scope == TypeScope::mesh ? "mesh" : "global";
    item["global_to_zones"] = info->global_to_zones;
    item["zone_to_global"] = info->zone_to_global;
    item["synced_across_zones"] = info->synced_across_zones;
    item["provided_by_global"] = info->provided_by_global;
    item["legacy"] = info->legacy;
    item["sensitive"] = info->sensitive;
    item["rank"] = info->rank;
    item["max_bytes"] = info->max_bytes;
    item["scope_labels"] = std::move(scope_labels);
    items.push_back(std::move(item));
  }
  json::object body;
  body["items"] = std::move(items);
  return json_response(200, text::write_canonical(std::move(body)));
}

}  // namespace zonesync::admin

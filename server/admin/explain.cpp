// GET /zones/{zone}/explain: why a resource is at a zone, or is not.
#include <algorithm>

#include "protocol/text/json_value.hpp"
#include "server/admin/handlers.hpp"
#include "server/admin/problem.hpp"
#include "server/admin/resource_json.hpp"

namespace zonesync::admin {
namespace {

namespace json = boost::json;

/// A stable word, and a sentence for people.
struct Why {
  bool there = false;
  std::string reason;
  std::string text;
};

Why scope_of(const View& view, const LatestEntry& entry, const TypeInfo& info,
             const hub::ZoneStatus& zone) {
  const Class& cls = entry.cls;
  const bool global = cls.origin == kGlobalOrigin;
  if (cls.origin == zone.name) {
    return {false, "own_origin", "the zone published it itself; the hub never sends it back"};
  }
  if (cls.tag == kHomeTag) {
    return {false, "home", "it stays where it was written (kuma.io/kds-sync, or its name)"};
  }
  if (!(global ? info.global_to_zones : info.synced_across_zones)) {
    return {false, "direction",
            global ? "the hub sends no " + info.name + " to zones"
                   : "what one zone publishes of " + info.name + " does not reach other zones"};
  }
  const ViewSpec& spec = view.spec();
  if (spec.withheld_origins.contains(cls.origin)) {
    return {false, "origin_disabled",
            "zone '" + cls.origin + "' is disabled; `zonesync zones enable " + cls.origin +
                "` shows its resources again"};
  }
  if (!spec.types.empty() && !spec.types.contains(cls.type)) {
    return {false, "out_of_scope", "the zone's scope or request leaves this type out"};
  }
  if (!spec.meshes.empty() && !cls.mesh.empty() && !spec.meshes.contains(cls.mesh)) {
    return {false, "out_of_scope", "the zone's scope or request leaves this mesh out"};
  }
  return {false, "out_of_scope", "the zone's scope wants other labels"};
}

Why explain(const Call& call, const hub::ZoneStatus& zone, const ResourceKey& key,
            const TypeInfo& info, const std::optional<LatestEntry>& entry) {
  if (!entry || entry->kind == ChangeKind::leave) {
    return {false, "absent", entry ? "the hub had it, and it was removed" : "the hub has none"};
  }
  const auto view = call.hub().view_of(zone.name);
  if (!view) return {false, "never_connected", "the zone was never connected"};
  if (!view->admits(entry->cls)) return scope_of(*view, *entry, info, zone);
  const auto refused = std::find_if(
      zone.rejects.begin(), zone.rejects.end(),
      [&](const hub::RejectRecord& record) { return record.down && record.key == key; });
  if (refused != zone.rejects.end()) {
    return {false, "rejected",
            "the zone refuses this version: " + refused->reject.code + ": " +
                refused->reject.text};
  }
  if (zone.acked && *zone.acked >= entry->position.revision) {
    return {true, "applied", "the zone has durably applied it"};
  }
  if (!zone.hold_reason.empty()) {
    return {false, "held", "the zone's flow is held: " + zone.hold_reason};
  }
  if (!zone.connected) return {false, "offline", "the zone is not connected; it gets it then"};
  return {false, "not_acked", "it is on its way: the zone has not acknowledged it yet"};
}

}  // namespace

Answer explain_resource(const Call& call) {
  const auto zone = call.hub().zone(call.param("zone"));
  if (!zone) {
    return refuse(ErrorCode::not_found, "there is no zone '" + call.param("zone") + "'");
  }
  const auto registry = call.hub().registry();
  ResourceKey key;
  key.type = call.query("type").value_or("");
  key.mesh = call.query("mesh").value_or("");
  key.origin = call.query("origin").value_or(std::string(kGlobalOrigin));
  key.name = call.query("name").value_or("");
  if (auto valid = check_resource_name(key.name, "name"); !valid) return refuse(valid.error());
  json::object body;
  body["zone"] = zone->name;
  body["key"] = key_json(key);
  Why why;
  const TypeInfo* info = registry->find(key.type);
  if (info == nullptr) {
    why = {false, "type_not_registered", registry->require(key.type).error().message};
  } else {
    const auto entry = call.hub().log().latest(key);
    if (!entry) return refuse(entry.error());
    why = explain(call, *zone, key, *info, *entry);
    if (*entry) body["revision"] = (*entry)->position.revision.value;
  }
  body["there"] = why.there;
  body["reason"] = why.reason;
  body["text"] = why.text;
  return json_response(200, text::write_canonical(std::move(body)));
}

}  // namespace zonesync::admin

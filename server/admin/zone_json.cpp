#include "server/admin/zone_json.hpp"

#include <boost/json/array.hpp>

#include "server/admin/resource_json.hpp"
#include "server/hub/scope_json.hpp"

namespace zonesync::admin {
namespace {

namespace json = boost::json;

json::value disconnect_json(const std::optional<hub::DisconnectReason>& reason) {
  if (!reason) return nullptr;
  json::object out;
  out["code"] = reason->code;
  out["event"] = reason->event;
  out["text"] = reason->text;
  out["at_ms"] = reason->at_ms;
  return out;
}

json::value hold_json(const hub::ZoneStatus& zone) {
  if (zone.hold_reason.empty()) return nullptr;
  json::object out;
  out["reason"] = zone.hold_reason;
  out["text"] = zone.hold_text;
  out["side"] = zone.hold_down ? "zone" : "hub";
  return out;
}

json::object counters_json(const hub::ZoneCounters& counters) {
  json::object out;
  out["sessions"] = counters.sessions;
  out["intents_none"] = counters.intents_none;
  out["intents_changes"] = counters.intents_changes;
  out["intents_repair"] = counters.intents_repair;
  out["intents_full"] = counters.intents_full;
  out["cuts_resumed"] = counters.cuts_resumed;
  out["up_cuts"] = counters.up_cuts;
  out["digest_mismatches"] = counters.digest_mismatches;
  return out;
}

/// v1: what was sent, acknowledged and refused per type, as Kuma's insights show it.
json::array lists_json(const hub::ZoneStatus& zone) {
  json::array all;
  for (const auto& [type, state] : zone.lists) {
    json::object out;
    out["type"] = type;
    out["version"] = state.version.value;
    out["nonce"] = state.nonce;
    out["acked_version"] = state.acked_version.value;
    out["acked_nonce"] = state.acked_nonce;
    out["nacked_nonce"] = state.nacked_nonce;
    out["nack"] = state.nack_text;
    out["sent"] = state.lists_sent;
    out["acked"] = state.lists_acked;
    out["nacked"] = state.lists_nacked;
    all.push_back(std::move(out));
  }
  return all;
}

}  // namespace

json::object reject_json(const hub::RejectRecord& record) {
  json::object out;
  out["direction"] = record.down ? "down" : "up";
  out["key"] = key_json(record.key);
  out["revision"] = record.revision.value;
  out["code"] = record.reject.code;
  out["field"] = record.reject.field;
  out["text"] = record.reject.text;
  out["retryable"] = record.reject.retryable;
  out["at_ms"] = record.at_ms;
  return out;
}

json::object zone_summary(const hub::ZoneStatus& zone) {
  json::object out;
  out["name"] = zone.name;
  out["enabled"] = zone.enabled;
  out["paused"] = zone.paused;
  out["connected"] = zone.connected;
  out["mode"] = zone.mode;
  out["mode_reason"] = zone.mode_reason;
  out["mode_forced"] = nullptr;
  if (zone.forced_mode) out["mode_forced"] = to_string(*zone.forced_mode);
  out["registered_at_ms"] = zone.registered_at_ms;
  out["last_seen_ms"] = zone.last_seen_ms;
  return out;
}

void add_log_state(json::object& out, const hub::HubInfo& info) {
  out["era"] = to_hex(info.era.id);
  out["era_start"] = info.era_start.value;
  out["complete"] = info.complete;
  if (!info.restored_at) return;
  out["restored_at_revision"] = info.restored_at->value;
  out["restored_at_ms"] = info.restored_at_ms;
}

json::object zone_overview(const hub::ZoneStatus& zone) {
  json::object out = zone_summary(zone);
  out["session"] = zone.session.value;
  out["generation"] = zone.generation.value;
  out["software"] = zone.software;
  out["peer"] = zone.peer;
  out["durable"] = zone.durable;
  out["connected_since_ms"] = zone.connected_since_ms;
  out["last_disconnect"] = disconnect_json(zone.last_disconnect);
  out["revision"] = zone.acked ? zone.acked->value : 0;
  out["lag"] = zone.lag_revisions;
  out["lag_seconds"] = zone.lag_seconds;
  out["in_flight"] = zone.in_flight_bytes;
  out["converged"] = hub::to_string(zone.converged);
  out["up_revision"] = zone.up_cursor ? zone.up_cursor->revision.value : 0;
  out["up_offered"] = zone.up_offered ? zone.up_offered->value : 0;
  out["up_resources"] = zone.up_resources;
  out["hold"] = hold_json(zone);
  out["rejects"] = zone.rejects_total;
  out["bytes_rx"] = zone.counters.bytes_rx;
  out["bytes_tx"] = zone.counters.bytes_tx;
  out["changes_rx"] = zone.counters.changes_received;
  out["changes_tx"] = zone.counters.changes_sent;
  out["v1_bytes_est"] = zone.counters.v1_bytes_est;
  return out;
}

json::object zone_detail(const hub::ZoneStatus& zone) {
  json::array rejects;
  for (const hub::RejectRecord& record : zone.rejects) rejects.push_back(reject_json(record));
  json::object out = zone_overview(zone);
  out["scope"] = hub::scope_to_json(zone.scope);
  out["instance"] = to_hex(zone.instance.id);
  out["first_seen_ms"] = zone.first_seen_ms;
  out["reject_list"] = std::move(rejects);
  out["lists"] = lists_json(zone);
  out["counters"] = counters_json(zone.counters);
  return out;
}

}  // namespace zonesync::admin

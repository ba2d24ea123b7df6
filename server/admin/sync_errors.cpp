// Open rejects of all zones: which version, by whom, why.
#include <boost/json/array.hpp>

#include "protocol/text/json_value.hpp"
#include "server/admin/handlers.hpp"
#include "server/admin/zone_json.hpp"

namespace zonesync::admin {

namespace json = boost::json;

Answer list_sync_errors(const Call& call) {
  const std::string only = call.query("zone").value_or("");
  json::array items;
  std::uint64_t total = 0;
  bool found = only.empty();
  for (const hub::ZoneStatus& zone : call.hub().zones()) {
    if (!only.empty() && zone.name != only) continue;
    found = true;
    total += zone.rejects_total;
    for (const hub::RejectRecord& record : zone.rejects) {
      json::object item = reject_json(record);
      item["zone"] = zone.name;
      items.push_back(std::move(item));
    }
  }
  if (!found) return refuse(ErrorCode::not_found, "there is no zone '" + only + "'");
  json::object body;
  body["items"] = std::move(items);
  body["total"] = total;
  return json_response(200, text::write_canonical(std::move(body)));
}

}  // namespace zonesync::admin

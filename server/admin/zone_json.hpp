// Zone status as the API shows it.
#pragma once

#include <boost/json/object.hpp>

#include "server/hub/hub_api.hpp"
#include "server/hub/zone_status.hpp"

namespace zonesync::admin {

/// One open reject, as `reject_list` and `/sync/errors` show it.
[[nodiscard]] boost::json::object reject_json(const hub::RejectRecord& record);

/// Era, completeness and restore of the log, as members of `out`.
void add_log_state(boost::json::object& out, const hub::HubInfo& info);
/// For GET /zones.
[[nodiscard]] boost::json::object zone_summary(const hub::ZoneStatus& zone);
/// For GET /zones/_overview: connection, progress and convergence. Nothing acked = revision 0.
[[nodiscard]] boost::json::object zone_overview(const hub::ZoneStatus& zone);
/// For GET /zones/{zone}: the overview with rejects and counters.
[[nodiscard]] boost::json::object zone_detail(const hub::ZoneStatus& zone);

}  // namespace zonesync::admin

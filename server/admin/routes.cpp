// The route table. docs/openapi.yaml documents each route; a test compares the two.
#include "server/admin/handlers.hpp"
#include "server/admin/router.hpp"

namespace zonesync::admin {
namespace {

using auth::Role;

const std::string kOneGlobal = "/{plural}/{name}";
const std::string kOneInMesh = "/meshes/{mesh}/{plural}/{name}";

std::vector<Route> resource_routes() {
  const std::vector<std::string> list{"origin", "size", "offset", "rev"};
  const std::vector<std::string> one{"origin", "rev"};
  const std::vector<std::string> write{"origin", "dryRun"};
  const std::vector<std::string> history{"origin", "limit"};
  const std::vector<std::string> compare{"origin", "from", "to"};
  return {
      {Port::api, "GET", "/", Role::viewer, {}, answer_at_once<get_hub>},
      {Port::api, "GET", "/whoami", Role::viewer, {}, answer_at_once<who_am_i>},
      {Port::api, "GET", "/types", Role::viewer, {}, answer_at_once<list_types>},
      {Port::api, "POST", "/types", Role::admin, {}, post_type},

      {Port::api, "GET", "/{plural}", Role::viewer, list, answer_at_once<list_resources>},
      {Port::api, "GET", "/meshes/{mesh}/{plural}", Role::viewer, list,
       answer_at_once<list_resources>},
      {Port::api, "GET", kOneGlobal, Role::viewer, one, answer_at_once<get_resource>},
      {Port::api, "GET", kOneInMesh, Role::viewer, one, answer_at_once<get_resource>},
      {Port::api, "PUT", kOneGlobal, Role::editor, write, put_resource},
      {Port::api, "PUT", kOneInMesh, Role::editor, write, put_resource},
      {Port::api, "DELETE", kOneGlobal, Role::editor, write, delete_resource},
      {Port::api, "DELETE", kOneInMesh, Role::editor, write, delete_resource},
      {Port::api, "GET", kOneGlobal + "/history", Role::viewer, history,
       answer_at_once<get_history>},
      {Port::api, "GET", kOneInMesh + "/history", Role::viewer, history,
       answer_at_once<get_history>},
      {Port::api, "GET", "/meshes/{name}/history", Role::viewer, history,
       answer_at_once<get_history>},

      {Port::api, "GET", kOneGlobal + "/diff", Role::viewer, compare,
       answer_at_once<get_resource_diff>},
      {Port::api, "GET", kOneInMesh + "/diff", Role::viewer, compare,
       answer_at_once<get_resource_diff>},
      {Port::api, "GET", "/meshes/{name}/diff", Role::viewer, compare,
       answer_at_once<get_resource_diff>},
      {Port::api, "GET", "/diff", Role::viewer,
       {"from", "to", "type", "mesh", "origin", "size", "offset"}, answer_at_once<get_diff>},
      {Port::api, "POST", "/revert", Role::editor, {"dryRun"}, post_revert},

      {Port::api, "GET", "/jobs", Role::viewer, {}, answer_at_once<list_jobs>},
      {Port::api, "POST", "/jobs", Role::admin, {"dryRun"}, post_job},
      {Port::api, "GET", "/jobs/{job}", Role::viewer, {}, answer_at_once<get_job>},
      {Port::api, "POST", "/jobs/{job}/cancel", Role::admin, {}, cancel_job},

      {Port::api, "POST", "/transactions", Role::editor, {"dryRun"}, post_transaction},
      {Port::api, "GET", "/changes", Role::viewer, {"since", "type", "mesh", "watch"},
       get_changes},
      {Port::api, "GET", "/wait", Role::viewer, {"revision", "zones", "timeout"},
       wait_for_revision},
  };
}

std::vector<Route> zone_routes() {
  return {
      {Port::api, "GET", "/zones", Role::viewer, {}, answer_at_once<list_zones>},
      {Port::api, "GET", "/zones/_overview", Role::viewer, {},
       answer_at_once<list_zone_overviews>},
      {Port::api, "GET", "/zones/{zone}", Role::viewer, {}, answer_at_once<get_zone>},
      {Port::api, "PUT", "/zones/{zone}", Role::admin, {}, put_zone},
      {Port::api, "DELETE", "/zones/{zone}", Role::admin, {"force"}, delete_zone},
      {Port::api, "POST", "/zones/{zone}/approve-mass-delete", Role::admin, {},
       approve_mass_delete},
      {Port::api, "POST", "/zones/{zone}/enable", Role::admin, {}, enable_zone},
      {Port::api, "POST", "/zones/{zone}/disable", Role::admin, {}, disable_zone},
      {Port::api, "POST", "/zones/{zone}/pause", Role::admin, {}, pause_zone},
      {Port::api, "POST", "/zones/{zone}/resume", Role::admin, {}, resume_zone},
      {Port::api, "POST", "/zones/{zone}/resync", Role::admin, {}, resync_zone},
      {Port::api, "POST", "/zones/{zone}/drain", Role::admin, {"retryAfter"}, drain_zone},
      {Port::api, "PUT", "/zones/{zone}/scope", Role::admin, {}, set_zone_scope},
      {Port::api, "GET", "/zones/{zone}/explain", Role::viewer,
       {"type", "mesh", "origin", "name"}, answer_at_once<explain_resource>},
      {Port::api, "PUT", "/zones/{zone}/mode", Role::admin, {}, put_zone_mode},
      {Port::api, "GET", "/sync/errors", Role::viewer, {"zone"},
       answer_at_once<list_sync_errors>},
  };
}

std::vector<Route> process_routes() {
  return {
      {Port::api, "POST", "/store/checkpoint", Role::admin, {}, post_checkpoint},
      {Port::api, "POST", "/store/complete", Role::admin, {}, post_complete},

      {Port::metrics, "GET", "/livez", Role::viewer, {}, answer_at_once<get_livez>},
      {Port::metrics, "GET", "/readyz", Role::viewer, {"verbose"}, answer_at_once<get_readyz>},
      {Port::metrics, "GET", "/metrics", Role::viewer, {}, answer_at_once<get_metrics>},
  };
}

}  // namespace

const std::vector<Route>& route_table() {
  static const std::vector<Route> routes = [] {
    std::vector<Route> all;
    for (const auto& some : {resource_routes(), zone_routes(), process_routes()}) {
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }();
  return routes;
}

}  // namespace zonesync::admin

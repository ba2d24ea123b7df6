// Zones and GET /wait.
#include <future>

#include "server/admin/tests/fixture.hpp"

namespace zonesync::admin::testing {
namespace {

using auth::Role;

hub::ZoneStatus busy_zone(const std::string& name) {
  hub::ZoneStatus zone;
  zone.name = name;
  zone.connected = true;
  zone.session = SessionId{412};
  zone.generation = Generation{3};
  zone.acked = Revision{9};
  zone.lag_revisions = 2;
  zone.lag_seconds = 1.5;
  zone.in_flight_bytes = 100;
  zone.converged = hub::Convergence::yes;
  zone.last_disconnect = hub::DisconnectReason{1006, "sync.zone.disconnected", "reset", 5};
  zone.hold_reason = "mass_delete";
  zone.hold_text = "60 of 100";
  hub::RejectRecord reject;
  reject.key = {"MeshTimeout", "default", "global", "a"};
  reject.reject = {"invalid", "/spec", "no", false};
  zone.rejects.push_back(reject);
  zone.rejects_total = 1;
  zone.counters.bytes_tx = 1'000;
  zone.counters.v1_bytes_est = 50'000;
  return zone;
}

class Zones : public AdminFixture {};

TEST_F(Zones, the_overview_shows_three_facts) {
  hub_.set_zone(busy_zone("east"));
  hub_.set_zone(hub::ZoneStatus{.name = "west"});
  const auto body = parsed(get("/zones/_overview"));
  const auto& east = body.at("items").at(0);
  EXPECT_EQ(east.at("connected"), true);
  EXPECT_EQ(east.at("revision"), 9);
  EXPECT_EQ(east.at("lag_seconds"), 1.5);
  EXPECT_EQ(east.at("converged"), "yes");
  EXPECT_EQ(east.at("hold").at("side"), "hub");
  EXPECT_EQ(east.at("last_disconnect").at("code"), 1006);
  EXPECT_EQ(east.at("v1_bytes_est"), 50'000);
  const auto& west = body.at("items").at(1);
  EXPECT_EQ(west.at("revision"), 0);
  EXPECT_TRUE(west.at("last_disconnect").is_null());
  EXPECT_EQ(parsed(get("/zones")).at("items").as_array().size(), 2u);
}

TEST_F(Zones, the_mode_of_a_zone_is_forced_and_freed) {
  hub_.set_zone(busy_zone("east"));
  const auto order = [&](const std::string& body) {
    return call_as(Role::admin, "PUT", "/zones/east/mode", body);
  };
  auto forced = order(R"({"mode":"v1"})");
  EXPECT_EQ(forced.status, 200u);
  EXPECT_EQ(parsed(forced).at("mode_forced"), "v1");
  EXPECT_EQ(parsed(order(R"({"mode":"v1","for_ms":60000})")).at("mode"), "delta");
  EXPECT_TRUE(parsed(order(R"({"mode":"default"})")).at("mode_forced").is_null());
  EXPECT_EQ(order(R"({"mode":"v3"})").status, 400u);
  EXPECT_EQ(order(R"({"mode":"delta","for_ms":5})").status, 400u);
  EXPECT_EQ(order(R"({"mode":"v1","for_ms":-5})").status, 400u);
  EXPECT_EQ(order(R"({})").status, 400u);
  EXPECT_EQ(call_as(Role::editor, "PUT", "/zones/east/mode", R"({"mode":"v1"})").status, 403u);
  EXPECT_EQ(call_as(Role::admin, "PUT", "/zones/none/mode", R"({"mode":"v1"})").status, 404u);
}

TEST_F(Zones, open_rejects_of_all_zones_are_one_list) {
  hub_.set_zone(busy_zone("east"));
  hub_.set_zone(busy_zone("west"));
  const auto body = parsed(get("/sync/errors"));
  EXPECT_EQ(body.at("total"), 2);
  EXPECT_EQ(body.at("items").as_array().size(), 2u);
  EXPECT_EQ(body.at("items").at(0).at("zone"), "east");
  EXPECT_EQ(body.at("items").at(0).at("code"), "invalid");
  EXPECT_EQ(parsed(get("/sync/errors?zone=west")).at("total"), 1);
  EXPECT_EQ(get("/sync/errors?zone=none").status, 404u);
}

TEST_F(Zones, one_zone_lists_its_rejects) {
  hub_.set_zone(busy_zone("east"));
  const auto body = parsed(get("/zones/east"));
  EXPECT_EQ(body.at("reject_list").at(0).at("direction"), "down");
  EXPECT_EQ(body.at("reject_list").at(0).at("key").at("name"), "a");
  EXPECT_EQ(body.at("rejects"), 1);
  EXPECT_EQ(get("/zones/nowhere").status, 404u);
}

TEST_F(Zones, an_admin_registers_and_deletes) {
  EXPECT_EQ(call_as(Role::admin, "PUT", "/zones/east").status, 201u);
  EXPECT_EQ(call_as(Role::admin, "PUT", "/zones/east").status, 200u);
  EXPECT_EQ(call_as(Role::admin, "PUT", "/zones/East").status, 400u);
  EXPECT_EQ(call_as(Role::admin, "PUT", "/zones/global").status, 400u);
  EXPECT_EQ(call_as(Role::admin, "PUT", "/zones/west", "{\"a\":1}").status, 400u);
  EXPECT_EQ(call_as(Role::admin, "DELETE", "/zones/east").status, 204u);
  EXPECT_EQ(call_as(Role::admin, "DELETE", "/zones/east").status, 404u);
  EXPECT_EQ(logger_->count("api.zone_registered"), 1u);
  EXPECT_EQ(logger_->count("api.zone_deleted"), 1u);
}

TEST_F(Zones, a_connected_zone_is_deleted_by_force_only) {
  hub_.set_zone(busy_zone("east"));
  EXPECT_EQ(call_as(Role::admin, "DELETE", "/zones/east").status, 409u);
  EXPECT_EQ(call_as(Role::admin, "DELETE", "/zones/east?force=perhaps").status, 400u);
  EXPECT_EQ(call_as(Role::admin, "DELETE", "/zones/east?force=true").status, 204u);
}

TEST_F(Zones, a_held_publication_is_let_through_once) {
  hub_.set_zone(busy_zone("east"));
  EXPECT_EQ(call_as(Role::admin, "POST", "/zones/east/approve-mass-delete").status, 204u);
  EXPECT_EQ(call_as(Role::admin, "POST", "/zones/west/approve-mass-delete").status, 404u);
  EXPECT_EQ(logger_->count("api.mass_delete_approved"), 1u);
}

TEST_F(Zones, a_full_table_of_zones_is_a_429) {
  hub_.fail_next({ErrorCode::resource_exhausted, "too many zones", ""});
  EXPECT_EQ(call_as(Role::admin, "PUT", "/zones/east").status, 429u);
  hub_.fail_next({ErrorCode::storage_io, "secret path", ""});
  EXPECT_EQ(call_as(Role::admin, "PUT", "/zones/east").status, 500u);
  EXPECT_EQ(logger_->count("api.zone_failed"), 1u);
}

TEST_F(Zones, a_wait_answers_when_the_zone_acked) {
  hub_.set_zone(busy_zone("east"));
  auto answer = std::async(std::launch::async, [this] {
    return get("/wait?revision=20&zones=east&timeout=1m");
  });
  while (hub_.waits() == 0) std::this_thread::yield();
  hub_.ack("east", Revision{20});
  const auto body = parsed(answer.get());
  EXPECT_EQ(body.at("reached"), true);
  EXPECT_EQ(body.at("reached_zones").at(0), "east");
}

TEST_F(Zones, a_wait_that_ends_names_who_is_missing) {
  hub_.set_zone(busy_zone("east"));
  hub::ZoneStatus west = busy_zone("west");
  west.acked = Revision{1};
  hub_.set_zone(west);
  const auto body = parsed(get("/wait?revision=9&timeout=0s"));
  EXPECT_EQ(body.at("reached"), false);
  EXPECT_EQ(body.at("reached_zones").at(0), "east");
  EXPECT_EQ(body.at("missing_zones").at(0), "west");
  EXPECT_EQ(parsed(get("/wait?timeout=0s")).at("reached"), true);
}

TEST_F(Zones, wrong_waits_are_refused) {
  hub_.set_zone(busy_zone("east"));
  for (const char* timeout : {"10", "s", "-1s", "6m", "1h", "", "1.5s"}) {
    EXPECT_EQ(problem(get(std::string("/wait?timeout=") + timeout)), "invalid_argument timeout");
  }
  EXPECT_EQ(problem(get("/wait?zones=east,,west")), "invalid_argument zones");
  EXPECT_EQ(problem(get("/wait?zones=west")), "not_found zones");
  EXPECT_EQ(problem(get("/wait?revision=soon")), "invalid_argument revision");
}

TEST_F(Zones, waits_are_bounded) {
  AdminOptions options;
  options.waits_max = 1;
  restart(options);
  hub_.set_zone(busy_zone("east"));
  auto first = std::async(std::launch::async, [this] {
    return get("/wait?revision=20&zones=east&timeout=1m");
  });
  while (hub_.waits() == 0) std::this_thread::yield();
  EXPECT_EQ(get("/wait?revision=20&zones=east").status, 429u);
  hub_.ack("east", Revision{20});
  EXPECT_EQ(first.get().status, 200u);
  EXPECT_EQ(get("/wait?revision=20&zones=east").status, 200u);
}

TEST_F(Zones, the_server_stops_while_a_wait_and_a_write_are_owed) {
  hub_.set_zone(busy_zone("east"));
  hub_.hold_writes();
  const auto ask = [this](HttpClientRequest request) {
    return std::async(std::launch::async,
                      [options = client_options(Role::editor), request = std::move(request)] {
                        return request_blocking(options, request).has_value();
                      });
  };
  auto wait = ask({"GET", "/wait?revision=20&zones=east&timeout=5m", {}, ""});
  auto write = ask({"PUT", timeout_path("a"), {}, spec("1s")});
  while (hub_.waits() == 0 || hub_.held_writes() == 0) std::this_thread::yield();
  server_.reset();
  hub_.release_writes();               // completions that nobody waits for any more
  hub_.ack("east", Revision{20});
  EXPECT_FALSE(wait.get());
  write.get();  // a PUT may be tried again; it must come to an end, however
}

}  // namespace
}  // namespace zonesync::admin::testing

// View and scope, security, drain and restart, and the connection itself.
#include "conformance/suite/cases/groups.hpp"

namespace zonesync::conform::cases {
namespace {

using namespace std::chrono_literals;
using wire::FlowId;

Resource other_type(const std::string& name) {
  Resource resource = policy(name);
  resource.key.type = "MeshRetry";
  return resource;
}

Resource other_mesh(const std::string& name) {
  Resource resource = policy(name);
  resource.key.mesh = "other";
  return resource;
}

DialOptions plain_dial(HubTest& t) {
  DialOptions wanted;
  wanted.zone = t.name("east");
  wanted.subprotocols = {std::string(subprotocol(t.mode))};
  return wanted;
}

void expect_http(HubTest& t, const DialOptions& wanted, unsigned status, const std::string& why) {
  const auto link = t.dial(wanted);
  require(!link.has_value(), why + ": a connection was given");
  require(link.error().http_status == status,
          why + ": HTTP " + std::to_string(link.error().http_status) + ", expected " +
              std::to_string(status));
}

const Case kCases[] = {
    on_hub("view.types-narrow", "`types` of Hello narrow what arrives", {"SES-06", "FLOW-09"},
           [](HubTest& t) {
             t.put({policy("a"), other_type("b")});
             auto zone = t.connect();
             zone->hello.types = {"MeshRetry"};
             zone->handshake();
             zone->sync();
             t.expect_replica(*zone, {other_type("b")});
             t.put({policy("a", "2s"), other_type("c")});
             zone->sync();
             t.expect_replica(*zone, {other_type("b"), other_type("c")});
           }).needing({"control"}),
    on_hub("view.meshes-narrow", "`meshes` of Hello narrow what arrives", {"SES-06", "FLOW-09"},
           [](HubTest& t) {
             t.put({policy("a"), other_mesh("b")});
             auto zone = t.connect();
             zone->hello.meshes = {"other"};
             zone->handshake();
             zone->sync();
             t.expect_replica(*zone, {other_mesh("b")});
           }).needing({"control"}),
    on_hub("view.unknown-type-widens-nothing", "Asking for what no zone may see gives nothing",
           {"SES-06"},
           [](HubTest& t) {
             t.put({policy("a")});
             auto zone = t.connect();
             zone->hello.types = {"NoSuchType", "ZoneInsight"};
             zone->handshake();
             zone->sync();
             t.expect_replica(*zone, {});
           }).needing({"control"}),
    on_hub("view.other-request-other-view", "Another request is another view", {"SES-06"},
           [](HubTest& t) {
             auto all = t.join("east");
             auto some = t.connect("west");
             some->hello.types = {"MeshRetry"};
             some->handshake();
             require(all->welcome_heard->down_view != some->welcome_heard->down_view,
                     "SES-06: one id for two views");
           }),
    on_hub("view.widened-request", "A request that grows brings what it lacked",
           {"SES-06", "VIEW-06", "V1-09"},
           [](HubTest& t) {
             t.put({policy("a"), other_type("b")});
             auto zone = t.connect();
             zone->hello.types = {"MeshRetry"};
             zone->handshake();
             zone->sync();
             zone->cut();
             auto wide = t.redial(*zone);
             wide->hello.types.clear();
             wide->handshake();
             wide->sync();
             t.expect_replica(*wide, {policy("a"), other_type("b")});
           }).needing({"control"}),
    on_hub("view.narrowed-request", "A request that shrinks takes away what left the view",
           {"SES-06", "VIEW-06", "V1-09"},
           [](HubTest& t) {
             t.put({policy("a"), other_type("b")});
             auto zone = t.join();
             zone->sync();
             zone->cut();
             auto narrow = t.redial(*zone);
             narrow->hello.types = {"MeshRetry"};
             narrow->handshake();
             narrow->sync();
             t.expect_replica(*narrow, {other_type("b")});
           }).needing({"control"}),
    on_hub("view.types-with-flags", "Welcome names the types with their flags", {"SES-06"},
           [](HubTest& t) {
             auto zone = t.join();
             for (const TypeInfo& type : zone->welcome_heard->types) {
               if (type.name != "MeshTimeout") continue;
               require(type.global_to_zones, "MeshTimeout goes to the zones");
               require(type.scope == TypeScope::mesh, "and lives in a mesh");
               return;
             }
             fail_case("SES-06: Welcome does not name MeshTimeout");
           }),
    on_zone("view.client-request", "The client asks for the types and meshes it was set to",
            {"SES-06"},
            [](ZoneTest& t) {
              ClientOptions wanted;
              wanted.types = {"MeshRetry", "MeshTimeout"};
              wanted.meshes = {"default"};
              auto hub = t.meet(wanted);
              hub->await_hello();
              require(hub->hello_heard->types == wanted.types, "SES-06: types");
              require(hub->hello_heard->meshes == wanted.meshes, "SES-06: meshes");
            }),
    on_hub("security.own-origin-stays-away", "A zone never gets its own origin back",
           {"FLOW-09"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "mine")});
             zone->sync();
             t.expect_replica(*zone, {});
           }),
    on_hub("security.zone-types-stay-at-hub", "Types that only the hub may know reach no zone",
           {"FLOW-09", "SES-06"},
           [](HubTest& t) {
             auto east = t.join("east");
             auto west = t.connect("west");
             west->hello.types = {"Dataplane"};
             west->handshake();
             east->publish_durably({dataplane(east->zone, "d")});
             west->sync();
             t.expect_replica(*west, {});
           }),
    on_hub("security.reason-without-content", "Error texts name no resource of another zone",
           {"SES-10"},
           [](HubTest& t) {
             auto west = t.join("west");
             west->publish_durably({service(west->zone, "topsecretname")});
             auto east = t.join("east");
             east->send(std::string(64, '\xee'));
             const CloseInfo info = east->wait_close();
             require(info.reason.find("topsecretname") == std::string::npos, "P7: in the reason");
             require(info.reason.size() <= 123, "SES-10: at most 123 bytes");
           }),
    on_hub("drain.restart-loses-nothing", "A restart loses nothing that was acked, both ways",
           {"FLOW-21", "SES-10"},
           [](HubTest& t) {
             auto zone = t.join();
             t.put({policy("a")});
             zone->publish_durably({service(zone->zone, "s")});
             zone->sync();
             t.restart();
             zone->out.log.write({service(zone->zone, "t")});
             t.put({policy("b")});
             auto second = t.reconnect(*zone);
             second->wait("everything durable", [&] { return second->out.all_durable(); });
             second->sync();
             t.expect_replica(*second, {policy("a"), policy("b")});
             require(t.names_of(zone->zone) == std::vector<std::string>({"s", "t"}), "both");
           }).needing({"control", "restart"}),
    on_hub("drain.many-reconnects", "Connections lost at any time neither lose nor repeat",
           {"FLOW-18", "FLOW-21"},
           [](HubTest& t) {
             auto zone = t.join();
             std::vector<Resource> all;
             for (int at = 0; at < 15; ++at) {
               const std::string name = "n" + std::to_string(at);
               all.push_back(policy(name));
               t.put({all.back()});
               zone->publish({service(zone->zone, name)});
               if (at % 3 == 0) (void)zone->step();
               zone = t.reconnect(*zone);
             }
             zone->wait("everything durable", [&] { return zone->out.all_durable(); });
             zone->sync();
             t.expect_replica(*zone, all);
             require(t.names_of(zone->zone).size() == 15, "each publication once");
           }).needing({"control"}),
    on_hub("drain.delete-zone", "Deleting a zone takes its resources from the others",
           {"SES-10", "FLOW-09"},
           [](HubTest& t) {
             auto east = t.join("east");
             auto west = t.join("west");
             east->publish_durably({service(east->zone, "a")});
             west->sync();
             t.set_zone(east->zone, "delete");
             east->expect_close(4403, "the deleted zone's session");
             west->wait("the removal", [&] {
               west->sync();
               return west->in.replica.items.empty();
             });
           }).needing({"delete-zone"}),
    on_hub("drain.disk-full", "A full disk at the hub holds the up flow and loses nothing",
           {"FLOW-31", "FLOW-32"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "a")});
             t.fault("disk-full");
             zone->publish({service(zone->zone, "b")});
             zone->wait("Hold", [&] { return !zone->out.holds.empty(); });
             require(zone->out.holds.back().reason == "disk_full", "FLOW-31: the word");
             t.advance(5s);
             zone->wait("Want", [&] { return !zone->out.wants.empty(); });
             zone->publish_durably({});
             require(t.names_of(zone->zone) == std::vector<std::string>({"a", "b"}), "both");
           }).needing({"control", "disk-full", "clock"}),
    on_zone("drain.hub-goes-away", "After Goodbye 1001 the client returns and resumes",
            {"SES-10", "CON-05"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              hub->leave(1001, "going away");
              auto second = t.next(*hub);
              second->handshake();
              second->write_durably({policy("b")});
              t.expect_store({policy("a"), policy("b")});
            }),
    on_hub("connect.no-common-subprotocol", "No subprotocol in common is HTTP 400 with the list",
           {"CON-02"},
           [](HubTest& t) {
             DialOptions wanted = plain_dial(t);
             wanted.subprotocols = {"zonesync.v9.future"};
             const auto link = t.dial(wanted);
             require(!link.has_value(), "CON-02: a connection was given");
             require(link.error().http_status == 400, "CON-02: HTTP 400");
             require(link.error().body.find("zonesync.v2.delta") != std::string::npos,
                     "CON-02: with the list");
           }),
    on_hub("connect.no-token", "No credential is HTTP 401", {"CON-03"},
           [](HubTest& t) {
             DialOptions wanted = plain_dial(t);
             wanted.token = "";
             expect_http(t, wanted, 401, "CON-03");
           }).needing({"transport"}),
    on_hub("connect.garbage-token", "A credential that is none is HTTP 401", {"CON-03"},
           [](HubTest& t) {
             DialOptions wanted = plain_dial(t);
             wanted.token = "garbage";
             expect_http(t, wanted, 401, "CON-03");
           }).needing({"transport"}),
    on_hub("connect.other-path", "Another path than /sync is refused", {"CON-01"},
           [](HubTest& t) {
             DialOptions wanted = plain_dial(t);
             wanted.path = "/elsewhere";
             const auto link = t.dial(wanted);
             require(!link.has_value(), "CON-01: a connection was given");
           }).needing({"transport"}),
    on_hub("connect.text-frame", "A text frame closes with 1003", {"CON-04"},
           [](HubTest& t) {
             auto zone = t.join();
             require(zone->link().send_text("hello"), "suite: this link has no text frames");
             zone->expect_close(1003, "CON-04");
           }).needing({"transport"}),
    on_zone("connect.client-text-frame", "A text frame from the hub closes with 1003", {"CON-04"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              require(hub->link().send_text("hello"), "suite: this link has no text frames");
              hub->expect_close(1003, "CON-04");
              auto second = t.next(*hub);
              second->handshake();
              t.expect_store({policy("a")});
            }).needing({"transport"}),
};

}  // namespace

Group view_and_rest() { return kCases; }

}  // namespace zonesync::conform::cases

// Views that change at a hub: a zone is disabled, while others are connected or away.
#include "conformance/suite/cases/groups.hpp"

namespace zonesync::conform::cases {
namespace {

using wire::FlowId;
using wire::IntentReason;

constexpr std::size_t kBytes = 20'000;   // of a resource

/// A zone that takes Drop, at the head.
std::unique_ptr<ZonePeer> joined(HubTest& t, const std::string& name, bool takes_drops = true) {
  auto zone = t.connect(name);
  if (takes_drops) zone->hello.features = {"views"};
  zone->handshake();
  return zone;
}

/// Connected to a small window, which nothing is acknowledged of.
std::unique_ptr<ZonePeer> joined_slow(HubTest& t, const std::string& name) {
  auto zone = t.connect(name);
  zone->hello.features = {"views"};
  zone->in.window_bytes = kBytes;
  zone->handshake();
  zone->sync();
  zone->in.auto_ack = false;
  return zone;
}

void credit_again(ZonePeer& zone) {
  zone.in.auto_ack = true;
  zone.say(FlowId::down, zone.in.ack());
  zone.sync();
}

void wait_replica(ZonePeer& zone, const std::string& what, std::size_t count) {
  zone.wait(what, [&] {
    zone.sync();
    return zone.in.replica.items.size() == count;
  });
}

const Case kCases[] = {
    on_hub("view.disabled-zone-leaves", "The classes of a disabled zone leave, and come back",
           {"VIEW-01", "VIEW-02", "VIEW-04"},
           [](HubTest& t) {
             auto west = t.join("west");
             west->publish_durably({service(west->zone, "s")});
             auto east = joined(t, "east");
             wait_replica(*east, "what west published", 1);
             t.set_zone(west->zone, "disable");
             wait_replica(*east, "the Drop", 0);
             require(!east->in.cuts.back().drops.empty(), "VIEW-02: the class left without a Drop");
             require(east->in.intents.size() == 1, "VIEW-01: a move needs no new Intent");
             t.set_zone(west->zone, "enable");
             wait_replica(*east, "what is seen again", 1);
             t.expect_replica(*east, {service(west->zone, "s")});
           }).needing({"control", "disable-zone"}).in(Modes::delta),
    on_hub("view.session-ends-without-drops", "Who cannot take Drop connects again",
           {"VIEW-08", "V1-09", "VIEW-06"},
           [](HubTest& t) {
             auto west = t.join("west");
             west->publish_durably({service(west->zone, "s")});
             auto east = joined(t, "east", false);
             wait_replica(*east, "what west published", 1);
             t.set_zone(west->zone, "disable");
             east->expect_close(1012, "VIEW-08");
             auto second = t.reconnect(*east);
             second->sync();
             t.expect_replica(*second, {});
           }).needing({"control", "disable-zone"}),
    on_hub("view.nothing-more-leaves", "Once a class left the view no byte of it leaves the hub",
           {"VIEW-05"},
           [](HubTest& t) {
             auto west = t.join("west");
             auto east = joined_slow(t, "east");
             for (int at = 0; at < 6; ++at) {
               west->publish_durably({service(west->zone, "s" + std::to_string(at),
                                              std::string(kBytes, 's'))});
             }
             t.set_zone(west->zone, "disable");
             (void)east->barrier();   // whatever was on its way is here
             const std::size_t before = east->in.arrived[west->zone];
             require(before < 6, "suite: the window holds some back");
             credit_again(*east);
             require(east->in.arrived[west->zone] == before, "VIEW-05: more of it came");
             t.expect_replica(*east, {});
           }).needing({"control", "disable-zone"}).in(Modes::delta),
    on_hub("view.rest-of-parts-stays", "The rest of a change in Parts does not leave either",
           {"VIEW-05", "VIEW-02"},
           [](HubTest& t) {
             auto west = t.join("west");
             auto east = joined_slow(t, "east");
             west->publish_durably({service(west->zone, "big", std::string(900'000, 'b'))});
             east->wait("the first Part", [&] { return east->in.parts > 0; });
             t.set_zone(west->zone, "disable");
             (void)east->barrier();
             const std::size_t before = east->in.parts;
             credit_again(*east);
             require(east->in.parts == before, "VIEW-05: more of it came");
             t.expect_replica(*east, {});
           }).needing({"control", "disable-zone"}).in(Modes::delta),
    on_hub("view.moved-while-away", "A cursor with the view before is answered with changes",
           {"VIEW-06", "V1-09"},
           [](HubTest& t) {
             auto west = t.join("west");
             west->publish_durably({service(west->zone, "s")});
             t.put({policy("a")});
             auto east = joined(t, "east");
             wait_replica(*east, "everything", 2);
             east->cut();
             t.set_zone(west->zone, "disable");
             auto second = t.reconnect(*east);
             require(second->in.intents.front().reason == IntentReason::changes,
                     "VIEW-06: the classes of that view are known");
             second->sync();
             t.expect_replica(*second, {policy("a")});
           }).needing({"control", "disable-zone"}),
    on_hub("view.known-after-restart", "The views that zones may hold outlive the hub's process",
           {"VIEW-07", "VIEW-06"},
           [](HubTest& t) {
             auto west = t.join("west");
             west->publish_durably({service(west->zone, "s")});
             auto east = joined(t, "east");
             wait_replica(*east, "what west published", 1);
             east->cut();
             t.set_zone(west->zone, "disable");
             t.restart();
             auto second = t.reconnect(*east);
             require(second->in.intents.front().reason == IntentReason::changes,
                     "VIEW-07: a restart forgot the view before");
             second->sync();
             t.expect_replica(*second, {});
           }).needing({"control", "disable-zone", "restart"}),
    on_hub("view.seven-before", "Seven views before the one in force are known", {"VIEW-07"},
           [](HubTest& t) {
             std::vector<std::unique_ptr<ZonePeer>> others;
             for (int at = 0; at < 7; ++at) {
               others.push_back(t.join("other" + std::to_string(at)));
               others.back()->publish_durably({service(others.back()->zone, "s")});
             }
             auto east = joined(t, "east");
             wait_replica(*east, "what they published", 7);
             east->cut();
             for (const auto& each : others) t.set_zone(each->zone, "disable");
             auto second = t.reconnect(*east);
             require(second->in.intents.front().reason == IntentReason::changes,
                     "VIEW-07: the seventh view before is not known");
             second->sync();
             t.expect_replica(*second, {});
           }).needing({"control", "disable-zone"}),
};

}  // namespace

Group view_moves() { return kCases; }

}  // namespace zonesync::conform::cases

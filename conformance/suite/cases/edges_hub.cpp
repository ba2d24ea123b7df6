// Edges of a hub that deliberate bugs showed to be unwatched (docs/conformance-kill-matrix.md).
#include "conformance/suite/cases/groups.hpp"

namespace zonesync::conform::cases {
namespace {

using namespace std::chrono_literals;
using wire::FlowId;
using Names = std::vector<std::string>;

Resource refused(const std::string& zone) {
  Resource bad = service(zone, "bad");
  bad.labels["kuma.io/zone"] = "elsewhere";
  return bad;
}

/// A zone whose publication `bad` the hub refuses, and `good` not.
std::unique_ptr<ZonePeer> zone_with_reject(HubTest& t) {
  auto zone = t.join();
  zone->publish_durably({refused(zone->zone), service(zone->zone, "good")});
  zone->wait("a verdict",
             [&] { return zone->out.verdicts.contains(refused(zone->zone).key); });
  return zone;
}

bool open_reject(const ZonePeer& zone) {
  const auto found = zone.out.verdicts.find(refused(zone.zone).key);
  return found != zone.out.verdicts.end() && !found->second.accepted;
}

const Case kCases[] = {
    on_hub("up.rejects-reported-again", "Open rejects are reported to a zone that is back",
           {"FLOW-26"},
           [](HubTest& t) {
             auto zone = zone_with_reject(t);
             zone->cut();
             auto second = t.reconnect(*zone);
             second->wait("the reject again", [&] { return open_reject(*second); });
           }).needing({"control"}),
    on_hub("up.rejects-survive-restart", "Rejects of a zone are as durable as its resources",
           {"FLOW-24", "FLOW-26"},
           [](HubTest& t) {
             auto zone = zone_with_reject(t);
             t.restart();
             auto second = t.reconnect(*zone);
             second->wait("the reject again", [&] { return open_reject(*second); });
           }).needing({"control", "restart"}),
    on_hub("up.leave-ends-reject", "A leave of a refused resource ends its reject", {"FLOW-24"},
           [](HubTest& t) {
             auto zone = zone_with_reject(t);
             zone->publish_durably({}, {refused(zone->zone)});
             zone->cut();
             auto second = t.reconnect(*zone);
             second->publish_durably({service(second->zone, "more")});
             second->sync();
             require(!open_reject(*second), "FLOW-24: the reject of a resource that left");
             require(t.names_of(zone->zone) == Names({"good", "more"}), "the rest stands");
           }).needing({"control"}),
    on_hub("up.ack-is-durable", "Nothing is acknowledged or synced before it is durable",
           {"FLOW-21", "SES-09"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "a")});
             const Cursor before = *zone->out.acked;
             t.fault("stall-disk", 1);
             zone->publish({service(zone->zone, "b")});
             zone->say(wire::Sync{900});
             t.advance(1s);
             zone->drain();
             require(zone->out.acked == before, "FLOW-21: acknowledged, and not durable");
             require(zone->synced.empty() || zone->synced.back().id != 900,
                     "SES-09: Synced before the cut is durable");
             t.fault("stall-disk", 0);
             zone->wait("Synced", [&] {
               return !zone->synced.empty() && zone->synced.back().id == 900;
             });
             zone->wait("the Ack", [&] { return zone->out.all_durable(); });
           }).needing({"control", "stall-disk", "clock"}),
    on_hub("up.fenced-by-newer-instance", "A cut that comes behind a newer instance is dropped",
           {"FLOW-18", "SES-07"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "a")});
             t.fault("stall-disk", 1);
             auto newer = t.redial(*zone);
             newer->hello.instance.id.bytes[0] ^= 0x40;
             newer->auto_up = false;
             newer->say(newer->hello_now());
             newer->drain();
             zone->publish({service(zone->zone, "late")});
             zone->drain();
             t.fault("stall-disk", 0);
             zone->expect_close(4409, "FLOW-18");
             newer->await_welcome();
             require(t.names_of(zone->zone) == Names{"a"}, "FLOW-18: a fenced cut was written");
           }).needing({"control", "stall-disk"}),
    on_hub("up.leave-behind-its-upsert", "Cuts that are committed together see each other",
           {"FLOW-05"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "a")});
             t.fault("stall-disk", 1);
             zone->publish({service(zone->zone, "short")});
             zone->publish({}, {service(zone->zone, "short")});
             zone->drain();
             t.fault("stall-disk", 0);
             zone->wait("the Ack", [&] { return zone->out.all_durable(); });
             require(zone->out.wants.empty(), "FLOW-14: the digest was found to differ");
             require(t.names_of(zone->zone) == Names{"a"}, "P1: what left is there");
           }).needing({"control", "stall-disk"}).in(Modes::delta),
    on_hub("cursor.trimmed-keeps-leaves", "Trimming versions keeps the leaves that zones need",
           {"FLOW-02", "FLOW-05"},
           [](HubTest& t) {
             t.put({policy("a"), policy("b")});
             auto zone = t.join();
             zone->sync();
             zone->cut();
             t.remove({policy("b")});
             t.put({policy("c")});
             t.fault("trim", 1);
             auto second = t.reconnect(*zone);
             second->sync();
             t.expect_replica(*second, {policy("a"), policy("c")});
           }).needing({"control", "trim"}),
    on_hub("cut.full-never-goes-back", "A full answer ends where the receiver is, or later",
           {"FLOW-12", "FLOW-16"},
           [](HubTest& t) {
             for (int at = 0; at < 5; ++at) t.put({big_policy("b" + std::to_string(at), 150'000)});
             auto zone = t.join();
             zone->sync();
             const Revision held = zone->in.cursor->revision;
             const std::size_t before = zone->in.cuts.size();
             zone->send(zone->in.want(true, "asked", zone->in.cursor));
             zone->wait("the full cut", [&] { return zone->in.cuts.size() > before; });
             require(zone->in.cuts[before].full, "FLOW-02: a full cut");
             require(zone->in.cuts[before].mark.to.revision >= held, "P1: the replica went back");
           }).needing({"control"}).in(Modes::delta),
    on_hub("cut.digest-of-its-end", "A cut that ends behind the head has the digest of its end",
           {"FLOW-13", "FLOW-14"},
           [](HubTest& t) {
             for (int at = 0; at < 4; ++at) t.put({big_policy("b" + std::to_string(at), 150'000)});
             auto zone = t.connect();
             zone->in.window_bytes = 200'000;
             zone->in.auto_ack = false;
             zone->handshake();
             zone->drain();
             for (int at = 0; at < 4; ++at) {   // while the full answer is under way
               t.put({big_policy("c" + std::to_string(at), 150'000)});
             }
             zone->in.auto_ack = true;
             zone->say(FlowId::down, zone->in.ack());
             zone->sync();
             require(zone->in.replica.has(big_policy("c3", 150'000)), "everything arrived");
           }).needing({"control"}).in(Modes::delta),
    on_hub("large.parts-without-marks", "No Mark stands inside a series that waits for credit",
           {"FLOW-07", "FLOW-30"},
           [](HubTest& t) {
             auto zone = t.connect();
             zone->in.window_bytes = 20'000;
             zone->handshake();
             zone->sync();
             zone->in.auto_ack = false;
             const Resource big = big_policy("big", 700'000);
             t.put({big});
             zone->drain();
             t.advance(12s);    // longer than an idle sender may be silent
             zone->drain();
             zone->in.auto_ack = true;
             zone->say(FlowId::down, zone->in.ack());
             zone->sync();
             t.expect_replica(*zone, {big});
           }).needing({"control", "clock"}),
    on_hub("both.acks-beside-own-data-hub", "A hub's acks do not wait for acks of its own data",
           {"FLOW-22", "FLOW-23"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->sync();
             zone->in.auto_ack = false;
             t.put({policy("a")});
             zone->drain();
             zone->publish_durably({service(zone->zone, "s")});
             require(t.names_of(zone->zone) == Names{"s"}, "it is there");
           }).needing({"control"}),
};

}  // namespace

Group edges_hub() { return kCases; }

}  // namespace zonesync::conform::cases

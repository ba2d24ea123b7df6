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

/// One cut whose Mark has no digest, as it need not (FLOW-13).
void publish_without_digest(ZonePeer& zone, const Resource& resource) {
  const auto from = zone.out.next_from;
  const Revision revision = zone.out.log.write({resource});
  zone.send_packets(zone.out.item_packets({revision, upsert_of(resource)}));
  wire::Mark mark = zone.out.mark(from, revision, 1);
  mark.digest.reset();
  zone.say(FlowId::up, mark);
  zone.out.next_from = mark.to;
}

/// The group that is written next fails; what comes behind it is judged by what is there.
void lose_first_group(HubTest& t, ZonePeer& zone) {
  zone.drain();
  t.fault("disk-full");
  t.fault("stall-disk", 0);
  zone.wait("Hold", [&] { return !zone.out.holds.empty(); });
  t.advance(5s);
  zone.wait("Want", [&] { return !zone.out.wants.empty(); });
  zone.publish_durably({});
}

void cut_behind_a_lost_one(HubTest& t) {
  auto zone = t.join("east");
  zone->publish_durably({service(zone->zone, "a")});
  t.fault("stall-disk", 1);
  zone->publish({service(zone->zone, "b", std::string(700'000, 'b'))});
  publish_without_digest(*zone, service(zone->zone, "c", std::string(700'000, 'c')));
  lose_first_group(t, *zone);
  require(t.names_of(zone->zone) == Names({"a", "b", "c"}), "P1: a cut is lost");
}

void piece_behind_a_lost_one(HubTest& t) {
  auto zone = t.connect("west");
  zone->auto_up = false;
  zone->handshake();
  Names names;
  for (int at = 0; at < 4; ++at) {
    names.push_back("p" + std::to_string(at));
    zone->out.log.write({service(zone->zone, names.back(), std::string(700'000, 'p'))});
  }
  t.fault("stall-disk", 1);
  zone->start_up();
  zone->push();              // everything: in pieces
  lose_first_group(t, *zone);
  require(t.names_of(zone->zone) == names, "FLOW-14: a piece is lost");
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
    on_hub("up.leave-ends-reject", "A leave of a refused resource ends its reject",
           {"FLOW-24", "FLOW-26"},
           [](HubTest& t) {
             auto zone = zone_with_reject(t);
             zone->publish_durably({}, {refused(zone->zone)});
             zone->wait("the withdrawal", [&] { return !open_reject(*zone); });
             zone->cut();
             auto second = t.reconnect(*zone);
             second->publish_durably({service(second->zone, "more")});
             second->sync();
             require(!open_reject(*second), "FLOW-24: the reject of a resource that left");
             require(t.names_of(zone->zone) == Names({"good", "more"}), "the rest stands");
           }).needing({"control"}),
    on_hub("up.reject-gone-with-full", "A reject of what a full answer removed is withdrawn",
           {"FLOW-26", "FLOW-16"},
           [](HubTest& t) {
             auto zone = zone_with_reject(t);
             zone->cut();
             auto second = t.redial(*zone);
             second->out.log = PeerLog(9, true);   // reinstalled, without it
             second->out.log.write({service(zone->zone, "good")});
             second->auto_up = false;
             second->handshake();
             second->wait("the reject again", [&] { return open_reject(*second); });
             second->publish_durably({});
             second->wait("the withdrawal", [&] { return !open_reject(*second); });
             require(t.names_of(zone->zone) == Names{"good"}, "the rest stands");
           }).needing({"control"}),
    on_hub("up.reject-of-another-log", "An accepted version withdraws the reject of another log",
           {"FLOW-24", "FLOW-26"},
           [](HubTest& t) {
             auto zone = zone_with_reject(t);
             zone->cut();
             auto second = t.redial(*zone);
             second->out.log = PeerLog(9, true);   // reinstalled
             second->auto_up = false;
             second->handshake();
             second->wait("the reject again", [&] { return open_reject(*second); });
             second->publish_durably({service(zone->zone, "bad"), service(zone->zone, "good")});
             second->wait("the withdrawal", [&] { return !open_reject(*second); });
             require(t.names_of(zone->zone) == Names({"bad", "good"}), "both are there");
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
    on_hub("up.behind-a-lost-one", "What follows something lost is not taken alone",
           {"FLOW-14", "FLOW-18", "FLOW-19", "FLOW-31"},
           [](HubTest& t) {
             cut_behind_a_lost_one(t);
             piece_behind_a_lost_one(t);
           }).needing({"control", "stall-disk", "disk-full", "clock"}).in(Modes::delta),
    on_hub("cut.ends-above-trim-floor", "No cut ends where entries of it were trimmed",
           {"FLOW-12"},
           [](HubTest& t) {
             auto first = t.join();
             first->sync();
             first->cut();
             t.put({policy("x")});
             std::vector<Resource> expected{policy("x", "2s")};
             for (int at = 0; at < 8; ++at) {
               expected.push_back(big_policy("b" + std::to_string(at), 100'000));
               t.put({expected.back()});
             }
             const Revision floor = t.put({policy("x", "2s")});
             t.fault("trim", 1);
             auto zone = t.reconnect(*first);
             zone->sync();
             for (const CutRecord& cut : zone->in.cuts) {
               require(cut.mark.to.revision >= floor, "FLOW-12: a cut without what was trimmed");
             }
             t.expect_replica(*zone, expected);
           }).needing({"control", "trim"}).in(Modes::delta),
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

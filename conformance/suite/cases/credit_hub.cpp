// Acks, credit and verdicts of the down flow at a hub.
#include "conformance/suite/cases/groups.hpp"

namespace zonesync::conform::cases {
namespace {

using wire::FlowId;

Verdict refusal(const Resource& resource, Revision revision) {
  return Verdict{resource.key, revision, false, Reject{"invalid", "/spec", "no", false}};
}

/// Revision at which the replica holds a resource.
Revision held_at(const ZonePeer& zone, const Resource& resource) {
  const auto found = zone.in.replica.items.find(resource.key);
  require(found != zone.in.replica.items.end(), "the replica lacks " + to_string(resource.key));
  return found->second.revision;
}

/// In a mesh of the case's own: a hub that lives longer than a case has a history, which would not
/// fit a small window soon.
Resource alone(const HubTest& t, Resource resource) {
  resource.key.mesh = t.name("alone");
  return resource;
}

std::unique_ptr<ZonePeer> connect_alone(HubTest& t, std::uint64_t window_bytes) {
  auto zone = t.connect();
  zone->hello.meshes = {t.name("alone")};
  zone->in.window_bytes = window_bytes;
  return zone;
}

const Case kCases[] = {
    on_hub("credit.window-is-kept", "Never more than the window is in flight",
           {"FLOW-20", "FLOW-22"},
           [](HubTest& t) {
             std::vector<Resource> all;
             for (int at = 0; at < 40; ++at) {
               all.push_back(alone(t, big_policy("w" + std::to_string(at), 9'000)));
             }
             t.put(all);
             auto zone = connect_alone(t, 40'000);
             zone->in.auto_ack = false;
             zone->say(zone->hello_now());
             zone->await_welcome();
             zone->wait("data, as the window allows", [&] { return zone->in.received_bytes > 0; });
             zone->drain();
             require(zone->in.received_bytes <= 40'000 + zone->in.largest_packet,
                     "FLOW-22: more than the window arrived without an Ack");
             zone->in.auto_ack = true;
             zone->say(FlowId::down, zone->in.ack());
             zone->sync();
             t.expect_replica(*zone, all);
           }).needing({"control"}),
    on_hub("credit.one-packet-always", "One packet may be in flight, however small the window",
           {"FLOW-22"},
           [](HubTest& t) {
             const std::vector<Resource> two{alone(t, big_policy("a", 50'000)),
                                             alone(t, big_policy("b", 50'000))};
             t.put(two);
             auto zone = connect_alone(t, 1'000);
             zone->handshake();
             zone->sync();
             t.expect_replica(*zone, two);
           }).needing({"control"}),
    on_hub("credit.feedback-needs-none", "With a full window barriers are still answered",
           {"FLOW-22", "SES-09"},
           [](HubTest& t) {
             t.put({big_policy("a", 100'000), big_policy("b", 100'000), big_policy("c", 100'000)});
             auto zone = t.connect();
             zone->in.window_bytes = 100'000;
             zone->in.auto_ack = false;
             zone->say(zone->hello_now());
             zone->await_welcome();
             zone->drain();
             zone->say(wire::Sync{9});
             zone->wait("Synced with a full window", [&] { return !zone->synced.empty(); });
           }).needing({"control"}),
    on_hub("credit.ack-backwards", "received_bytes that go backwards are 4400", {"FLOW-20"},
           [](HubTest& t) {
             t.put({policy("a")});
             auto zone = t.join();
             zone->sync();
             wire::Ack ack = zone->in.ack();
             ack.received_bytes -= 1;
             zone->say(FlowId::down, ack);
             zone->expect_close(4400, "FLOW-20");
           }).needing({"control"}),
    on_hub("credit.ack-too-much", "received_bytes beyond what was sent are 4400", {"FLOW-20"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->sync();
             wire::Ack ack = zone->in.ack();
             ack.received_bytes += 1'000'000;
             zone->say(FlowId::down, ack);
             zone->expect_close(4400, "FLOW-20");
           }),
    on_hub("credit.ack-cursor-beyond", "A cursor beyond the log is 4400", {"FLOW-21"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->sync();
             wire::Ack ack = zone->in.ack();
             ack.cursor->revision.value += 1'000'000;
             zone->say(FlowId::down, ack);
             zone->expect_close(4400, "FLOW-21");
           }),
    on_hub("credit.ack-cursor-unknown-era", "A cursor of an era that never was is 4400",
           {"FLOW-21"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->sync();
             wire::Ack ack = zone->in.ack();
             ack.cursor->era.id.bytes[7] ^= 0x55;
             zone->say(FlowId::down, ack);
             zone->expect_close(4400, "FLOW-21");
           }),
    on_hub("credit.ack-of-up-flow", "An Ack of the flow that the hub receives is 4400", {"FLOW-03"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->say(FlowId::up, wire::Ack{});
             zone->expect_close(4400, "FLOW-03");
           }),
    on_hub("credit.mark-of-down-flow", "A Mark of the down flow from a zone is 4400", {"FLOW-03"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->sync();
             wire::Mark mark;
             mark.from = zone->in.cursor;
             mark.to = *zone->in.cursor;
             zone->say(FlowId::down, mark);
             zone->expect_close(4400, "FLOW-03");
           }),
    on_hub("credit.acked-is-known", "What a zone acked is the hub's word on its progress",
           {"FLOW-21"},
           [](HubTest& t) {
             auto zone = t.join();
             t.put({policy("a")});
             const Revision covered = zone->sync();
             t.wait_facts(*zone, "acked " + std::to_string(covered.value),
                 [&](const ZoneFacts& now) {
               return now.connected && now.acked && *now.acked >= covered.value;
             });
           }).needing({"control", "zones"}),
    on_hub("credit.not-acked-not-known", "Sent but not acked is not progress", {"FLOW-21"},
           [](HubTest& t) {
             auto zone = t.join();
             const Revision before = zone->sync();
             zone->in.auto_ack = false;
             t.put({policy("a")});
             zone->wait("the change", [&] { return zone->in.replica.has(policy("a")); });
             require(t.facts(*zone).acked.value_or(0) <= before.value,
                     "FLOW-21: progress without an Ack");
           }).needing({"control", "zones"}),
    on_hub("verdict.shown-and-cleared", "A zone's reject is shown, and a new version clears it",
           {"FLOW-24", "FLOW-26"},
           [](HubTest& t) {
             auto zone = t.join();
             t.put({policy("bad", "1s"), policy("good")});
             zone->sync();
             zone->in.verdicts.push_back(refusal(policy("bad"), held_at(*zone, policy("bad"))));
             zone->send(zone->in.due());
             t.wait_facts(*zone, "one reject", [](const ZoneFacts& f) { return f.rejects == 1; });
             t.put({policy("bad", "2s")});
             zone->sync();
             t.wait_facts(*zone, "no reject", [](const ZoneFacts& f) { return f.rejects == 0; });
           }).needing({"control", "zones"}),
    on_hub("verdict.withdrawn", "`accepted` withdraws a reject", {"FLOW-24"},
           [](HubTest& t) {
             auto zone = t.join();
             t.put({policy("bad")});
             zone->sync();
             Verdict verdict = refusal(policy("bad"), held_at(*zone, policy("bad")));
             zone->in.verdicts.push_back(verdict);
             zone->send(zone->in.due());
             t.wait_facts(*zone, "one reject", [](const ZoneFacts& f) { return f.rejects == 1; });
             verdict.accepted = true;
             verdict.reject = {};
             zone->in.verdicts.push_back(verdict);
             zone->send(zone->in.due());
             t.wait_facts(*zone, "no reject", [](const ZoneFacts& f) { return f.rejects == 0; });
           }).needing({"control", "zones"}),
    on_hub("verdict.stops-nothing", "A refused version delays nothing after it", {"FLOW-25"},
           [](HubTest& t) {
             auto zone = t.join();
             t.put({policy("bad"), policy("good")});
             zone->sync();
             zone->in.verdicts.push_back(refusal(policy("bad"), held_at(*zone, policy("bad"))));
             zone->send(zone->in.due());
             t.put({policy("later")});
             zone->sync();
             t.expect_replica(*zone, {policy("bad"), policy("good"), policy("later")});
           }).needing({"control"}),
    on_hub("verdict.reported-again", "A reject reported after a restart of the hub is shown again",
           {"FLOW-26"},
           [](HubTest& t) {
             auto zone = t.join();
             t.put({policy("bad")});
             zone->sync();
             const Verdict verdict = refusal(policy("bad"), held_at(*zone, policy("bad")));
             t.restart();
             auto second = t.redial(*zone);
             second->hello.open_rejects = 1;
             second->handshake();
             second->sync();
             second->in.verdicts.push_back(verdict);
             second->send(second->in.due());
             t.wait_facts(*second, "one reject", [](const ZoneFacts& f) { return f.rejects == 1; });
           }).needing({"control", "restart", "zones"}),
    on_hub("hold.no-data-while-held", "After Hold no data comes until Want",
           {"FLOW-31", "FLOW-32"},
           [](HubTest& t) {
             t.put({policy("a")});
             auto zone = t.join();
             zone->sync();
             zone->say(FlowId::down, wire::Hold{"disk_full", "no space", false});
             zone->say(wire::Sync{77});
             zone->wait("Synced", [&] { return !zone->synced.empty() && zone->synced.back().id ==
                 77; });
             const std::size_t before = zone->in.changes();
             t.put({policy("b")});
             zone->drain();
             require(zone->in.changes() == before, "FLOW-32: data while held");
             require(zone->open(), "FLOW-31: the session stays alive");
             zone->send(zone->in.want(false, "disk_full", zone->in.cursor));
             zone->sync();
             t.expect_replica(*zone, {policy("a"), policy("b")});
           }).needing({"control"}),
    on_hub("hold.released", "A Hold with `released` lets data flow again", {"FLOW-32"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->sync();
             zone->say(FlowId::down, wire::Hold{"application", "busy", false});
             t.put({policy("a")});
             zone->drain();
             zone->say(FlowId::down, wire::Hold{"application", "", true});
             zone->sync();
             t.expect_replica(*zone, {policy("a")});
           }).needing({"control"}),
    on_hub("hold.shown", "The hub shows a zone that holds, with its word", {"FLOW-31"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->sync();
             zone->say(FlowId::down, wire::Hold{"disk_full", "no space", false});
             t.wait_facts(*zone, "hold disk_full",
                          [](const ZoneFacts& f) { return f.hold == "disk_full"; });
           }).needing({"zones"}),
    on_hub("hold.one-zone-only", "One zone that holds delays no other", {"FLOW-31", "FLOW-32"},
           [](HubTest& t) {
             auto east = t.join("east");
             auto west = t.join("west");
             east->sync();
             east->say(FlowId::down, wire::Hold{"disk_full", "no space", false});
             t.put({policy("a")});
             west->sync();
             t.expect_replica(*west, {policy("a")});
           }).needing({"control"}),
};

}  // namespace

Group credit_hub() { return kCases; }

}  // namespace zonesync::conform::cases

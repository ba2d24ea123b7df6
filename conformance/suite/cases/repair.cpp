// Repair by fingerprints, at both faces and in both directions.
#include <algorithm>

#include "conformance/suite/cases/groups.hpp"

namespace zonesync::conform::cases {
namespace {

using wire::FlowId;
using wire::IntentReason;

const wire::Features kRepair{.repair = true};

/// Welcomed, with the feature, over a cursor of an era that the hub does not know.
std::unique_ptr<ZonePeer> with_lost_cursor(HubTest& t, ZonePeer& old) {
  old.cut();
  auto zone = t.redial(old);
  zone->hello.features = {"repair"};
  require(zone->in.cursor.has_value(), "suite: no cursor to lose");
  zone->in.cursor->era.id.bytes[3] ^= 0x5a;
  return zone;
}

const wire::Intent& down_intent(const ZonePeer& zone) {
  require(!zone.in.intents.empty(), "no Intent came");
  return zone.in.intents.back();
}

void expect_repair(const ZonePeer& zone) {
  require(down_intent(zone).reason == IntentReason::repair,
          "REP-02: the answer to an unknown cursor of a zone that can compare is a repair");
}

/// Up to the Differing, which the script answers.
std::unique_ptr<ZonePeer> comparing(HubTest& t) {
  t.put({policy("a"), policy("b")});
  auto first = t.join();
  first->sync();
  auto zone = with_lost_cursor(t, *first);
  zone->in.auto_repair = false;
  zone->handshake();
  expect_repair(*zone);
  return zone;
}

/// Everything that the replica holds, as if all of it differed.
wire::Prints all_prints(const ZonePeer& zone) {
  wire::Differing every;
  for (std::uint16_t at = 0; at < (1u << kBucketBitsMax); ++at) every.buckets.push_back(at);
  return zone.in.prints(every);
}

const Case kHub[] = {
    on_hub("repair.equal", "What is equal does not travel",
           {"REP-01", "REP-02", "REP-03", "REP-06"},
           [](HubTest& t) {
             t.put({policy("a"), policy("b")});
             auto first = t.join();
             first->sync();
             auto zone = with_lost_cursor(t, *first);
             zone->handshake();
             expect_repair(*zone);
             zone->sync();
             require(zone->in.changes() == 0, "REP-05: changes came although nothing differs");
             t.expect_replica(*zone, {policy("a"), policy("b")});
           }).needing({"control"}).in(Modes::delta),
    on_hub("repair.what-differs", "A repair removes, replaces and adds exactly what differs",
           {"REP-03", "REP-04", "REP-05", "REP-06"},
           [](HubTest& t) {
             t.put({policy("a"), policy("b"), policy("c"), policy("d")});
             auto first = t.join();
             first->sync();
             auto zone = with_lost_cursor(t, *first);
             zone->in.replica.items.erase(policy("a").key);
             zone->in.replica.items.at(policy("b").key).change = upsert_of(policy("b", "other"));
             zone->in.replica.apply({Revision{1}, upsert_of(policy("ghost"))});
             zone->handshake();
             expect_repair(*zone);
             zone->sync();
             t.expect_replica(*zone, {policy("a"), policy("b"), policy("c"), policy("d")});
             const CutRecord& cut = zone->in.cuts.front();
             require(cut.items.size() == 2, "REP-05: other versions than a and b travelled");
             require(cut.removes.size() == 1, "REP-05: another Remove than that of the ghost");
           }).needing({"control"}).in(Modes::delta),
    on_hub("repair.wanted", "A Want for a repair is answered by one, also with a good cursor",
           {"REP-02", "FLOW-02"},
           [](HubTest& t) {
             t.put({policy("a")});
             auto zone = t.connect();
             zone->hello.features = {"repair"};
             zone->handshake();
             zone->sync();
             wire::Want want;
             want.cursor = zone->in.cursor;
             want.repair = true;
             want.why = "digest_mismatch";
             zone->in.awaiting = true;
             zone->say(FlowId::down, want);
             zone->wait("the Intent", [&] { return zone->in.intents.size() == 2; });
             expect_repair(*zone);
             zone->sync();
             t.expect_replica(*zone, {policy("a")});
           }).needing({"control"}).in(Modes::delta),
    on_hub("repair.zero-hash", "A key that is printed with a zero hash is sent again", {"REP-03"},
           [](HubTest& t) {
             t.put({policy("a"), policy("b")});
             auto first = t.join();
             first->sync();
             auto zone = with_lost_cursor(t, *first);
             zone->in.replica.items.at(policy("a").key).change.hash = Hash128{};
             zone->handshake();
             zone->sync();
             t.expect_replica(*zone, {policy("a"), policy("b")});
             require(zone->in.changes() == 1, "REP-03: a travels again, b does not");
           }).needing({"control"}).in(Modes::delta),
    on_hub("repair.full-instead", "A receiver that cannot compare wants everything instead",
           {"REP-02"},
           [](HubTest& t) {
             auto zone = comparing(t);
             zone->send(zone->in.want(true, "too_many", std::nullopt));
             zone->wait("the Intent", [&] { return zone->in.intents.size() == 2; });
             require(down_intent(*zone).reason == IntentReason::full, "REP-02: full");
             zone->sync();
             t.expect_replica(*zone, {policy("a"), policy("b")});
           }).needing({"control"}).in(Modes::delta),
    on_hub("repair.buckets-twice", "Buckets twice are 4400", {"REP-02"},
           [](HubTest& t) {
             auto zone = comparing(t);
             zone->say(FlowId::down, zone->in.buckets());
             zone->say(FlowId::down, zone->in.buckets());
             zone->expect_close(4400, "REP-02");
           }).needing({"control"}).in(Modes::delta),
    on_hub("repair.prints-of-equal-bucket", "Prints of a bucket that is equal are 4400",
           {"REP-04"},
           [](HubTest& t) {
             auto zone = comparing(t);
             zone->say(FlowId::down, zone->in.buckets());
             zone->wait("Differing", [&] { return !zone->in.differing.empty(); });
             zone->say(FlowId::down, all_prints(*zone));
             zone->expect_close(4400, "REP-04");
           }).needing({"control"}).in(Modes::delta),
    on_hub("repair.prints-unordered", "Prints that do not ascend are 4400", {"REP-04"},
           [](HubTest& t) {
             auto zone = comparing(t);
             zone->in.replica.items.at(policy("a").key).change = upsert_of(policy("a", "x"));
             zone->say(FlowId::down, zone->in.buckets());
             zone->wait("Differing", [&] { return !zone->in.differing.empty(); });
             wire::Prints prints = zone->in.prints(zone->in.differing.back());
             require(!prints.records.empty(), "REP-03: the bucket of a differs");
             prints.records.push_back(prints.records.front());
             zone->say(FlowId::down, prints);
             zone->expect_close(4400, "REP-04");
           }).needing({"control"}).in(Modes::delta),
    on_hub("repair.prints-after-last", "Prints after the last are 4400", {"REP-04"},
           [](HubTest& t) {
             auto zone = comparing(t);
             zone->in.replica.items.at(policy("a").key).change = upsert_of(policy("a", "x"));
             zone->say(FlowId::down, zone->in.buckets());
             zone->wait("Differing", [&] { return !zone->in.differing.empty(); });
             const wire::Prints prints = zone->in.prints(zone->in.differing.back());
             zone->say(FlowId::down, prints);
             zone->say(FlowId::down, prints);
             zone->expect_close(4400, "REP-04");
           }).needing({"control"}).in(Modes::delta),
    on_hub("repair.not-negotiated", "Buckets without the feature are 4400", {"REP-01"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->say(FlowId::down, zone->in.buckets());
             zone->expect_close(4400, "REP-01");
           }),
    on_hub("repair.in-v1-not-negotiated", "In v1 nothing is compared: lists are complete",
           {"REP-01", "V1-01"},
           [](HubTest& t) {
             t.put({policy("a")});
             auto first = t.join();
             first->sync();
             auto zone = with_lost_cursor(t, *first);
             zone->handshake();
             require(down_intent(*zone).reason == IntentReason::full, "V1-01: full");
             zone->sync();
             t.expect_replica(*zone, {policy("a")});
           }).needing({"control"}).in(Modes::v1),
};

/// A zone whose log has a new era over what the hub holds; its Intent is owed.
std::unique_ptr<ZonePeer> with_lost_era(HubTest& t) {
  auto first = t.join();
  first->publish_durably({service(first->zone, "a"), service(first->zone, "b")});
  first->cut();
  auto zone = t.redial(*first);
  zone->hello.features = {"repair"};
  zone->out.log = PeerLog(9, true);
  zone->auto_up = false;
  zone->say(zone->hello_now());
  zone->await_welcome();
  return zone;
}

const Case kUp[] = {
    on_hub("repair.up", "The hub compares what it holds of a zone", {"REP-01", "REP-02", "REP-06"},
           [](HubTest& t) {
             auto zone = with_lost_era(t);
             zone->out.log.write({service(zone->zone, "b"), service(zone->zone, "c")});
             zone->repair("unknown_era");
             zone->wait("the hub's Ack (FLOW-21)", [&] { return zone->out.all_durable(); });
             require(t.names_of(zone->zone) == std::vector<std::string>({"b", "c"}),
                     "REP-06: a goes, c comes, b stays");
           }).needing({"control"}).in(Modes::delta),
    on_hub("repair.up-removes-return-credit", "Removes count as received", {"FLOW-20", "REP-05"},
           [](HubTest& t) {
             auto zone = with_lost_era(t);
             zone->out.log.write({service(zone->zone, "c")});   // a and b are gone
             zone->repair("unknown_era");
             zone->wait("the hub's Ack (FLOW-21)", [&] { return zone->out.all_durable(); });
             zone->wait("the credit of the Removes (FLOW-20)",
                        [&] { return zone->out.received_bytes == zone->out.sent_bytes; });
             require(t.names_of(zone->zone) == std::vector<std::string>{"c"}, "REP-06: they go");
           }).needing({"control"}).in(Modes::delta),
    on_hub("repair.up-partial-log", "From a partial log a repair removes nothing",
           {"REP-06", "FLOW-16"},
           [](HubTest& t) {
             auto zone = with_lost_era(t);
             zone->out.log = PeerLog(9, false);
             zone->out.log.write({service(zone->zone, "c")});
             zone->repair("unknown_era");
             zone->wait("the hub's Ack (FLOW-21)", [&] { return zone->out.all_durable(); });
             require(t.names_of(zone->zone) == std::vector<std::string>({"a", "b", "c"}),
                     "REP-06: nothing goes");
           }).needing({"control"}).in(Modes::delta),
    on_hub("repair.up-data-too-early", "Data before the comparison is over is 4400", {"REP-05"},
           [](HubTest& t) {
             auto zone = with_lost_era(t);
             const Revision revision = zone->out.log.write({service(zone->zone, "c")});
             zone->send(zone->out.repair_packet("unknown_era"));
             zone->send(zone->out.item_packets(
                 {revision, upsert_of(service(zone->zone, "c"))}).front());
             zone->expect_close(4400, "REP-05");
           }).in(Modes::delta),
    on_hub("repair.up-remove-not-printed", "A Remove of a key that was not printed is 4400",
           {"REP-05"},
           [](HubTest& t) {
             auto zone = with_lost_era(t);
             zone->out.log.write({service(zone->zone, "a"), service(zone->zone, "b")});
             zone->send(zone->out.repair_packet("unknown_era"));
             zone->wait("Buckets (REP-02)", [&] { return !zone->out.buckets.empty(); });
             zone->say(FlowId::up, wire::Differing{});
             wire::Remove remove;
             remove.fingerprints.push_back(fingerprint(service(zone->zone, "z").key));
             zone->say(FlowId::up, remove);
             zone->expect_close(4400, "REP-05");
           }).in(Modes::delta),
};

/// A client with a and b, and the hub of the next connection, which has lost its era.
std::unique_ptr<HubPeer> other_era(ZoneTest& t, HubPeer& old, PeerLog log) {
  old.cut();
  auto hub = t.next_of_other_hub(old, std::move(log));
  hub->grant = kRepair;
  hub->welcome_only();
  return hub;
}

const Case kZone[] = {
    on_zone("repair.client", "A client compares and takes only what differs",
            {"REP-01", "REP-02", "REP-03", "REP-04", "REP-05", "REP-06"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a"), policy("b"), policy("c")});
              PeerLog log(7, true);
              log.write({policy("b"), policy("c", "2s"), policy("d")});
              auto second = other_era(t, *hub, std::move(log));
              second->repair("unknown_era");
              second->await_durable();
              require(second->out.buckets.size() == 1, "REP-02: Buckets exactly once");
              t.expect_store({policy("b"), policy("c", "2s"), policy("d")});
            }).in(Modes::delta),
    on_zone("repair.client-equal", "A client whose content is right keeps it without traffic",
            {"REP-04", "REP-06"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a"), policy("b")});
              PeerLog log(7, true);
              log.write({policy("a"), policy("b")});
              auto second = other_era(t, *hub, std::move(log));
              second->repair("unknown_era");
              second->await_durable();
              require(second->out.prints.empty(), "REP-04: Prints although nothing differs");
              t.expect_store({policy("a"), policy("b")});
              second->write_durably({policy("c")});
              t.expect_store({policy("a"), policy("b"), policy("c")});
            }).in(Modes::delta),
    on_zone("repair.client-partial-log", "From a partial log a repair removes nothing",
            {"REP-06", "FLOW-16"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a"), policy("b")});
              PeerLog log(7, false);
              log.write({policy("b"), policy("c")});
              auto second = other_era(t, *hub, std::move(log));
              second->repair("unknown_era");
              second->await_durable();
              t.expect_store({policy("a"), policy("b"), policy("c")});
            }).in(Modes::delta),
    on_zone("repair.client-data-too-early", "Data before the comparison is over is 4400",
            {"REP-05"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              PeerLog log(7, true);
              const Revision revision = log.write({policy("x")});
              auto second = other_era(t, *hub, std::move(log));
              second->send(second->out.repair_packet("unknown_era"));
              second->send(second->out.item_packets({revision, upsert_of(policy("x"))}).front());
              second->expect_close(4400, "REP-05");
              t.expect_store({policy("a")});
            }).in(Modes::delta),
    on_zone("repair.client-remove-not-printed", "A Remove of a key that was not printed is 4400",
            {"REP-05"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              PeerLog log(7, true);
              log.write({policy("a")});
              auto second = other_era(t, *hub, std::move(log));
              second->send(second->out.repair_packet("unknown_era"));
              second->wait("Buckets (REP-02)", [&] { return !second->out.buckets.empty(); });
              second->say(FlowId::down, wire::Differing{});
              wire::Remove remove;
              remove.fingerprints.push_back(fingerprint(policy("a").key));
              second->say(FlowId::down, remove);
              second->expect_close(4400, "REP-05");
              t.expect_store({policy("a")});
            }).in(Modes::delta),
    on_zone("repair.client-remove-behind-change", "A Remove behind a change is 4400", {"REP-05"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              PeerLog log(7, true);
              const Revision revision = log.write({policy("x")});
              auto second = other_era(t, *hub, std::move(log));
              second->send(second->out.repair_packet("unknown_era"));
              second->wait("Buckets (REP-02)", [&] { return !second->out.buckets.empty(); });
              second->say(FlowId::down, second->out.differing());
              second->wait("the last Prints (REP-04)", [&] {
                return !second->out.prints.empty() && second->out.prints.back().last;
              });
              second->send(second->out.item_packets({revision, upsert_of(policy("x"))}).front());
              wire::Remove remove;
              remove.fingerprints.push_back(fingerprint(policy("a").key));
              second->say(FlowId::down, remove);
              second->expect_close(4400, "REP-05");
              t.expect_store({policy("a")});
            }).in(Modes::delta),
    on_zone("repair.client-not-negotiated", "A repair that was not granted is 4400", {"REP-01"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              hub->cut();
              auto second = t.next_of_other_hub(*hub, PeerLog(7, true));
              second->welcome_only();
              second->send(second->out.repair_packet("unknown_era"));
              second->expect_close(4400, "REP-01");
            }).in(Modes::delta),
    on_zone("repair.client-digest-ladder",
            "Digests that differ lead to a repair, then to everything, then to Hold `digest`",
            {"REP-08", "FLOW-14"},
            [](ZoneTest& t) {
              auto hub = t.meet();
              hub->grant = kRepair;
              hub->auto_answer = false;
              hub->out.log.write({policy("a")});
              hub->handshake();
              hub->await_durable();
              const auto spoilt_mark = [&](std::optional<Cursor> from) {
                wire::Mark mark = hub->out.mark(from, hub->out.log.head, 0);
                mark.digest->low ^= 1;
                hub->say(FlowId::down, mark);
              };
              spoilt_mark(hub->out.next_from);
              hub->wait("Want (REP-08)", [&] { return hub->out.wants.size() == 1; });
              require(hub->out.wants[0].repair && !hub->out.wants[0].force_full,
                      "REP-08: the first time a repair");
              hub->send(hub->out.repair_packet("asked"));
              hub->wait("Buckets", [&] { return !hub->out.buckets.empty(); });
              hub->say(FlowId::down, wire::Differing{});
              spoilt_mark(std::nullopt);
              hub->wait("Want (REP-08)", [&] { return hub->out.wants.size() == 2; });
              require(hub->out.wants[1].force_full, "REP-08: the second time everything");
              hub->send(hub->out.intent_packet(std::nullopt, "asked"));
              hub->send(hub->out.item_packets(hub->out.log.after({}).front()).front());
              wire::Mark mark = hub->out.mark(std::nullopt, hub->out.log.head, 1);
              mark.digest->low ^= 1;
              hub->say(FlowId::down, mark);
              hub->wait("Hold digest (REP-08)", [&] {
                return !hub->out.holds.empty() && hub->out.holds.back().reason == "digest";
              });
              t.expect_store({policy("a")});
            }).in(Modes::delta),
    on_zone("repair.client-keeps-verdicts", "A version that is sent again keeps its verdict",
            {"REP-07", "REP-03"},
            [](ZoneTest& t) {
              auto hub = t.meet();
              t.call(t.zone->set_verdict("bad"), "set_verdict");
              hub->out.log.write({policy("a"), policy("b", "bad")});
              hub->handshake();
              hub->await_durable();
              hub->wait("the verdict", [&] { return !hub->out.verdicts.empty(); });
              PeerLog log(7, true);
              log.write({policy("a"), policy("b", "bad")});
              auto second = other_era(t, *hub, std::move(log));
              second->repair("unknown_era");
              second->await_durable();
              t.wait_status(*second, "one reject", [](const ClientFacts& now) {
                return now.rejects == 1;
              });
              t.expect_store({policy("a")});
              second->wait("the verdict again (REP-07)", [&] {
                return second->out.verdicts.contains(policy("b").key);
              });
              require(!second->out.verdicts.at(policy("b").key).accepted, "REP-07: still refused");
            }).needing({"verdicts"}).in(Modes::delta),
    on_zone("repair.client-removes-return-credit", "Removes count as received",
            {"FLOW-20", "REP-05"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a"), policy("b"), policy("c")});
              PeerLog log(7, true);
              log.write({policy("c")});
              auto second = other_era(t, *hub, std::move(log));
              second->repair("unknown_era");
              second->await_durable();
              second->wait("the credit of the Removes (FLOW-20)", [&] {
                return second->out.received_bytes == second->out.sent_bytes;
              });
              t.expect_store({policy("c")});
            }).in(Modes::delta),
    on_zone("repair.client-remove-of-refused", "What it refused goes with a Remove too",
            {"REP-06", "FLOW-26"},
            [](ZoneTest& t) {
              auto hub = t.meet();
              t.call(t.zone->set_verdict("bad"), "set_verdict");
              hub->out.log.write({policy("a"), policy("b", "bad")});
              hub->handshake();
              hub->await_durable();
              hub->wait("the verdict", [&] { return !hub->out.verdicts.empty(); });
              PeerLog log(7, true);
              log.write({policy("a")});
              auto second = other_era(t, *hub, std::move(log));
              second->repair("unknown_era");
              second->await_durable();
              require(second->out.wants.empty(), "REP-06: the digest was found to differ");
              t.expect_store({policy("a")});
              require(t.status().rejects == 0, "FLOW-26: a reject of what is gone");
            }).needing({"verdicts"}).in(Modes::delta),
    on_zone("repair.client-sends", "A client answers a hub that lost its cursor with a repair",
            {"REP-01", "REP-02", "REP-03", "REP-05"},
            [](ZoneTest& t) {
              auto hub = t.join();
              t.publish({service("east", "a"), service("east", "b"), service("east", "c")});
              hub->wait("what was published", [&] { return hub->in.replica.items.size() == 3; });
              hub->cut();
              auto second = t.next(*hub);
              second->grant = kRepair;
              second->in.cursor->era.id.bytes[3] ^= 0x5a;
              second->in.replica.items.erase(service("east", "a").key);
              second->in.replica.apply({Revision{1}, upsert_of(service("east", "ghost"))});
              second->handshake();
              second->wait("the end of the repair", [&] {
                return !second->in.cuts.empty() && second->in.cuts.back().repair;
              });
              const CutRecord& cut = second->in.cuts.back();
              require(cut.items.size() == 1, "REP-05: another version than a travelled");
              require(cut.removes.size() == 1, "REP-05: the ghost is named once");
            }).needing({"publish"}).in(Modes::delta),
};

std::vector<Case> hub_cases() {
  std::vector<Case> all(std::begin(kHub), std::end(kHub));
  all.insert(all.end(), std::begin(kUp), std::end(kUp));
  return of_feature("repair", std::move(all));
}

}  // namespace

Group repair_hub() {
  static const std::vector<Case> cases = hub_cases();
  return cases;
}

Group repair_zone() {
  static const std::vector<Case> cases =
      of_feature("repair", {std::begin(kZone), std::end(kZone)});
  return cases;
}

}  // namespace zonesync::conform::cases

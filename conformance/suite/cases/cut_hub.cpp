// Cuts a hub sends: atomicity, order, classes, parts, marks.
#include "conformance/suite/cases/groups.hpp"

namespace zonesync::conform::cases {
namespace {

using wire::FlowId;

std::vector<Resource> many(const std::string& prefix, int count, const std::string& text = "1s") {
  std::vector<Resource> all;
  for (int at = 0; at < count; ++at) all.push_back(policy(prefix + std::to_string(at), text));
  return all;
}

/// Every cut holds all of a transaction's keys or none of them.
void expect_whole(const ZonePeer& zone, const std::vector<Resource>& transaction) {
  for (const CutRecord& cut : zone.in.cuts) {
    std::size_t found = 0;
    for (const Resource& each : transaction) {
      for (const LogItem& item : cut.items) found += item.change.hash == upsert_of(each).hash;
    }
    require(found == 0 || found == transaction.size(),
            "P1: a cut holds a part of a transaction");
  }
}

const Case kCases[] = {
    on_hub("cut.transaction-is-whole", "A transaction arrives in one cut",
           {"FLOW-10", "FLOW-11", "FLOW-12"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->sync();
             zone->in.cuts.clear();   // a hub that lives longer than a case has a history
             const auto transaction = many("p", 40);
             t.put(transaction);
             zone->sync();
             expect_whole(*zone, transaction);
             t.expect_replica(*zone, transaction);
           }).needing({"control"}),
    on_hub("cut.transactions-in-order", "Cuts follow the log; none is missing, none is repeated",
           {"FLOW-05", "FLOW-10", "FLOW-12"},
           [](HubTest& t) {
             auto zone = t.join();
             Revision last;
             for (int at = 0; at < 20; ++at) {
               t.put({policy("p" + std::to_string(at % 7), std::to_string(at) + "s")});
               const Revision covered = zone->sync();
               require(covered >= last, "P1: a revision that goes back");
               last = covered;
             }
             t.expect_replica(*zone, {policy("p0", "14s"), policy("p1", "15s"), policy("p2", "16s"),
                                      policy("p3", "17s"), policy("p4", "18s"), policy("p5", "19s"),
                                      policy("p6", "13s")});
           }).needing({"control"}),
    on_hub("cut.behind-many-segments", "Catching up may take many segments in one cut",
           {"FLOW-12", "FLOW-05"},
           [](HubTest& t) {
             t.put({policy("base")});
             auto zone = t.join();
             zone->sync();
             zone->cut();
             std::vector<Resource> all{policy("base")};
             for (int at = 0; at < 60; ++at) {
               all.push_back(policy("q" + std::to_string(at)));
               t.put({all.back()});
             }
             auto second = t.reconnect(*zone);
             second->sync();
             t.expect_replica(*second, all);
           }).needing({"control"}),
    on_hub("cut.leave", "A removal arrives as a logged leave", {"FLOW-08", "FLOW-05"},
           [](HubTest& t) {
             t.put({policy("a"), policy("b")});
             auto zone = t.join();
             zone->sync();
             t.remove({policy("a")});
             zone->sync();
             t.expect_replica(*zone, {policy("b")});
           }).needing({"control"}),
    on_hub("cut.update-keeps-one", "An update replaces the version under the same key",
           {"FLOW-05", "FLOW-14"},
           [](HubTest& t) {
             t.put({policy("a", "1s")});
             auto zone = t.join();
             zone->sync();
             t.put({policy("a", "2s")});
             zone->sync();
             t.expect_replica(*zone, {policy("a", "2s")});
           }).needing({"control"}),
    on_hub("cut.put-again-unchanged", "Putting the same again changes nothing", {"FLOW-05"},
           [](HubTest& t) {
             t.put({policy("a")});
             auto zone = t.join();
             zone->sync();
             const std::size_t before = zone->in.changes();
             t.put({policy("a")});
             zone->sync();
             require(zone->in.changes() == before, "an unchanged resource was sent again");
           }).needing({"control"}),
    on_hub("cut.class-change-outside-view", "A resource that is kept at home leaves the zones",
           {"FLOW-06", "FLOW-09"},
           [](HubTest& t) {
             t.put({policy("a"), policy("b")});
             auto zone = t.join();
             zone->sync();
             Resource home = policy("a");
             home.labels["kuma.io/kds-sync"] = "disabled";
             t.put({home});
             zone->sync();
             t.expect_replica(*zone, {policy("b")});
             t.put({policy("a", "back")});
             zone->sync();
             t.expect_replica(*zone, {policy("a", "back"), policy("b")});
           }).needing({"control"}),
    on_hub("cut.first-mark-has-digest", "The first Mark of an answer carries the digest",
           {"FLOW-13"},
           [](HubTest& t) {
             t.put({policy("a")});
             auto zone = t.join();
             zone->sync();
             zone->cut();
             t.put({policy("b")});
             auto second = t.reconnect(*zone);
             second->sync();
             require(!second->in.cuts.empty(), "a cut arrived");
             require(second->in.cuts.front().mark.digest.has_value(),
                     "FLOW-13: the first Mark of an answer has no digest");
           }).needing({"control"}),
    on_hub("cut.first-mark-of-none-has-digest", "Also the Mark of an answer of none has the digest",
           {"FLOW-13", "FLOW-30"},
           [](HubTest& t) {
             t.put({policy("a")});
             auto zone = t.join();
             zone->sync();
             zone->cut();
             auto second = t.reconnect(*zone);
             second->sync();
             require(!second->in.idle_marks.empty() &&
                         second->in.idle_marks.front().digest.has_value(),
                     "FLOW-13: the first Mark of an answer has no digest");
           }).needing({"control"}),
    on_hub("cut.digest-after-many", "Digests hold over creates, updates and removes",
           {"FLOW-13", "FLOW-14"},
           [](HubTest& t) {
             auto zone = t.join();
             for (int at = 0; at < 12; ++at) {
               t.put({policy("p" + std::to_string(at % 5), std::to_string(at) + "s"),
                      policy("q" + std::to_string(at))});
               if (at > 2) t.remove({policy("q" + std::to_string(at - 2))});
               zone->sync();
             }
             zone->send(zone->in.want(false, "digest", zone->in.cursor));
             zone->sync();
             require(!zone->in.idle_marks.empty() && zone->in.idle_marks.back().digest,
                     "FLOW-13: a digest was compared");
           }).needing({"control"}),
    on_hub("large.in-parts", "A resource of a mebibyte travels in parts and arrives whole",
           {"FLOW-07", "WIRE-09"},
           [](HubTest& t) {
             auto zone = t.join();
             const Resource big = big_policy("big", 1u << 20);
             t.put({big, policy("small")});
             zone->sync();
             require(zone->in.parts >= 5, "FLOW-07: it travels in parts");
             t.expect_replica(*zone, {big, policy("small")});
             t.put({big_policy("big", 900'000)});
             zone->sync();
             t.expect_replica(*zone, {big_policy("big", 900'000), policy("small")});
             t.remove({big});
             zone->sync();
             t.expect_replica(*zone, {policy("small")});
           }).needing({"control"}),
    on_hub("large.three-mebibytes", "A resource near the limit of a write arrives", {"FLOW-07"},
           [](HubTest& t) {
             auto zone = t.join();
             const Resource big = big_policy("big", (3u << 20) + 7);
             t.put({big});
             zone->sync();
             t.expect_replica(*zone, {big});
           }).needing({"control"}),
    on_hub("large.up-in-parts", "A zone's large resource reaches the other zones",
           {"FLOW-07", "FLOW-22"},
           [](HubTest& t) {
             auto east = t.join("east");
             auto west = t.join("west");
             const Resource big = service(east->zone, "big", big_policy("x",
                 700'000).spec.substr(12, 650'000));
             east->publish_durably({big});
             west->sync();
             require(west->in.replica.has(big), "the large service at west");
           }),
    on_hub("large.part-out-of-order", "A Part that does not continue its series is 4400",
           {"FLOW-07"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "s")});
             const Revision next = zone->out.log.head.next();
             auto packets = zone->out.item_packets(
                 {next, upsert_of(service(zone->zone, "big", std::string(500'000, 'x')))});
             zone->send(packets[1]);
             zone->expect_close(4400, "FLOW-07");
           }).in(Modes::delta),
    on_hub("large.change-between-parts", "A Change inside a series of Parts is 4400", {"FLOW-07"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "s")});
             const Revision next = zone->out.log.head.next();
             auto packets = zone->out.item_packets(
                 {next, upsert_of(service(zone->zone, "big", std::string(250'000, 'x')))});
             zone->send(packets[0]);
             zone->wait("credit", [&] { return zone->out.received_bytes == zone->out.sent_bytes; });
             zone->send(zone->out.item_packets({next, upsert_of(service(zone->zone, "t"))})[0]);
             zone->expect_close(4400, "FLOW-07");
           }).in(Modes::delta),
};

}  // namespace

Group cut_hub() { return kCases; }

}  // namespace zonesync::conform::cases

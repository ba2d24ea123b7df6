// The up flow at a hub: what a zone publishes, guards, fencing, verdicts, both flows at once.
#include "conformance/suite/cases/groups.hpp"

namespace zonesync::conform::cases {
namespace {

using namespace std::chrono_literals;
using wire::FlowId;
using Names = std::vector<std::string>;

void send_all(ZonePeer& zone, const std::vector<std::string>& packets) {
  for (const std::string& packet : packets) zone.send(packet);
}

std::vector<Resource> services(const std::string& zone, int count) {
  std::vector<Resource> all;
  for (int at = 0; at < count; ++at) all.push_back(service(zone, "s" + std::to_string(1'000 + at)));
  return all;
}

/// A zone at rest with `s`, and one cut after it whose Mark `edit` changes.
void expect_mark_refused(HubTest& t, const std::function<void(wire::Mark&)>& edit,
                         std::uint16_t code, const std::string& why) {
  auto zone = t.join();
  zone->publish_durably({service(zone->zone, "s")});
  const Cursor from = *zone->out.acked;
  const Revision revision = zone->out.log.write({service(zone->zone, "t")});
  send_all(*zone, zone->out.item_packets({revision, upsert_of(service(zone->zone, "t"))}));
  wire::Mark mark = zone->out.mark(from, revision, 1);
  edit(mark);
  zone->say(FlowId::up, mark);
  zone->expect_close(code, why);
  require(t.names_of(zone->zone) == Names{"s"}, why + ": something was committed");
}

const Case kCases[] = {
    on_hub("up.publish", "What a zone publishes is committed and acked", {"FLOW-21", "FLOW-10"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "a"), dataplane(zone->zone, "d")});
             require(t.names_of(zone->zone) == Names({"a", "d"}), "the hub holds both");
             zone->publish_durably({service(zone->zone, "b")}, {service(zone->zone, "a")});
             require(t.names_of(zone->zone) == Names({"b", "d"}), "update and leave");
           }).needing({"control"}),
    on_hub("up.reaches-other-zones", "Cross-zone types reach the others, zone types do not",
           {"FLOW-09"},
           [](HubTest& t) {
             auto east = t.join("east");
             auto west = t.join("west");
             east->publish_durably({service(east->zone, "a"), dataplane(east->zone, "d")});
             west->sync();
             t.expect_replica(*west, {service(east->zone, "a")});
             east->publish_durably({}, {service(east->zone, "a")});
             west->sync();
             t.expect_replica(*west, {});
           }),
    on_hub("up.resume", "After a reconnect only what was missed is sent", {"FLOW-21", "FLOW-02"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "a")});
             zone->cut();
             zone->out.log.write({service(zone->zone, "b")});
             auto second = t.reconnect(*zone);
             require(second->welcome_heard->up_cursor.has_value(), "FLOW-21: up_cursor");
             second->wait("the rest durable", [&] { return second->out.all_durable(); });
             require(t.names_of(zone->zone) == Names({"a", "b"}), "both are there");
           }).needing({"control"}),
    on_hub("up.cursor-survives-restart", "up_cursor survives a restart of the hub",
           {"FLOW-18", "FLOW-21"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "a")});
             t.restart();
             auto second = t.reconnect(*zone);
             require(second->welcome_heard->up_cursor == zone->out.acked,
                     "FLOW-21: what was acked is durable");
             require(t.names_of(zone->zone) == Names{"a"}, "the resource is there");
           }).needing({"control", "restart"}),
    on_hub("up.interrupted-cut", "A cut whose Mark did not arrive leaves no trace",
           {"FLOW-14", "FLOW-18"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "a")});
             const Cursor before = *zone->out.acked;
             const Revision revision = zone->out.log.write({service(zone->zone, "b")});
             send_all(*zone, zone->out.item_packets({revision,
                                                     upsert_of(service(zone->zone, "b"))}));
             zone->cut();
             auto second = t.redial(*zone);
             second->auto_up = false;
             second->handshake();
             require(second->welcome_heard->up_cursor == before, "FLOW-14: the cursor moved");
             require(t.names_of(zone->zone) == Names{"a"}, "FLOW-14: part of a cut is visible");
           }).needing({"control"}).in(Modes::delta),
    on_hub("up.transaction-is-atomic", "A zone's transaction is one at the other zones",
           {"FLOW-14", "FLOW-12"},
           [](HubTest& t) {
             auto east = t.join("east");
             auto west = t.join("west");
             const auto transaction = services(east->zone, 30);
             east->publish_durably(transaction);
             west->sync();
             for (const CutRecord& cut : west->in.cuts) {
               std::size_t found = 0;
               for (const LogItem& item : cut.items) found += item.change.key.origin == east->zone;
               require(found == 0 || found == transaction.size(), "P1: a part of a transaction");
             }
             require(west->in.replica.items.size() >= transaction.size(), "all arrived");
           }),
    on_hub("up.large-catch-up", "A zone that comes with 3,000 resources catches up in pieces",
           {"FLOW-10", "FLOW-22"},
           [](HubTest& t) {
             auto zone = t.connect();
             for (int round = 0; round < 3; ++round) {
               std::vector<Resource> some;
               for (int at = 0; at < 1'000; ++at) {
                 some.push_back(service(zone->zone, "s" + std::to_string(round * 1'000 + at)));
               }
               zone->out.log.write(some);
             }
             zone->handshake();
             zone->wait("everything durable", [&] { return zone->out.all_durable(); });
             require(t.names_of(zone->zone).size() == 3'000, "all 3,000 are there");
           }).needing({"control"}),
    on_hub("up.cut-without-an-end", "The front of a cut that never ended is not left behind",
           {"FLOW-19"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "kept")});
             // More than one atomic transaction may be, without its Mark; then the zone is gone and
             // the end of its log with it.
             Revision revision = zone->out.log.head;
             for (int at = 0; at < 8; ++at) {
               revision = revision.next();
               const std::string name = "lost" + std::to_string(at);
               const Resource lost = service(zone->zone, name, std::string(700'000, 'x'));
               zone->send_packets(zone->out.item_packets({revision, upsert_of(lost)}));
             }
             zone->drain();
             zone->cut();
             auto again = t.reconnect(*zone);
             again->publish_durably({service(zone->zone, "next")});
             again->sync();
             require(t.names_of(zone->zone) == Names({"kept", "next"}), "FLOW-19: kept and next");
           }).needing({"control"}).in(Modes::delta),
    on_hub("up.foreign-origin", "A change of another origin than the zone's is refused",
           {"FLOW-09"},
           [](HubTest& t) {
             t.put({policy("mine", "1s")});
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "s")});
             const Cursor from = *zone->out.acked;
             zone->out.check_acks = false;
             const Revision revision = zone->out.log.head.next();
             send_all(*zone, zone->out.item_packets({revision, upsert_of(policy("mine", "evil"))}));
             wire::Mark mark = zone->out.mark(from, revision, 1);
             mark.digest.reset();
             zone->say(FlowId::up, mark);
             zone->drain();
             zone->cut();
             auto other = t.join("west");
             other->sync();
             require(other->in.replica.has(policy("mine", "1s")), "P7: global's was changed");
           }).needing({"control"}).in(Modes::delta),
    on_hub("up.leave-of-foreign-key", "A leave of somebody else's resource removes nothing",
           {"FLOW-09"},
           [](HubTest& t) {
             t.put({policy("mine", "1s")});
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "s")});
             zone->out.check_acks = false;
             const Revision revision = zone->out.log.head.next();
             send_all(*zone, zone->out.item_packets({revision, leave_of(policy("mine", "1s"))}));
             wire::Mark mark = zone->out.mark(zone->out.acked, revision, 1);
             mark.digest.reset();
             zone->say(FlowId::up, mark);
             zone->drain();
             zone->cut();
             auto other = t.join("west");
             other->sync();
             require(other->in.replica.has(policy("mine", "1s")), "P7: global's was removed");
           }).needing({"control"}).in(Modes::delta),
    on_hub("up.type-outside-view", "A change of a class outside the view is not committed",
           {"FLOW-09"},
           [](HubTest& t) {
             auto zone = t.join();
             Resource mesh;
             mesh.key = {"Mesh", "", zone->zone, "m"};
             mesh.spec = "{}";
             zone->publish_durably({service(zone->zone, "fine")});
             zone->out.check_acks = false;
             const Revision revision = zone->out.log.head.next();
             send_all(*zone, zone->out.item_packets({revision, upsert_of(mesh)}));
             wire::Mark mark = zone->out.mark(zone->out.acked, revision, 1);
             mark.digest.reset();
             zone->say(FlowId::up, mark);
             zone->drain();
             require(t.names_of(zone->zone) == Names{"fine"}, "FLOW-09: it was committed");
           }).needing({"control"}),
    on_hub("up.contradicting-label", "A label that contradicts the origin is a reject, not a break",
           {"FLOW-24", "FLOW-25"},
           [](HubTest& t) {
             auto zone = t.join();
             Resource bad = service(zone->zone, "bad");
             bad.labels["kuma.io/zone"] = "elsewhere";
             zone->publish_durably({bad, service(zone->zone, "good")});
             zone->wait("a verdict", [&] { return zone->out.verdicts.contains(bad.key); });
             require(t.names_of(zone->zone) == Names{"good"}, "FLOW-25: the rest stands");
             zone->publish_durably({service(zone->zone, "bad")});
             require(t.names_of(zone->zone) == Names({"bad", "good"}), "FLOW-24: a newer version");
             zone->sync();
             require(t.facts(*zone).rejects == 0, "FLOW-24: the newer version clears it");
           }).needing({"control", "zones"}),
    on_hub("up.sync-label-keeps-home", "kuma.io/kds-sync: disabled keeps a zone's resource home",
           {"FLOW-09"},
           [](HubTest& t) {
             auto east = t.join("east");
             auto west = t.join("west");
             east->publish_durably({service(east->zone, "a")});
             west->sync();
             require(west->in.replica.has(service(east->zone, "a")), "a reaches west");
             // The class leaves the view: the zone sends the leave only.
             east->publish_durably({}, {service(east->zone, "a")});
             west->sync();
             t.expect_replica(*west, {});
           }),
    on_hub("up.mark-from-elsewhere", "An up Mark whose from is not where the last ended is 4400",
           {"FLOW-10"},
           [](HubTest& t) {
             expect_mark_refused(t, [](wire::Mark& mark) { mark.from->revision.value += 7; }, 4400,
                                 "FLOW-10");
           }).needing({"control"}).in(Modes::delta),
    on_hub("up.mark-wrong-count", "An up Mark with another count is 4400", {"FLOW-11"},
           [](HubTest& t) {
             expect_mark_refused(t, [](wire::Mark& mark) { mark.changes = 9; }, 4400, "FLOW-11");
           }).needing({"control"}).in(Modes::delta),
    on_hub("up.mark-other-view", "An up Mark to another view is 4400", {"FLOW-11", "VIEW-01"},
           [](HubTest& t) {
             expect_mark_refused(t, [](wire::Mark& mark) { mark.to.view.id.bytes[1] ^= 1; }, 4400,
                                 "VIEW-01");
           }).needing({"control"}).in(Modes::delta),
    on_hub("up.mark-before-its-changes", "An up Mark below its changes is 4400", {"FLOW-11"},
           [](HubTest& t) {
             expect_mark_refused(t, [](wire::Mark& mark) { --mark.to.revision.value; }, 4400,
                                 "FLOW-11");
           }).needing({"control"}).in(Modes::delta),
    on_hub("up.revision-back", "Up revisions that decrease inside a cut are 4400", {"FLOW-05"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "s")});
             const Revision head = zone->out.log.head;
             send_all(*zone, zone->out.item_packets({Revision{head.value + 3},
                                                     upsert_of(service(zone->zone, "a"))}));
             send_all(*zone, zone->out.item_packets({Revision{head.value + 2},
                                                     upsert_of(service(zone->zone, "b"))}));
             zone->expect_close(4400, "FLOW-05");
           }).in(Modes::delta),
    on_hub("up.intent-full-with-from", "A full up Intent with a from is 4400", {"FLOW-02"},
           [](HubTest& t) {
             auto zone = t.connect();
             zone->auto_up = false;
             zone->handshake();
             wire::Intent intent = zone->out.intent(std::nullopt, "no_cursor");
             intent.from = zone->out.at(Revision{0});
             zone->say(FlowId::up, intent);
             zone->expect_close(4400, "FLOW-02");
           }),
    on_hub("up.full-without-digest", "A full up cut without a digest is 4400", {"FLOW-13"},
           [](HubTest& t) {
             auto zone = t.connect();
             zone->auto_up = false;
             zone->handshake();
             zone->out.log.write({service(zone->zone, "a")});
             zone->send(zone->out.intent_packet(std::nullopt));
             send_all(*zone, zone->out.item_packets({Revision{1},
                                                     upsert_of(service(zone->zone, "a"))}));
             wire::Mark mark = zone->out.mark(std::nullopt, Revision{1}, 1);
             mark.digest.reset();
             zone->say(FlowId::up, mark);
             zone->expect_close(4400, "FLOW-13");
           }).in(Modes::delta),
    on_hub("up.digest-mismatch", "An up digest that differs wipes nothing and asks in full",
           {"FLOW-14", "FLOW-15"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "a")});
             const Revision revision = zone->out.log.write({service(zone->zone, "b")});
             send_all(*zone, zone->out.item_packets({revision,
                                                     upsert_of(service(zone->zone, "b"))}));
             wire::Mark mark = zone->out.mark(zone->out.acked, revision, 1);
             mark.digest->low ^= 5;
             zone->say(FlowId::up, mark);
             zone->wait("Want", [&] { return !zone->out.wants.empty(); });
             require(zone->out.wants.back().why == "digest_mismatch", "FLOW-15: why");
             require(t.names_of(zone->zone) == Names{"a"}, "FLOW-15: nothing is wiped or added");
             zone->publish_durably({});
             require(t.names_of(zone->zone) == Names({"a", "b"}), "the full answer is applied");
           }).needing({"control"}).in(Modes::delta),
    on_hub("up.window", "A zone that sends beyond its window is closed with 4413", {"FLOW-22"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "s")});
             const Revision next = zone->out.log.head.next();
             const std::string packet =
                 zone->out.item_packets({next, upsert_of(service(zone->zone, "big",
                                                                 std::string(150'000, 'x')))})
                     .front();
             std::string burst;
             for (int at = 0; at < 120 && !zone->link().closed(); ++at) {
               burst += packet;
               if (burst.size() > 700'000) zone->send(std::exchange(burst, {}));
             }
             zone->drain();
             const auto closed = zone->link().closed();
             require(!closed || closed->code == 4413, "FLOW-22: the code is 4413");
           }).in(Modes::delta),
    on_hub("guard.hub-partial-log", "A reinstalled zone's partial log removes nothing",
           {"FLOW-16"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "a"), service(zone->zone, "b")});
             zone->cut();
             auto fresh = t.connect();
             fresh->hello.instance.id.bytes[0] = 2;
             fresh->out.log = PeerLog(2, false);
             fresh->out.log.write({service(fresh->zone, "c")});
             fresh->handshake();
             fresh->wait("everything durable", [&] { return fresh->out.all_durable(); });
             require(t.names_of(zone->zone) == Names({"a", "b", "c"}), "FLOW-16: kept");
           }).needing({"control"}),
    on_hub("guard.hub-complete-log", "A complete log's full answer removes what it does not name",
           {"FLOW-16"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "a"), service(zone->zone, "b")});
             zone->cut();
             auto fresh = t.connect();
             fresh->hello.instance.id.bytes[0] = 2;
             fresh->out.log = PeerLog(2, true);
             fresh->out.log.write({service(fresh->zone, "b"), service(fresh->zone, "c")});
             fresh->handshake();
             fresh->wait("everything durable", [&] { return fresh->out.all_durable(); });
             require(t.names_of(zone->zone) == Names({"b", "c"}), "FLOW-16: replaced");
           }).needing({"control"}),
    on_hub("guard.hub-complete-later", "When the log is complete later, the kept is settled",
           {"FLOW-16"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "a"), service(zone->zone, "b")});
             zone->cut();
             auto fresh = t.connect();
             fresh->hello.instance.id.bytes[0] = 2;
             fresh->out.log = PeerLog(2, false);
             fresh->out.log.write({service(fresh->zone, "b")});
             fresh->handshake();
             fresh->wait("everything durable", [&] { return fresh->out.all_durable(); });
             fresh->out.log.complete = true;
             auto again = t.reconnect(*fresh);
             again->sync();
             again->publish_durably({service(fresh->zone, "c")});
             require(t.names_of(zone->zone) == Names({"b", "c"}), "FLOW-16: a is gone now");
           }).needing({"control"}),
    on_hub("guard.hub-mass-delete", "A full up answer that removes most of much is held",
           {"FLOW-17", "FLOW-31"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably(services(zone->zone, 150));
             zone->cut();
             auto fresh = t.connect();
             fresh->hello.instance.id.bytes[0] = 2;
             fresh->out.log = PeerLog(2, true);
             fresh->out.log.write({service(fresh->zone, "only")});
             fresh->handshake();
             fresh->wait("Hold", [&] { return !fresh->out.holds.empty(); });
             require(fresh->out.holds.back().reason == "mass_delete", "FLOW-17: the word");
             require(t.names_of(zone->zone).size() >= 150, "FLOW-17: nothing was removed");
             t.set_zone(fresh->zone, "approve-mass-delete");
             fresh->wait("Want", [&] { return !fresh->out.wants.empty(); });
             fresh->publish_durably({});
             require(t.names_of(zone->zone) == Names{"only"}, "approved");
           }).needing({"control", "approve"}),
    on_hub("fence.old-session-writes-nothing", "A replaced session's later cuts are not committed",
           {"FLOW-18", "SES-07"},
           [](HubTest& t) {
             auto old = t.join();
             old->publish_durably({service(old->zone, "a")});
             auto newer = t.connect();
             newer->hello.instance.id.bytes[0] = 2;
             newer->out.log = old->out.log;
             newer->handshake();
             old->out.log.write({service(old->zone, "late")});
             for (const std::string& packet : old->out.next_cut()) old->link().send(packet);
             old->expect_close(4409, "FLOW-18");
             require(t.names_of(old->zone) == Names{"a"}, "FLOW-18: nothing is written");
             newer->publish_durably({service(old->zone, "b")});
             require(t.names_of(old->zone) == Names({"a", "b"}), "the newer one goes on");
           }).needing({"control"}),
    on_hub("fence.up-cursor-is-true", "up_cursor of Welcome stays true while an old session ends",
           {"FLOW-18"},
           [](HubTest& t) {
             auto first = t.join();
             for (int at = 0; at < 5; ++at) {
               first->publish({service(first->zone, "s" + std::to_string(at))});
               auto next = t.redial(*first);
               next->handshake();
               const auto cursor = next->welcome_heard->up_cursor;
               require(cursor.has_value(), "FLOW-18: a cursor");
               next->wait("everything durable", [&] { return next->out.all_durable(); });
               first = std::move(next);
             }
             require(t.names_of(first->zone).size() == 5, "each exactly once");
           }).needing({"control"}),
    on_hub("both.at-once", "Both flows at once end in equal states", {"FLOW-22", "FLOW-03"},
           [](HubTest& t) {
             auto east = t.join("east");
             auto west = t.join("west");
             std::vector<Resource> expected;
             for (int at = 0; at < 20; ++at) {
               const std::string name = "n" + std::to_string(at);
               expected.push_back(policy(name));
               expected.push_back(service(east->zone, name));
               t.put({policy(name)});
               east->publish({service(east->zone, name)});
               west->publish({service(west->zone, name)});
             }
             east->wait("east durable", [&] { return east->out.all_durable(); });
             west->wait("west durable", [&] { return west->out.all_durable(); });
             west->sync();
             t.expect_replica(*west, expected);
           }).needing({"control"}),
    on_hub("both.large-both-ways", "Two full windows never block each other", {"FLOW-22"},
           [](HubTest& t) {
             std::vector<Resource> down;
             for (int at = 0; at < 12; ++at) down.push_back(big_policy("d" + std::to_string(at),
                                                                       150'000));
             for (const Resource& each : down) t.put({each});
             auto zone = t.connect();
             zone->in.window_bytes = 200'000;
             std::vector<Resource> up;
             for (int at = 0; at < 12; ++at) {
               up.push_back(service(zone->zone, "u" + std::to_string(at),
                                    std::string(100'000, 'u')));
             }
             for (const Resource& each : up) zone->out.log.write({each});
             zone->handshake();
             zone->wait("everything durable", [&] { return zone->out.all_durable(); });
             zone->sync();
             t.expect_replica(*zone, down);
           }).needing({"control"}),
};

}  // namespace

Group up_hub() { return kCases; }

}  // namespace zonesync::conform::cases

// v1 at a hub: complete lists, both directions, switching modes, equal modes.
#include "conformance/suite/cases/groups.hpp"

namespace zonesync::conform::cases {
namespace {

using wire::FlowId;
using Names = std::vector<std::string>;

Resource retry(const std::string& name) {
  Resource resource = policy(name);
  resource.key.type = "MeshRetry";
  return resource;
}

void send_all(ZonePeer& zone, const std::vector<std::string>& packets) {
  for (const std::string& packet : packets) zone.send(packet);
}

/// A zone in v1 at rest with `s`, and one cut that `say` makes wrong; 4400 follows.
void expect_cut_refused(HubTest& t, const std::string& why,
                        const std::function<void(ZonePeer&, const LogItem& item)>& say) {
  auto zone = t.join();
  zone->publish_durably({service(zone->zone, "s")});
  zone->wait("the Ack of the cut (V1-06)", [&] { return zone->out.acked == zone->out.next_from; });
  const Revision revision = zone->out.log.write({service(zone->zone, "t")});
  say(*zone, {revision, upsert_of(service(zone->zone, "t"))});
  zone->expect_close(4400, why);
  if (t.can("control")) require(t.names_of(zone->zone) == Names{"s"}, why + ": it was committed");
}

void end_cut(ZonePeer& zone, std::uint64_t changes) {
  const auto from = zone.out.next_from;
  zone.send(zone.out.mark_packet(from, zone.out.log.head, changes));
}

/// The newest cut that lists anything.
const CutRecord& last_lists(const ZonePeer& zone) {
  for (auto cut = zone.in.cuts.rbegin(); cut != zone.in.cuts.rend(); ++cut) {
    if (!cut->lists.empty()) return *cut;
  }
  fail_case("V1-02: no cut with a list arrived");
}

const Case kCases[] = {
    on_hub("v1.complete-list", "A change brings the complete list of its type, and of no other",
           {"V1-01", "V1-02"},
           [](HubTest& t) {
             t.put({policy("a"), policy("b"), retry("r")});
             auto zone = t.join();
             zone->sync();
             t.put({policy("c")});
             zone->sync();
             const CutRecord& cut = last_lists(*zone);
             require(cut.lists.size() == 1 && cut.lists.front().type == "MeshTimeout",
                     "V1-02: only the type that changed");
             require(cut.lists.front().digest.count == 3, "V1-02: complete");
             t.expect_replica(*zone, {policy("a"), policy("b"), policy("c"), retry("r")});
           }).needing({"control"}).in(Modes::v1),
    on_hub("v1.leave-by-absence", "What a list does not name leaves with the cut", {"V1-02"},
           [](HubTest& t) {
             t.put({policy("a"), policy("b"), retry("r")});
             auto zone = t.join();
             zone->sync();
             t.remove({policy("a")});
             zone->sync();
             t.expect_replica(*zone, {policy("b"), retry("r")});
             t.remove({retry("r")});
             zone->sync();
             require(last_lists(*zone).lists.front().digest.count == 0, "V1-02: an empty list");
             t.expect_replica(*zone, {policy("b")});
           }).needing({"control"}).in(Modes::v1),
    on_hub("v1.list-facts", "Lists carry number, digest, version and a counting nonce",
           {"V1-03", "V1-04"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->sync();
             for (int at = 0; at < 6; ++at) {   // the peer checks every list
               t.put({policy("p" + std::to_string(at)), retry("r" + std::to_string(at % 2))});
               zone->sync();
             }
             require(last_lists(*zone).lists.front().nonce >= 6, "V1-03: nonces count");
             require(last_lists(*zone).mark.digest.has_value(), "V1-04: the Mark's digest");
           }).needing({"control"}).in(Modes::v1),
    on_hub("v1.one-list-waits", "Without an Ack no further cut begins; then one list, the newest",
           {"V1-06"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->sync();
             zone->in.auto_ack = false;
             t.put({policy("p0")});
             zone->drain();
             const std::size_t before = zone->in.cuts.size();
             for (int at = 1; at < 8; ++at) t.put({policy("p" + std::to_string(at))});
             zone->drain();
             require(zone->in.cuts.size() == before, "V1-06: a cut without the Ack of the last");
             zone->in.auto_ack = true;
             zone->say(FlowId::down, zone->in.ack());
             zone->sync();
             require(zone->in.cuts.size() == before + 1, "V1-06: one list waits, the newest");
             require(zone->in.replica.items.size() == 8, "all arrived");
           }).needing({"control"}).in(Modes::v1),
    on_hub("v1.resume-none", "Reconnecting in v1 without a change costs no list", {"V1-07"},
           [](HubTest& t) {
             t.put({policy("a")});
             auto zone = t.join();
             zone->sync();
             zone->cut();
             auto second = t.reconnect(*zone);
             second->sync();
             require(second->in.changes() == 0, "V1-07: lists although nothing changed");
             t.expect_replica(*second, {policy("a")});
           }).needing({"control"}).in(Modes::v1),
    on_hub("v1.large-list", "A list with a large resource arrives in parts", {"V1-01", "FLOW-07"},
           [](HubTest& t) {
             auto zone = t.join();
             t.put({big_policy("big", 700'000), policy("small")});
             zone->sync();
             t.put({policy("more")});
             zone->sync();
             t.expect_replica(*zone, {big_policy("big", 700'000), policy("small"), policy("more")});
           }).needing({"control"}).in(Modes::v1),
    on_hub("v1.small-window", "Lists keep the window; List itself needs no credit",
           {"V1-04", "FLOW-22"},
           [](HubTest& t) {
             std::vector<Resource> all;
             for (int at = 0; at < 30; ++at) {
               all.push_back(big_policy("w" + std::to_string(at), 8'000));
             }
             t.put(all);
             auto zone = t.connect();
             zone->in.window_bytes = 20'000;
             zone->handshake();
             zone->sync();
             t.expect_replica(*zone, all);
           }).needing({"control"}).in(Modes::v1),
    on_hub("v1.up-list", "A zone's lists are committed; what they do not name leaves",
           {"V1-02", "V1-08"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "a"), service(zone->zone, "b"),
                                    dataplane(zone->zone, "d")});
             zone->publish_durably({service(zone->zone, "c")}, {service(zone->zone, "a")});
             require(t.names_of(zone->zone) == Names({"b", "c", "d"}), "V1-02: the lists' content");
           }).needing({"control"}).in(Modes::v1),
    on_hub("v1.up-change-outside-list", "A Change outside a list is 4400", {"V1-01"},
           [](HubTest& t) {
             expect_cut_refused(t, "V1-01", [](ZonePeer& zone, const LogItem& item) {
               send_all(zone, zone.out.item_packets(item));
             });
           }).in(Modes::v1),
    on_hub("v1.up-list-in-delta", "A List in a delta session is 4400", {"V1-01"},
           [](HubTest& t) {
             expect_cut_refused(t, "V1-01", [](ZonePeer& zone, const LogItem& item) {
               send_all(zone, zone.out.list_packets(
                                  zone.out.list_of("MeshService", {item}, item.revision), {item}));
             });
           }).in(Modes::delta),
    on_hub("v1.up-list-too-short", "A list with fewer resources than it said is 4400",
           {"V1-03", "V1-04"},
           [](HubTest& t) {
             expect_cut_refused(t, "V1-03", [](ZonePeer& zone, const LogItem& item) {
               wire::List list = zone.out.list_of("MeshService", {item}, item.revision);
               ++list.digest.count;
               send_all(zone, zone.out.list_packets(list, {item}));
               end_cut(zone, 1);
             });
           }).in(Modes::v1),
    on_hub("v1.up-list-too-long", "A list with more resources than it said is 4400", {"V1-03"},
           [](HubTest& t) {
             expect_cut_refused(t, "V1-03", [](ZonePeer& zone, const LogItem& item) {
               wire::List list = zone.out.list_of("MeshService", {}, item.revision);
               send_all(zone, zone.out.list_packets(list, {item}));
             });
           }).in(Modes::v1),
    on_hub("v1.up-leave-in-list", "A leave in a list is 4400", {"V1-03"},
           [](HubTest& t) {
             expect_cut_refused(t, "V1-03", [](ZonePeer& zone, const LogItem& item) {
               const LogItem leave{item.revision, leave_of(service(zone.zone, "t"))};
               wire::List list = zone.out.list_of("MeshService", {item}, item.revision);
               send_all(zone, zone.out.list_packets(list, {leave}));
             });
           }).in(Modes::v1),
    on_hub("v1.up-other-type-in-list", "A change of another type in a list is 4400", {"V1-03"},
           [](HubTest& t) {
             expect_cut_refused(t, "V1-03", [](ZonePeer& zone, const LogItem& item) {
               const LogItem other{item.revision, upsert_of(dataplane(zone.zone, "d"))};
               wire::List list = zone.out.list_of("MeshService", {item}, item.revision);
               send_all(zone, zone.out.list_packets(list, {other}));
             });
           }).in(Modes::v1),
    on_hub("v1.up-revision-above-version", "A revision above the list's version is 4400",
           {"V1-03"},
           [](HubTest& t) {
             expect_cut_refused(t, "V1-03", [](ZonePeer& zone, const LogItem& item) {
               const LogItem newer{Revision{item.revision.value + 5}, item.change};
               wire::List list = zone.out.list_of("MeshService", {newer}, item.revision);
               send_all(zone, zone.out.list_packets(list, {newer}));
             });
           }).in(Modes::v1),
    on_hub("v1.up-list-of-foreign-type", "A list of a type that the flow does not carry is 4400",
           {"V1-04"},
           [](HubTest& t) {
             expect_cut_refused(t, "V1-04", [](ZonePeer& zone, const LogItem& item) {
               wire::List list = zone.out.list_of("Mesh", {}, item.revision);
               send_all(zone, zone.out.list_packets(list, {}));
             });
           }).in(Modes::v1),
    on_hub("v1.up-digest-differs", "A list whose digest differs wipes nothing and is asked again",
           {"V1-04", "FLOW-15"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "s")});
             zone->wait("the Ack", [&] { return zone->out.acked == zone->out.next_from; });
             zone->out.log.write({service(zone->zone, "t")});
             const auto items = zone->out.log.present_of("MeshService");
             wire::List list = zone->out.list_of("MeshService", items, zone->out.log.head);
             list.digest.low ^= 9;
             send_all(*zone, zone->out.list_packets(list, items));
             end_cut(*zone, items.size());
             zone->wait("Want", [&] { return !zone->out.wants.empty(); });
             require(zone->out.wants.back().why == "digest_mismatch", "FLOW-15: why");
             require(t.names_of(zone->zone) == Names{"s"}, "V1-04: nothing was applied");
             zone->publish_durably({});
             require(t.names_of(zone->zone) == Names({"s", "t"}), "the full answer is applied");
           }).needing({"control"}).in(Modes::v1),
    on_hub("v1.up-listed-again", "A type listed again in a cut replaces the earlier list",
           {"V1-05"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "s")});
             zone->wait("the Ack", [&] { return zone->out.acked == zone->out.next_from; });
             zone->out.log.write({service(zone->zone, "wrong")});
             const auto first = zone->out.log.present_of("MeshService");
             const wire::List early =
                 zone->out.list_of("MeshService", first, zone->out.log.head);
             send_all(*zone, zone->out.list_packets(early, first));
             zone->out.log.write({service(zone->zone, "right")}, {service(zone->zone, "wrong")});
             const auto second = zone->out.log.present_of("MeshService");
             send_all(*zone, zone->out.list_packets(
                                 zone->out.list_of("MeshService", second, zone->out.log.head),
                                 second));
             end_cut(*zone, first.size() + second.size());
             zone->wait("everything durable", [&] { return zone->out.all_durable(); });
             require(t.names_of(zone->zone) == Names({"right", "s"}), "V1-05: the later one");
           }).needing({"control"}).in(Modes::v1),
    on_hub("v1.nack-stops-no-ack", "A verdict refuses a version; the cursor is acked all the same",
           {"V1-08", "FLOW-25"},
           [](HubTest& t) {
             auto zone = t.join();
             t.put({policy("bad"), policy("good")});
             const Revision covered = zone->sync();
             const Revision at = zone->in.replica.items.at(policy("bad").key).revision;
             zone->in.verdicts.push_back(
                 Verdict{policy("bad").key, at, false, Reject{"invalid", "", "no", false}});
             zone->send(zone->in.due());
             t.wait_facts(*zone, "acked, with one reject", [&](const ZoneFacts& f) {
               return f.rejects == 1 && f.acked && *f.acked >= covered.value;
             });
           }).needing({"control", "zones"}).in(Modes::v1),
    on_hub("switch.delta-to-v1-and-back", "A change of the mode between sessions costs nothing",
           {"V1-07", "CON-02"},
           [](HubTest& t) {
             t.put({policy("a"), retry("r")});
             auto zone = t.connect_in(Mode::delta, "east");
             zone->handshake();
             zone->publish_durably({service(zone->zone, "s")});
             zone->sync();
             for (const Mode mode : {Mode::v1, Mode::delta, Mode::v1}) {
               zone->cut();
               zone = t.redial_in(mode, *zone);
               zone->handshake();
               zone->sync();
               require(zone->in.changes() == 0, "V1-07: a switch costs changes");
               require(zone->in.intents.front().reason == wire::IntentReason::none,
                       "V1-07: the cursor is valid in both modes");
             }
             t.expect_replica(*zone, {policy("a"), retry("r")});
             require(t.names_of(zone->zone) == Names{"s"}, "nothing was lost");
           }).needing({"control"}).in(Modes::delta),
    on_hub("switch.missed-changes", "What was missed across a switch arrives", {"V1-07"},
           [](HubTest& t) {
             t.put({policy("a"), policy("b"), retry("r")});
             auto zone = t.connect_in(Mode::v1, "east");
             zone->handshake();
             zone->sync();
             zone->cut();
             t.put({policy("c")});
             t.remove({policy("a")});
             zone = t.redial_in(Mode::delta, *zone);
             zone->handshake();
             zone->sync();
             t.expect_replica(*zone, {policy("b"), policy("c"), retry("r")});
             zone->cut();
             t.remove({retry("r")});
             zone = t.redial_in(Mode::v1, *zone);
             zone->handshake();
             zone->sync();
             t.expect_replica(*zone, {policy("b"), policy("c")});
           }).needing({"control"}).in(Modes::delta),
    on_hub("switch.preference", "The hub takes the first subprotocol that it has enabled",
           {"CON-02"},
           [](HubTest& t) {
             DialOptions wanted;
             wanted.zone = t.name("east");
             wanted.subprotocols = {"zonesync.v9.future", "zonesync.v1.sotw"};
             require(t.dial(wanted).has_value(), "CON-02: v1 is enabled");
           }).in(Modes::v1),
    on_hub("parity.history", "A history through both modes at once: equal replicas at every step",
           {"V1-07", "V1-02"},
           [](HubTest& t) {
             auto east = t.connect_in(Mode::delta, "east");
             auto west = t.connect_in(Mode::v1, "west");
             east->handshake();
             west->handshake();
             for (int at = 0; at < 25; ++at) {
               const std::string name = "p" + std::to_string((at * 7) % 11);
               if (at % 4 == 3) t.remove({policy(name)});
               else t.put({policy(name, std::to_string(at)), retry("r" + std::to_string(at % 5))});
               east->sync();
               west->sync();
               require(east->in.replica.digest() == west->in.replica.digest(),
                       "P8: the replicas differ after step " + std::to_string(at));
             }
           }).needing({"control"}).in(Modes::delta),
    on_hub("parity.up", "What zones publish in either mode reaches the other", {"V1-07"},
           [](HubTest& t) {
             auto east = t.connect_in(Mode::delta, "east");
             auto west = t.connect_in(Mode::v1, "west");
             east->handshake();
             west->handshake();
             for (int at = 0; at < 12; ++at) {
               const std::string name = "s" + std::to_string(at % 5);
               east->publish_durably({service(east->zone, name, std::to_string(at))});
               west->publish_durably({service(west->zone, name, std::to_string(at))});
             }
             east->publish_durably({}, {service(east->zone, "s0")});
             west->publish_durably({}, {service(west->zone, "s0")});
             east->sync();
             west->sync();
             require(east->in.replica.names() == west->in.replica.names(), "P8: equal");
             require(east->in.replica.names().size() == 4, "four each");
           }).in(Modes::delta),
};

}  // namespace

Group v1_hub() { return kCases; }

}  // namespace zonesync::conform::cases

// v1 and views at a client: complete lists, Drop, switching modes.
#include "conformance/suite/cases/groups.hpp"

namespace zonesync::conform::cases {
namespace {

using wire::FlowId;

void send_all(HubPeer& hub, const std::vector<std::string>& packets) {
  for (const std::string& packet : packets) hub.send(packet);
}

/// A client in v1 with `a`, and one cut that `say` makes wrong; 4400 follows, `a` stays.
void expect_cut_refused(ZoneTest& t, const std::string& why,
                        const std::function<void(HubPeer&, const std::vector<LogItem>&)>& say) {
  auto hub = t.join({policy("a")});
  hub->out.log.write({policy("b")});
  say(*hub, hub->out.log.present_of("MeshTimeout"));
  hub->expect_close(4400, why);
  t.expect_store({policy("a")});
}

void end_cut(HubPeer& hub, std::uint64_t changes) {
  const auto from = hub.out.next_from;
  hub.send(hub.out.mark_packet(from, hub.out.log.head, changes));
}

wire::Drop drop_of(const Resource& resource) { return wire::Drop{upsert_of(resource).cls}; }

const Case kCases[] = {
    on_zone("v1.client-lists", "Lists replace the types they name and leave the others alone",
            {"V1-02", "V1-04"},
            [](ZoneTest& t) {
              Resource other = policy("r");
              other.key.type = "MeshRetry";
              auto hub = t.join({policy("a"), policy("b"), other});
              hub->write_durably({policy("c")}, {policy("a")});
              t.expect_store({policy("b"), policy("c"), other});
              hub->write_durably({}, {policy("b"), policy("c")});
              t.expect_store({other});
            }).in(Modes::v1),
    on_zone("v1.client-offers-v1", "A client set to v1 offers v1", {"CON-02"},
            [](ZoneTest& t) {
              auto hub = t.meet();
              hub->handshake();
              hub->drain();
              require(t.status().mode == "v1", "the status says v1");
            }).in(Modes::v1),
    on_zone("v1.client-up-lists", "A client's publications travel as complete lists",
            {"V1-01", "V1-02", "V1-03"},
            [](ZoneTest& t) {
              auto hub = t.join();
              t.publish({service("east", "a"), service("east", "b")});
              hub->wait("both", [&] { return hub->in.replica.has(service("east", "b")); });
              t.publish({}, {service("east", "a")});
              hub->wait("the list without a",
                        [&] { return hub->in.replica.names() == std::vector<std::string>{"b"}; });
              require(!hub->in.cuts.back().lists.empty(), "V1-02: as a list");
            }).needing({"publish"}).in(Modes::v1),
    on_zone("v1.client-waits-for-ack", "Without the hub's Ack no further cut begins", {"V1-06"},
            [](ZoneTest& t) {
              auto hub = t.join();
              hub->drain();
              hub->in.auto_ack = false;
              t.publish({service("east", "a")});
              hub->drain();
              const std::size_t before = hub->in.cuts.size();
              t.publish({service("east", "b")});
              t.publish({service("east", "c")});
              hub->drain();
              require(hub->in.cuts.size() == before, "V1-06: a cut without the Ack of the last");
              hub->in.auto_ack = true;
              hub->say(FlowId::up, hub->in.ack());
              hub->wait("the newest list",
                        [&] { return hub->in.replica.has(service("east", "c")); });
              require(hub->in.cuts.size() == before + 1, "V1-06: one list waits, the newest");
            }).needing({"publish"}).in(Modes::v1),
    on_zone("v1.client-change-outside-list", "A Change outside a list is 4400", {"V1-01"},
            [](ZoneTest& t) {
              expect_cut_refused(t, "V1-01", [](HubPeer& hub, const std::vector<LogItem>& items) {
                send_all(hub, hub.out.item_packets(items.back()));
              });
            }).in(Modes::v1),
    on_zone("v1.client-list-in-delta", "A List in a delta session is 4400", {"V1-01"},
            [](ZoneTest& t) {
              expect_cut_refused(t, "V1-01", [](HubPeer& hub, const std::vector<LogItem>& items) {
                send_all(hub, hub.out.list_packets(
                                  hub.out.list_of("MeshTimeout", items, hub.out.log.head), items));
              });
            }).in(Modes::delta),
    on_zone("v1.client-list-too-short", "A list shorter than it said is 4400", {"V1-03", "V1-04"},
            [](ZoneTest& t) {
              expect_cut_refused(t, "V1-03", [](HubPeer& hub, const std::vector<LogItem>& items) {
                wire::List list = hub.out.list_of("MeshTimeout", items, hub.out.log.head);
                ++list.digest.count;
                send_all(hub, hub.out.list_packets(list, items));
                end_cut(hub, items.size());
              });
            }).in(Modes::v1),
    on_zone("v1.client-key-twice", "A list with a key twice is not applied", {"V1-03", "V1-04"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              hub->auto_answer = false;
              hub->out.log.write({policy("b")});
              const auto items = hub->out.log.present_of("MeshTimeout");
              const std::vector<LogItem> twice{items.back(), items.back()};
              const wire::List list = hub->out.list_of("MeshTimeout", items, hub->out.log.head);
              send_all(*hub, hub->out.list_packets(list, twice));
              end_cut(*hub, 2);
              // Noticed by the key, or by the digest of the list.
              hub->wait("4400 or Want", [&] { return !hub->open() || !hub->out.wants.empty(); });
              if (!hub->open()) hub->expect_close(4400, "V1-03");
              t.expect_store({policy("a")});
            }).in(Modes::v1),
    on_zone("v1.client-other-type", "A change of another type in a list is 4400", {"V1-03"},
            [](ZoneTest& t) {
              expect_cut_refused(t, "V1-03", [](HubPeer& hub, const std::vector<LogItem>& items) {
                Resource other = policy("r");
                other.key.type = "MeshRetry";
                const LogItem wrong{hub.out.log.head, upsert_of(other)};
                wire::List list = hub.out.list_of("MeshTimeout", {items.front()}, hub.out.log.head);
                send_all(hub, hub.out.list_packets(list, {wrong}));
              });
            }).in(Modes::v1),
    on_zone("v1.client-list-newer-than-cut", "A list newer than its cut's end is 4400", {"V1-04"},
            [](ZoneTest& t) {
              expect_cut_refused(t, "V1-04", [](HubPeer& hub, const std::vector<LogItem>& items) {
                const Revision later{hub.out.log.head.value + 9};
                wire::List list = hub.out.list_of("MeshTimeout", items, later);
                send_all(hub, hub.out.list_packets(list, items));
                end_cut(hub, items.size());
              });
            }).in(Modes::v1),
    on_zone("v1.client-digest-differs", "A list whose digest differs is asked for again in full",
            {"V1-04", "FLOW-15"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              hub->auto_answer = false;
              hub->out.log.write({policy("b")});
              const auto items = hub->out.log.present_of("MeshTimeout");
              wire::List list = hub->out.list_of("MeshTimeout", items, hub->out.log.head);
              list.digest.high ^= 1;
              send_all(*hub, hub->out.list_packets(list, items));
              end_cut(*hub, items.size());
              hub->wait("Want", [&] { return !hub->out.wants.empty(); });
              t.expect_store({policy("a")});
              hub->answer();
              hub->await_durable();
              t.expect_store({policy("a"), policy("b")});
            }).in(Modes::v1),
    on_zone("v1.client-same-version-not-judged",
            "A listed version that is there is not judged again",
            {"V1-02", "V1-08"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a", "poison")});
              t.call(t.zone->set_verdict("poison"), "set_verdict poison");
              hub->write_durably({policy("b")});
              hub->drain();
              require(hub->out.verdicts.empty(), "V1-02: an accepted version was judged again");
              t.expect_store({policy("a", "poison"), policy("b")});
            }).needing({"verdicts"}).in(Modes::v1),
    on_zone("view.drop-removes-class", "Drop takes the class away with its cut, the rest stays",
            {"VIEW-01", "VIEW-02", "VIEW-04"},
            [](ZoneTest& t) {
              Resource other = policy("r");
              other.key.type = "MeshRetry";
              auto hub = t.join({policy("a"), policy("b"), other});
              const Cursor from = *hub->acked();
              hub->say(FlowId::down, drop_of(policy("a")));
              hub->drain();
              t.expect_store({policy("a"), policy("b"), other});
              hub->out.view.id.bytes[2] ^= 1;
              hub->out.log.write({policy("x")}, {policy("a"), policy("b"), policy("x")});
              hub->send(hub->out.mark_packet(from, hub->out.log.head, 1));
              hub->await_durable();
              t.expect_store({other});
            }).needing({"views"}).in(Modes::delta),
    on_zone("view.class-enters", "Behind a Drop the content of a class may be older than from",
            {"VIEW-03", "VIEW-02"},
            [](ZoneTest& t) {
              Resource other = policy("r");
              other.key.type = "MeshRetry";
              auto hub = t.join({policy("a")});
              const Cursor from = *hub->acked();
              hub->out.view.id.bytes[3] ^= 1;
              hub->out.log.write({other});
              std::string message;
              wire::append(message, FlowId::down, drop_of(other));
              message += hub->out.item_packets({Revision{1}, upsert_of(other)}).front();
              message += hub->out.mark_packet(from, hub->out.log.head, 2);
              hub->send(message);
              hub->await_durable();
              t.expect_store({policy("a"), other});
            }).needing({"views"}).in(Modes::delta),
    on_zone("view.drop-without-digest", "A cut with a Drop and without a digest is 4400",
            {"VIEW-04"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              hub->say(FlowId::down, drop_of(policy("a")));
              const Revision revision = hub->out.log.write({}, {policy("a")});
              wire::Mark mark = hub->out.mark(hub->acked(), revision, 1);
              mark.digest.reset();
              hub->say(FlowId::down, mark);
              hub->expect_close(4400, "VIEW-04");
              t.expect_store({policy("a")});
            }).in(Modes::delta),
    on_zone("view.offers-feature", "A client that takes Drop says so in Hello", {"VIEW-08"},
            [](ZoneTest& t) {
              auto hub = t.meet();
              hub->await_hello();
              bool offered = false;
              for (const std::string& word : hub->hello_heard->features) {
                offered = offered || word == "views";
              }
              require(offered, "VIEW-08: the feature `views`");
            }).needing({"views"}),
};

}  // namespace

Group v1_zone() { return kCases; }

}  // namespace zonesync::conform::cases

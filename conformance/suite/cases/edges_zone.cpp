// Edges of a client that deliberate bugs showed to be unwatched (docs/conformance-kill-matrix.md).
#include "conformance/suite/cases/groups.hpp"

namespace zonesync::conform::cases {
namespace {

using namespace std::chrono_literals;
using wire::FlowId;

void send_all(HubPeer& hub, const std::vector<std::string>& packets) {
  for (const std::string& packet : packets) hub.send(packet);
}

bool withdrawn(const HubPeer& hub, const Resource& resource) {
  const auto found = hub.out.verdicts.find(resource.key);
  return found != hub.out.verdicts.end() && found->second.accepted;
}

const Case kCases[] = {
    on_zone("view.drop-forgets-staged", "Drop takes what the open cut brought of its class",
            {"VIEW-02", "FLOW-11"},
            [](ZoneTest& t) {
              Resource other = policy("r");
              other.key.type = "MeshRetry";
              auto hub = t.join({policy("a"), other});
              const Cursor from = *hub->acked();
              hub->out.view.id.bytes[2] ^= 1;
              const Revision staged = hub->out.log.write({policy("b")});
              send_all(*hub, hub->out.item_packets({staged, upsert_of(policy("b"))}));
              hub->say(FlowId::down, wire::Drop{upsert_of(policy("a")).cls});
              hub->out.log.write({}, {policy("a"), policy("b")});
              hub->send(hub->out.mark_packet(from, hub->out.log.head, 2));
              hub->await_durable();
              require(hub->out.wants.empty(), "VIEW-02: the digest was found to differ");
              t.expect_store({other});
            }).needing({"views"}).in(Modes::delta),
    on_zone("view.drop-withdraws-reject", "A reject of what a Drop removed is withdrawn",
            {"VIEW-02", "FLOW-26"},
            [](ZoneTest& t) {
              Resource other = policy("r");
              other.key.type = "MeshRetry";
              auto hub = t.join({other});
              t.call(t.zone->set_verdict("poison"), "set_verdict poison");
              const Resource bad = policy("bad", "poison");
              hub->write_durably({bad, policy("a")});
              hub->wait("the verdict", [&] { return hub->out.verdicts.contains(bad.key); });
              const Cursor from = *hub->acked();
              hub->out.view.id.bytes[2] ^= 1;
              hub->say(FlowId::down, wire::Drop{upsert_of(bad).cls});
              hub->out.log.write({}, {bad, policy("a")});
              hub->send(hub->out.mark_packet(from, hub->out.log.head, 1));
              hub->await_durable();
              hub->wait("the withdrawal (FLOW-26)", [&] { return withdrawn(*hub, bad); });
              require(t.status().rejects == 0, "VIEW-02: no open reject");
              t.expect_store({other});
            }).needing({"views", "verdicts"}).in(Modes::delta),
    on_zone("apply.removals-last", "The application gets upserts before removals",
            {"FLOW-14"},
            [](ZoneTest& t) {
              Resource retry = policy("z");
              retry.key.type = "MeshRetry";
              auto hub = t.join({policy("a"), retry});
              hub->write_durably({policy("b")}, {policy("a"), retry});
              t.expect_store({policy("b")});
              require(t.status().connected, "the adapter found nothing wrong");
            }),
    on_zone("verdict.gone-with-full", "A reject of what a full cut removed is withdrawn",
            {"FLOW-26", "FLOW-16"},
            [](ZoneTest& t) {
              auto hub = t.join();
              t.call(t.zone->set_verdict("poison"), "set_verdict poison");
              hub->write_durably({policy("bad", "poison"), policy("a")});
              hub->cut();
              PeerLog other(9, true);
              other.write({policy("a")});
              auto second = t.next_of_other_hub(*hub, other);
              second->handshake();
              second->await_durable();
              second->wait("the withdrawal", [&] { return withdrawn(*second, policy("bad")); });
              require(t.status().rejects == 0, "no open reject");
            }).needing({"verdicts"}),
    on_zone("verdict.many-at-once", "Every verdict arrives, however many one cut has",
            {"FLOW-24"},
            [](ZoneTest& t) {
              auto hub = t.join();
              t.call(t.zone->set_verdict("poison"), "set_verdict poison");
              std::vector<Resource> many;
              for (int at = 0; at < 450; ++at) {
                many.push_back(policy("p" + std::to_string(at), "poison"));
              }
              hub->write_durably(many);
              hub->wait("all verdicts", [&] { return hub->out.verdicts.size() == many.size(); });
            }).needing({"verdicts"}),
    on_zone("resume.after-refused-attempts", "The cursor outlives attempts that were refused",
            {"FLOW-01", "CON-05"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              const Cursor held = *hub->acked();
              hub->cut();
              for (int at = 0; at < 2; ++at) {
                require(t.zone->refuse_next(503, std::nullopt), "CON-05: it tries again");
              }
              auto second = t.next(*hub);
              second->await_hello();
              require(second->hello_heard->down_cursor == held, "FLOW-01: down_cursor of Hello");
            }).needing({"refuse"}),
    on_zone("session.learns-types", "A client may publish types that it learned from Welcome",
            {"SES-06"},
            [](ZoneTest& t) {
              auto hub = t.meet();
              hub->await_hello();
              wire::Welcome welcome = hub->welcome_now();
              TypeInfo gadget = *types().find("MeshService");
              gadget.name = "Gadget";
              gadget.plural = "gadgets";
              welcome.types.push_back(gadget);
              hub->in.window_bytes = hub->up_window_bytes;
              hub->say(welcome);
              hub->answer();
              hub->await_durable();
              Resource mine = service("east", "g");
              mine.key.type = "Gadget";
              t.publish({mine});
            }).needing({"publish"}),
    on_zone("outbox.after-a-failure", "A publication that failed does not block the next",
            {"FLOW-05"},
            [](ZoneTest& t) {
              auto hub = t.join();
              t.call(t.zone->fault("outbox-disk-full", 1), "fault outbox-disk-full");
              const Status failed = t.zone->publish({{false, service("east", "lost")}});
              require(!failed.has_value(), "a publication that is not durable is no success");
              t.publish({service("east", "next")});
              hub->wait("the next publication",
                        [&] { return hub->in.replica.has(service("east", "next")); });
              require(!hub->in.replica.has(service("east", "lost")), "what failed is not sent");
            }).needing({"publish", "outbox-disk-full"}),
    on_zone("outbox.sync-behind-its-data", "Sync stands behind the cuts that it stands for",
            {"SES-09"},
            [](ZoneTest& t) {
              auto hub = t.meet();
              hub->up_window_bytes = 20'000;
              hub->handshake();
              hub->in.auto_ack = false;
              for (int at = 0; at < 6; ++at) {
                t.publish({service("east", "w" + std::to_string(at), std::string(9'000, 'w'))});
              }
              t.call(t.zone->barrier(), "barrier");
              hub->drain();
              require(hub->syncs.empty(), "SES-09: Sync before the data that it covers");
              hub->in.auto_ack = true;
              hub->say(FlowId::up, hub->in.ack());
              hub->wait("Sync", [&] { return !hub->syncs.empty(); });
              require(hub->in.replica.items.size() == 6, "SES-09: everything came before it");
            }).needing({"publish", "barrier"}),
    on_zone("outbox.parts-without-marks", "No Mark stands inside a series that waits for credit",
            {"FLOW-07", "FLOW-30"},
            [](ZoneTest& t) {
              auto hub = t.meet();
              hub->up_window_bytes = 20'000;
              hub->handshake();
              hub->drain();
              hub->in.auto_ack = false;
              const Resource big = service("east", "big", std::string(700'000, 'b'));
              t.publish({big});
              hub->drain();
              t.advance(12s);    // longer than an idle sender may be silent
              hub->drain();
              hub->in.auto_ack = true;
              hub->say(FlowId::up, hub->in.ack());
              hub->wait("the publication", [&] { return hub->in.replica.has(big); });
            }).needing({"publish", "clock"}),
    on_zone("both.acks-beside-own-data", "Acks do not wait for the own data's acks",
            {"FLOW-22", "FLOW-23"},
            [](ZoneTest& t) {
              auto hub = t.join();
              hub->in.auto_ack = false;
              t.publish({service("east", "a")});
              hub->wait("the publication",
                        [&] { return hub->in.replica.has(service("east", "a")); });
              hub->write_durably({policy("b")});
              t.expect_store({policy("b")});
            }).needing({"publish"}),
    on_zone("outbox.class-change-leaves", "A publication that is kept at home from now on leaves",
            {"FLOW-06", "FLOW-09"},
            [](ZoneTest& t) {
              auto hub = t.join();
              t.publish({service("east", "a"), service("east", "b")});
              hub->wait("both", [&] { return hub->in.replica.items.size() == 2; });
              Resource home = service("east", "a");
              home.labels["kuma.io/kds-sync"] = "disabled";
              t.publish({home});
              hub->wait("the leave", [&] { return hub->in.replica.items.size() == 1; });
            }).needing({"publish"}),
};

}  // namespace

Group edges_zone() { return kCases; }

}  // namespace zonesync::conform::cases

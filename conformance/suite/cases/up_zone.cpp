// The up flow of a client: outbox, order, resume, completeness, verdicts, holds.
#include "conformance/suite/cases/groups.hpp"

namespace zonesync::conform::cases {
namespace {

using namespace std::chrono_literals;
using wire::FlowId;

void await_up(HubPeer& hub, const Resource& resource) {
  hub.wait("the publication of " + resource.key.name,
           [&] { return hub.in.replica.has(resource); });
}

const Case kCases[] = {
    on_zone("outbox.publish", "Publications arrive as cuts with one revision each",
            {"FLOW-10", "FLOW-11", "FLOW-09"},
            [](ZoneTest& t) {
              auto hub = t.join();
              t.publish({service("east", "a"), service("east", "b")});
              await_up(*hub, service("east", "b"));
              require(hub->in.replica.has(service("east", "a")), "both of the transaction");
              for (const auto& [key, item] : hub->in.replica.items) {
                require(key.origin == "east", "FLOW-09: only the own origin");
              }
            }).needing({"publish"}),
    on_zone("outbox.order", "Updates and leaves arrive in the order of the outbox", {"FLOW-05"},
            [](ZoneTest& t) {
              auto hub = t.join();
              for (int at = 0; at < 8; ++at) t.publish({service("east", "a", std::to_string(at))});
              t.publish({service("east", "b")}, {});
              t.publish({}, {service("east", "a")});
              t.publish({service("east", "last")});
              await_up(*hub, service("east", "last"));
              require(hub->in.replica.names() == std::vector<std::string>({"b", "last"}),
                      "FLOW-05: the newest state");
            }).needing({"publish"}),
    on_zone("outbox.offline", "What is published while disconnected arrives after the reconnect",
            {"FLOW-02", "FLOW-21"},
            [](ZoneTest& t) {
              auto hub = t.join();
              hub->cut();
              t.publish({service("east", "offline")});
              auto second = t.next(*hub);
              second->handshake();
              await_up(*second, service("east", "offline"));
            }).needing({"publish"}),
    on_zone("outbox.resume", "After a reconnect only what the hub lacks is sent again",
            {"FLOW-02", "FLOW-21"},
            [](ZoneTest& t) {
              auto hub = t.join();
              t.publish({service("east", "a")});
              await_up(*hub, service("east", "a"));
              hub->drain();
              auto second = t.again(*hub);
              second->handshake();
              second->wait("an Intent", [&] { return !second->in.intents.empty(); });
              require(second->in.intents.front().reason == wire::IntentReason::none,
                      "FLOW-02: none, when the hub holds everything");
              second->drain();
              require(second->in.changes() == 0, "P3: nothing is sent again");
            }).needing({"publish"}),
    on_zone("outbox.survives-restart", "An acknowledged publication survives a restart",
            {"FLOW-21", "FLOW-02"},
            [](ZoneTest& t) {
              auto hub = t.join();
              hub->cut();
              t.publish({service("east", "durable")});
              t.call(t.zone->restart(), "restart");
              auto second = t.next(*hub);
              second->handshake();
              await_up(*second, service("east", "durable"));
            }).needing({"publish", "restart", "durable"}),
    on_zone("outbox.hub-lost-it", "A hub without a cursor gets everything again", {"FLOW-02"},
            [](ZoneTest& t) {
              auto hub = t.join();
              t.publish({service("east", "a"), service("east", "b")});
              await_up(*hub, service("east", "b"));
              hub->cut();
              auto fresh = t.next_of_other_hub(*hub, hub->out.log);
              fresh->handshake();
              await_up(*fresh, service("east", "a"));
              require(fresh->in.intents.front().reason == wire::IntentReason::full,
                      "FLOW-02: full without a cursor");
            }).needing({"publish"}),
    on_zone("outbox.hub-ahead", "A cursor beyond the outbox is answered in full", {"FLOW-02"},
            [](ZoneTest& t) {
              auto hub = t.join();
              t.publish({service("east", "a")});
              await_up(*hub, service("east", "a"));
              hub->cut();
              auto second = t.next(*hub);
              second->in.cursor->revision.value += 50;
              second->handshake();
              second->wait("the Intent", [&] { return !second->in.intents.empty(); });
              require(second->in.intents.front().reason == wire::IntentReason::full &&
                          second->in.intents.front().why == "beyond_era",
                      "FLOW-02: beyond_era");
            }).needing({"publish"}),
    on_zone("outbox.unknown-era", "A cursor of an unknown era is answered in full", {"FLOW-02"},
            [](ZoneTest& t) {
              auto hub = t.join();
              t.publish({service("east", "a")});
              await_up(*hub, service("east", "a"));
              hub->cut();
              auto second = t.next(*hub);
              second->in.cursor->era.id.bytes[4] ^= 0x3c;
              second->handshake();
              second->wait("the Intent", [&] { return !second->in.intents.empty(); });
              require(second->in.intents.front().why == "unknown_era", "FLOW-02: unknown_era");
            }).needing({"publish"}),
    on_zone("outbox.want-again", "A Want in the middle of a session is answered by one Intent",
            {"FLOW-01", "FLOW-02"},
            [](ZoneTest& t) {
              auto hub = t.join();
              t.publish({service("east", "a")});
              await_up(*hub, service("east", "a"));
              const std::size_t before = hub->in.intents.size();
              const std::size_t cuts = hub->in.cuts.size();
              hub->send(hub->in.want(true, "asked", hub->in.cursor));
              hub->wait("an Intent", [&] { return hub->in.intents.size() > before; });
              require(hub->in.intents.back().reason == wire::IntentReason::full, "FLOW-02: full");
              hub->wait("everything again", [&] { return hub->in.cuts.size() > cuts; });
              require(hub->in.replica.has(service("east", "a")), "everything again");
            }).needing({"publish"}),
    on_zone("outbox.partial-until-complete", "The outbox is partial until its owner says complete",
            {"FLOW-16"},
            [](ZoneTest& t) {
              auto hub = t.meet();
              hub->await_hello();
              require(!hub->hello_heard->up_log.complete, "FLOW-16: a new outbox is partial");
              hub->handshake();
              hub->drain();
              t.call(t.zone->publish_complete(), "publish_complete");
              hub->drain();
              hub->cut();
              auto second = t.next(*hub);
              second->await_hello();
              require(second->hello_heard->up_log.complete, "FLOW-16: complete now");
            }).needing({"publish"}),
    on_zone("outbox.window", "Never more than the hub's window is in flight", {"FLOW-22"},
            [](ZoneTest& t) {
              auto hub = t.meet();
              hub->up_window_bytes = 20'000;
              hub->handshake();
              hub->in.auto_ack = false;
              for (int at = 0; at < 10; ++at) {
                t.publish({service("east", "w" + std::to_string(at), std::string(9'000, 'w'))});
              }
              hub->drain();
              require(hub->in.received_bytes <= 20'000 + hub->in.largest_packet,
                      "FLOW-22: more than the window");
              hub->in.auto_ack = true;
              hub->say(FlowId::up, hub->in.ack());
              await_up(*hub, service("east", "w9", std::string(9'000, 'w')));
            }).needing({"publish"}),
    on_zone("outbox.large", "A large publication travels in parts", {"FLOW-07", "FLOW-22"},
            [](ZoneTest& t) {
              auto hub = t.join();
              const Resource big = service("east", "big", std::string(600'000, 'b'));
              t.publish({big});
              await_up(*hub, big);
              require(hub->in.parts >= 3, "FLOW-07: in parts");
            }).needing({"publish"}),
    on_zone("outbox.verdict-shown", "A hub's verdict is shown, and a new version clears it",
            {"FLOW-24", "FLOW-26"},
            [](ZoneTest& t) {
              auto hub = t.join();
              t.publish({service("east", "a", "1")});
              await_up(*hub, service("east", "a", "1"));
              const Revision at = hub->in.replica.items.at(service("east", "a").key).revision;
              hub->in.verdicts.push_back(Verdict{service("east", "a").key, at, false,
                                                 Reject{"forbidden", "", "no", false}});
              hub->send(hub->in.due());
              t.wait_status(*hub, "one reject of the hub",
                            [](const ClientFacts& f) { return f.publish_rejects == 1; });
              Verdict withdrawn{service("east", "a").key, at, true, {}};
              hub->in.verdicts.push_back(withdrawn);
              hub->send(hub->in.due());
              t.wait_status(*hub, "no reject of the hub",
                            [](const ClientFacts& f) { return f.publish_rejects == 0; });
            }).needing({"publish"}),
    on_zone("outbox.hold", "After the hub's Hold no data comes until its Want",
            {"FLOW-31", "FLOW-32"},
            [](ZoneTest& t) {
              auto hub = t.join();
              hub->drain();
              hub->say(FlowId::up, wire::Hold{"queue_full", "busy", false});
              hub->drain();
              t.publish({service("east", "a")});
              hub->drain();
              require(hub->in.changes() == 0, "FLOW-32: data while held");
              t.wait_status(*hub, "held by queue_full",
                            [](const ClientFacts& f) { return f.peer_held == "queue_full"; });
              hub->send(hub->in.want(false, "queue_full", hub->in.cursor));
              await_up(*hub, service("east", "a"));
            }).needing({"publish"}),
    on_zone("outbox.acked-is-known", "The client knows what the hub holds durably", {"FLOW-21"},
            [](ZoneTest& t) {
              auto hub = t.join();
              t.publish({service("east", "a")});
              await_up(*hub, service("east", "a"));
              t.wait_status(*hub, "the outbox acked", [](const ClientFacts& f) {
                return f.outbox_acked == f.outbox_head && f.outbox_head > 0;
              });
            }).needing({"publish"}),
    on_zone("outbox.idle-mark", "An idle client sends a Mark every 10 s", {"FLOW-30", "SES-08"},
            [](ZoneTest& t) {
              auto hub = t.join();
              hub->drain();
              const std::size_t before = hub->in.idle_marks.size();
              t.advance(11s);
              hub->drain();
              require(hub->in.idle_marks.size() > before, "FLOW-30: no Mark in 11 s");
            }).needing({"clock"}),
    on_zone("outbox.foreign-origin", "A publication under another origin is refused at once",
            {"FLOW-09"},
            [](ZoneTest& t) {
              auto hub = t.join();
              std::vector<ControlOp> ops{{false, service("west", "stolen")}};
              require(!t.zone->publish(ops).has_value(), "FLOW-09: another zone's origin");
              ops = {{false, policy("global")}};
              require(!t.zone->publish(ops).has_value(), "FLOW-09: global's origin");
              hub->drain();
              require(hub->in.replica.items.empty(), "nothing was sent");
            }).needing({"publish"}),
    on_zone("both.client-at-once", "Both flows at once end in equal states", {"FLOW-22"},
            [](ZoneTest& t) {
              auto hub = t.join();
              std::vector<Resource> down;
              for (int at = 0; at < 20; ++at) {
                const std::string name = "n" + std::to_string(at);
                down.push_back(policy(name));
                t.publish({service("east", name)});
                hub->write({policy(name)});
              }
              hub->await_durable();
              await_up(*hub, service("east", "n19"));
              t.expect_store(down);
              require(hub->in.replica.items.size() == 20, "every publication");
            }).needing({"publish"}),
};

}  // namespace

Group up_zone() { return kCases; }

}  // namespace zonesync::conform::cases

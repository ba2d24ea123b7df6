// Acks, credit, verdicts and holds of a client.
#include "conformance/suite/cases/groups.hpp"

namespace zonesync::conform::cases {
namespace {

using namespace std::chrono_literals;
using wire::FlowId;

const Case kCases[] = {
    on_zone("ack.received-and-cursor", "Acks count every data byte and name the durable cursor",
            {"FLOW-20", "FLOW-21", "FLOW-23"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              hub->write_durably({policy("b")});
              hub->wait("received_bytes of everything",
                        [&] { return hub->out.received_bytes == hub->out.sent_bytes; });
              require(hub->acked() == hub->out.at(hub->out.log.head), "FLOW-21: the cursor");
            }),
    on_zone("ack.half-window", "An Ack comes after half a window, before the Mark",
            {"FLOW-22", "FLOW-23"},
            [](ZoneTest& t) {
              auto hub = t.join();
              const std::uint64_t window = hub->hello_heard->down_window_bytes;
              const Resource big = big_policy("b", 700'000);
              const std::uint64_t rounds = window / 700'000 + 2;
              std::vector<Resource> all;
              for (std::uint64_t at = 0; at < rounds; ++at) {
                all.push_back(big_policy("b" + std::to_string(at), 700'000));
              }
              hub->write_durably(all);
              require(t.stored().size() == rounds, "more than a window was applied");
            }),
    on_zone("ack.no-cursor-before-intent", "No cursor is acked before an Intent said it is valid",
            {"FLOW-21"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              auto second = t.again(*hub);
              second->welcome_only();
              t.advance(11s);
              second->drain();   // the peer refuses a cursor before its Intent
              second->answer();
              second->await_durable();
            }).needing({"clock"}),
    on_zone("ack.credit-violated", "A hub that sends beyond the window is left with 4413",
            {"FLOW-22"},
            [](ZoneTest& t) {
              auto hub = t.join();
              const std::uint64_t window = hub->hello_heard->down_window_bytes;
              const Revision next = hub->out.log.head.next();
              const auto packet =
                  hub->out.item_packets({next, upsert_of(big_policy("x", 180'000))}).front();
              std::string burst;
              while (hub->open() && hub->out.sent_bytes < 2 * window + (8u << 20)) {
                burst += packet;
                if (burst.size() > 800'000) hub->send(std::exchange(burst, {}));
                if (hub->out.acks.size() > 1'000) break;
              }
              hub->drain();
              const auto closed = hub->link().closed();
              require(!closed || closed->code == 4413, "FLOW-22: the code is 4413");
            }).in(Modes::delta),
    on_zone("ack.ack-from-hub-on-down", "An Ack of the down flow from a hub is 4400", {"FLOW-03"},
            [](ZoneTest& t) {
              auto hub = t.join();
              hub->say(FlowId::down, wire::Ack{});
              hub->expect_close(4400, "FLOW-03");
            }),
    on_zone("ack.mark-of-up-flow", "A Mark of the up flow from a hub is 4400", {"FLOW-03"},
            [](ZoneTest& t) {
              auto hub = t.join();
              wire::Mark mark;
              mark.from = mark.to = *hub->acked();
              hub->say(FlowId::up, mark);
              hub->expect_close(4400, "FLOW-03");
            }),
    on_zone("ack.up-backwards", "received_bytes of the up flow that go backwards are 4400",
            {"FLOW-20"},
            [](ZoneTest& t) {
              auto hub = t.join();
              t.publish({service("east", "s")});
              hub->wait("the publication",
                        [&] { return hub->in.replica.has(service("east", "s")); });
              wire::Ack ack = hub->in.ack();
              hub->say(FlowId::up, ack);
              ack.received_bytes -= 1;
              hub->say(FlowId::up, ack);
              hub->expect_close(4400, "FLOW-20");
            }).needing({"publish"}),
    on_zone("ack.up-too-much", "received_bytes beyond what the client sent are 4400", {"FLOW-20"},
            [](ZoneTest& t) {
              auto hub = t.join();
              wire::Ack ack = hub->in.ack();
              ack.received_bytes += 1'000;
              hub->say(FlowId::up, ack);
              hub->expect_close(4400, "FLOW-20");
            }),
    on_zone("ack.up-cursor-beyond", "An acked cursor beyond the client's log is 4400", {"FLOW-21"},
            [](ZoneTest& t) {
              auto hub = t.join();
              t.publish({service("east", "s")});
              hub->wait("the publication",
                        [&] { return hub->in.replica.has(service("east", "s")); });
              wire::Ack ack = hub->in.ack();
              ack.cursor->revision.value += 100;
              hub->say(FlowId::up, ack);
              hub->expect_close(4400, "FLOW-21");
            }).needing({"publish"}),
    on_zone("verdict.last-accepted-stays", "A refused version leaves the last accepted one visible",
            {"FLOW-24", "FLOW-25"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a", "1s")});
              t.call(t.zone->set_verdict("poison"), "set_verdict poison");
              hub->write_durably({policy("a", "poison"), policy("b")});
              t.expect_store({policy("a", "1s"), policy("b")});
              hub->wait("a verdict", [&] { return !hub->out.verdicts.empty(); });
              const Verdict& verdict = hub->out.verdicts.begin()->second;
              require(verdict.key == policy("a").key && !verdict.accepted, "FLOW-24: of a");
              require(verdict.revision == hub->out.log.head, "FLOW-24: of that version");
              require(verdict.reject.code == "invalid", "FLOW-24: with its code");
            }).needing({"verdicts"}),
    on_zone("verdict.never-accepted", "A version that was refused at first is not visible at all",
            {"FLOW-24"},
            [](ZoneTest& t) {
              auto hub = t.meet();
              t.call(t.zone->set_verdict("poison"), "set_verdict poison");
              hub->out.log.write({policy("a", "poison"), policy("b")});
              hub->handshake();
              hub->await_durable();
              t.expect_store({policy("b")});
              t.wait_status(*hub, "one open reject",
                            [](const ClientFacts& f) { return f.rejects == 1; });
            }).needing({"verdicts"}),
    on_zone("verdict.cleared-by-newer", "A newer version clears the reject, with a withdrawal",
            {"FLOW-24", "FLOW-26"},
            [](ZoneTest& t) {
              auto hub = t.join();
              t.call(t.zone->set_verdict("poison"), "set_verdict poison");
              hub->write_durably({policy("a", "poison")});
              hub->write_durably({policy("a", "fine")});
              t.expect_store({policy("a", "fine")});
              t.wait_status(*hub, "no open reject",
                            [](const ClientFacts& f) { return f.rejects == 0; });
            }).needing({"verdicts"}),
    on_zone("verdict.leave-of-refused", "A leave of a refused version withdraws the reject",
            {"FLOW-24", "FLOW-26"},
            [](ZoneTest& t) {
              auto hub = t.join();
              t.call(t.zone->set_verdict("poison"), "set_verdict poison");
              hub->write_durably({policy("a", "poison"), policy("b")});
              hub->write_durably({}, {policy("a")});
              t.expect_store({policy("b")});
              hub->wait("the withdrawal", [&] {
                const auto found = hub->out.verdicts.find(policy("a").key);
                return found != hub->out.verdicts.end() && found->second.accepted;
              });
              t.wait_status(*hub, "no open reject",
                            [](const ClientFacts& f) { return f.rejects == 0; });
            }).needing({"verdicts"}),
    on_zone("verdict.counted-in-hello",
            "Open rejects stand in Hello and are reported after Welcome",
            {"FLOW-26"},
            [](ZoneTest& t) {
              auto hub = t.join();
              t.call(t.zone->set_verdict("poison"), "set_verdict poison");
              hub->write_durably({policy("a", "poison"), policy("b", "poison"), policy("c")});
              auto second = t.again(*hub);
              second->await_hello();
              require(second->hello_heard->open_rejects == 2, "FLOW-26: two in Hello");
              second->handshake();
              second->wait("both verdicts again",
                           [&] { return second->out.verdicts.size() == 2; });
            }).needing({"verdicts"}),
    on_zone("verdict.survives-restart",
            "Rejects are as durable as the replica", {"FLOW-24", "FLOW-26"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a", "1s")});
              t.call(t.zone->set_verdict("poison"), "set_verdict poison");
              hub->write_durably({policy("a", "poison")});
              t.call(t.zone->restart(), "restart");
              auto second = t.next(*hub);
              second->await_hello();
              require(second->hello_heard->open_rejects == 1, "FLOW-26: still open");
              t.expect_store({policy("a", "1s")});
            }).needing({"verdicts", "restart", "durable"}),
    on_zone("verdict.digest-covers-refused", "Digests cover refused versions too", {"FLOW-14"},
            [](ZoneTest& t) {
              auto hub = t.join();
              t.call(t.zone->set_verdict("poison"), "set_verdict poison");
              hub->write_durably({policy("a", "poison")});
              hub->send(hub->out.mark_packet(hub->acked(), hub->out.log.head, 0));
              hub->drain();
              require(hub->out.wants.empty(), "FLOW-14: the digest was found to differ");
            }).needing({"verdicts"}),
    on_zone("hold.disk-full", "A full disk is a Hold, never a verdict, and ends by a Want",
            {"FLOW-31", "FLOW-32"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              t.call(t.zone->fault("disk-full", 1), "fault disk-full");
              hub->write({policy("b")});
              hub->wait("Hold", [&] { return !hub->out.holds.empty(); });
              require(hub->out.holds.back().reason == "disk_full", "FLOW-31: the word");
              require(hub->out.verdicts.empty(), "FLOW-31: no verdict");
              t.advance(5s);
              hub->await_durable();
              t.expect_store({policy("a"), policy("b")});
              require(!hub->out.wants.empty(), "FLOW-32: it sends Want");
            }).needing({"disk-full", "clock"}),
    on_zone("hold.application", "An application that waits holds the flow and then gets everything",
            {"FLOW-31", "FLOW-32"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              t.call(t.zone->fault("application-hold", 1), "fault application-hold");
              hub->write({policy("b")});
              hub->wait("Hold", [&] { return !hub->out.holds.empty(); });
              require(hub->out.holds.back().reason == "application", "FLOW-31: the word");
              t.expect_store({policy("a")});
              t.call(t.zone->fault("application-hold", 0), "fault application-hold off");
              hub->await_durable();
              t.expect_store({policy("a"), policy("b")});
            }).needing({"application-hold"}),
};

}  // namespace

Group credit_zone() { return kCases; }

}  // namespace zonesync::conform::cases

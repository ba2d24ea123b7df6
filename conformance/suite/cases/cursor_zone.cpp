// Cursors, eras and resuming: what a client says it has and does with the answers.
#include "conformance/suite/cases/groups.hpp"

namespace zonesync::conform::cases {
namespace {

using wire::FlowId;

const Case kCases[] = {
    on_zone("resume.cursor-in-hello", "Hello carries the cursor of the last durable cut",
            {"FLOW-01", "FLOW-21"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              hub->write_durably({policy("b")});
              auto second = t.again(*hub);
              second->await_hello();
              require(second->hello_heard->down_cursor == hub->acked(),
                      "FLOW-21: the cursor in Hello says what Ack said");
            }),
    on_zone("resume.none", "An answer of `none` keeps the replica", {"FLOW-02"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              auto second = t.again(*hub);
              second->handshake();
              second->await_durable();
              t.expect_store({policy("a")});
              t.wait_status(*second, "synced",
                            [](const ClientFacts& f) { return f.state == "synced"; });
            }),
    on_zone("resume.changes",
            "An answer of `changes` continues the replica", {"FLOW-02", "FLOW-14"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a"), policy("b")});
              hub->cut();
              hub->out.log.write({policy("c")}, {policy("a")});
              auto second = t.next(*hub);
              second->handshake();
              second->await_durable();
              t.expect_store({policy("b"), policy("c")});
            }),
    on_zone("resume.after-restart", "A restarted client resumes from its store",
            {"FLOW-14", "FLOW-21"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              hub->write_durably({policy("b")});
              t.call(t.zone->restart(), "restart");
              t.expect_store({policy("a"), policy("b")});
              auto second = t.next(*hub);
              second->await_hello();
              require(second->hello_heard->down_cursor == hub->acked(),
                  "what was acked is durable");
            }).needing({"restart", "durable"}),
    on_zone("resume.full-from-new-era", "A full answer of a complete log replaces the replica",
            {"FLOW-16", "FLOW-02"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a"), policy("b")});
              hub->cut();
              PeerLog other(7, true);
              other.write({policy("b", "2s"), policy("c")});
              auto second = t.next_of_other_hub(*hub, other);
              second->handshake();
              second->await_durable();
              t.expect_store({policy("b", "2s"), policy("c")});
            }),
    on_zone("resume.intent-from-elsewhere", "An Intent whose from was not wanted is 4400",
            {"FLOW-02"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              auto second = t.again(*hub);
              second->welcome_only();
              Cursor other = *second->hello_heard->down_cursor;
              ++other.revision.value;
              second->out.log.head.value += 5;
              second->send(second->out.intent_packet(other));
              second->expect_close(4400, "FLOW-02");
            }),
    on_zone("resume.full-with-from", "A full Intent with a from is 4400", {"FLOW-02"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              auto second = t.again(*hub);
              second->welcome_only();
              wire::Intent intent = second->out.intent(std::nullopt, "no_cursor");
              intent.from = second->hello_heard->down_cursor;
              second->say(FlowId::down, intent);
              second->expect_close(4400, "FLOW-02");
            }),
    on_zone("resume.changes-without-from", "`changes` without a from is 4400", {"FLOW-02"},
            [](ZoneTest& t) {
              auto hub = t.meet();
              hub->welcome_only();
              hub->out.log.write({policy("a")});
              wire::Intent intent = hub->out.intent(std::nullopt, "");
              intent.reason = wire::IntentReason::changes;
              hub->say(FlowId::down, intent);
              hub->expect_close(4400, "FLOW-02");
            }),
    on_zone("resume.intent-drops-staged", "A new Intent drops what was staged of an open cut",
            {"FLOW-04", "FLOW-34"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              hub->auto_answer = false;
              hub->out.log.write({policy("b")});
              const Revision revision = hub->out.log.head;
              for (const std::string& packet : hub->out.item_packets({revision,
                                                                      upsert_of(policy("x"))})) {
                hub->send(packet);
              }
              hub->say(FlowId::down, wire::Hold{"resync", "", false});
              hub->wait("Want (FLOW-34)", [&] { return !hub->out.wants.empty(); });
              require(hub->out.wants.back().force_full, "FLOW-34: everything anew");
              hub->answer();
              hub->await_durable();
              t.expect_store({policy("a"), policy("b")});
            }).in(Modes::delta),
    on_zone("resume.data-before-intent-counts", "Data before the Intent is ignored but counted",
            {"FLOW-04", "FLOW-20"},
            [](ZoneTest& t) {
              auto hub = t.meet();
              hub->welcome_only();
              hub->out.log.write({policy("real")});
              for (const std::string& packet :
                   hub->out.item_packets({Revision{1}, upsert_of(policy("ghost"))})) {
                hub->send(packet);
              }
              hub->answer();
              hub->await_durable();
              hub->wait("received_bytes of all data",
                        [&] { return hub->out.received_bytes == hub->out.sent_bytes; });
              t.expect_store({policy("real")});
            }).in(Modes::delta),
    on_zone("resume.interrupted-cut", "A cut that was interrupted leaves no trace",
            {"FLOW-14", "FLOW-04"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              const Revision revision = hub->out.log.write({policy("b"), policy("c")});
              for (const std::string& packet :
                   hub->out.item_packets({revision, upsert_of(policy("b"))})) {
                hub->send(packet);
              }
              hub->drain();
              t.expect_store({policy("a")});
              auto second = t.again(*hub);
              second->handshake();
              second->await_durable();
              t.expect_store({policy("a"), policy("b"), policy("c")});
            }).in(Modes::delta),
};

}  // namespace

Group cursor_zone() { return kCases; }

}  // namespace zonesync::conform::cases

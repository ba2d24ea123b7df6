// Session rules a client must keep.
#include "conformance/suite/cases/groups.hpp"

namespace zonesync::conform::cases {
namespace {

using namespace std::chrono_literals;
using wire::FlowId;

const Case kCases[] = {
    on_zone("client.hello-first", "The client's first packet is Hello, complete and well formed",
            {"SES-01", "SES-04"},
            [](ZoneTest& t) {
              auto hub = t.meet();
              hub->await_hello();
              const wire::Hello& hello = *hub->hello_heard;
              require(hello.zone == "east", "SES-01: Hello names its zone");
              require(hello.version_min <= 2 && hello.version_max >= 2, "SES-04: version 2");
              require(!hello.instance.id.is_zero(), "SES-07: an instance");
              require(!hello.down_cursor, "FLOW-01: a first Hello has no cursor");
              require(!hello.up_log.log_id.is_zero(), "Hello says which log it has");
            }),
    on_zone("client.nothing-before-welcome", "Nothing but Hello comes before Welcome", {"SES-02"},
            [](ZoneTest& t) {
              auto hub = t.meet();
              if (t.zone->capabilities().contains("publish")) {
                t.publish({service("east", "early")});
              }
              hub->await_hello();
              hub->drain();
              require(hub->in.intents.empty() && hub->out.acks.empty() && hub->syncs.empty(),
                      "SES-02: packets before Welcome");
            }),
    on_zone("client.welcome-twice", "A second Welcome is 4400", {"SES-02"},
            [](ZoneTest& t) {
              auto hub = t.join();
              hub->say(hub->welcome_now());
              hub->expect_close(4400, "SES-02");
            }),
    on_zone("client.data-before-welcome", "A flow packet before Welcome is 4400", {"SES-02"},
            [](ZoneTest& t) {
              auto hub = t.meet();
              hub->await_hello();
              hub->send(hub->out.intent_packet(std::nullopt));
              hub->expect_close(4400, "SES-02");
            }),
    on_zone("client.hello-from-hub", "A Hello that a hub sends is 4400", {"SES-02"},
            [](ZoneTest& t) {
              auto hub = t.join();
              hub->say(*hub->hello_heard);
              hub->expect_close(4400, "SES-02");
            }),
    on_zone("client.sync-from-hub", "A Sync that a hub sends is 4400", {"SES-09"},
            [](ZoneTest& t) {
              auto hub = t.join();
              hub->say(wire::Sync{1});
              hub->expect_close(4400, "SES-09");
            }),
    on_zone("client.synced-unasked", "A Synced without Sync is 4400", {"SES-09"},
            [](ZoneTest& t) {
              auto hub = t.join();
              hub->say(wire::Synced{1, Revision{1}});
              hub->expect_close(4400, "SES-09");
            }),
    on_zone("client.same-instance-on-reconnect",
            "An instance is the same over reconnects of a process",
            {"SES-07"},
            [](ZoneTest& t) {
              auto hub = t.join();
              auto second = t.again(*hub);
              second->await_hello();
              require(second->hello_heard->instance == hub->hello_heard->instance,
                      "SES-07: another instance in the same process");
            }),
    on_zone("client.new-instance-after-restart", "A restarted process has another instance",
            {"SES-07"},
            [](ZoneTest& t) {
              auto hub = t.join();
              t.call(t.zone->restart(), "restart");
              auto second = t.next(*hub);
              second->await_hello();
              require(second->hello_heard->instance != hub->hello_heard->instance,
                      "SES-07: the same instance in another process");
            }).needing({"restart"}),
    on_zone("client.superseded-is-final", "After 4409 the process never connects again", {"SES-07"},
            [](ZoneTest& t) {
              auto hub = t.join();
              hub->leave(4409, "superseded");
              require(!t.zone->attempts_within(400s), "SES-07: it connects after 4409");
              require(t.status().state == "superseded", "the status says superseded");
            }).needing({"clock"}),
    on_zone("client.handshake-timeout", "Without Welcome the client closes with 4408 in time",
            {"SES-05"},
            [](ZoneTest& t) {
              auto hub = t.meet();
              hub->await_hello();
              t.advance(11s);
              hub->expect_close(4408, "SES-05");
            }).needing({"clock"}),
    on_zone("client.silent-hub", "A hub that is silent for 45 s is left with 4408", {"SES-08"},
            [](ZoneTest& t) {
              auto hub = t.join();
              t.advance(46s);
              hub->expect_close(4408, "SES-08");
            }).needing({"clock"}),
    on_zone("client.idle-acks", "An idle client sends an Ack every 10 s", {"SES-08", "FLOW-23"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              const std::size_t before = hub->out.acks.size();
              t.advance(11s);
              hub->wait("an idle Ack (FLOW-23)", [&] { return hub->out.acks.size() > before; });
            }).needing({"clock"}),
    on_zone("client.goodbye-on-stop", "A client that stops says Goodbye and closes", {"SES-10"},
            [](ZoneTest& t) {
              auto hub = t.join();
              t.call(t.zone->stop(), "stop");
              const CloseInfo info = hub->wait_close();
              require(hub->goodbye.has_value(), "SES-10: no Goodbye");
              require(info.code == 1000 || info.code == 1001, "SES-10: a normal end");
            }),
    on_zone("client.retry-after", "It never reconnects before retry_after_ms", {"CON-05"},
            [](ZoneTest& t) {
              auto hub = t.join();
              hub->leave(1012, "restart", 20'000);
              require(!t.zone->attempts_within(19s), "CON-05: earlier than retry_after_ms");
              require(t.zone->attempts_within(300s), "CON-05: it comes back");
            }).needing({"clock"}),
    on_zone("client.slow-regime-after-4401", "After 4401 it keeps trying, slowly",
            {"CON-05", "SES-10"},
            [](ZoneTest& t) {
              auto hub = t.join();
              hub->leave(4401, "credential expired");
              require(!t.zone->attempts_within(5s), "CON-05: the slow regime after 4401");
              require(t.status().state == "auth_failed", "the status says auth_failed");
              require(t.zone->attempts_within(600s), "CON-05: it must keep trying");
            }).needing({"clock"}),
    on_zone("client.slow-regime-after-401", "After HTTP 401 and 403 it keeps trying, slowly",
            {"CON-05", "CON-03"},
            [](ZoneTest& t) {
              t.call(t.zone->start(t.options), "start");
              require(t.zone->refuse_next(401, std::nullopt), "the first attempt");
              require(!t.zone->attempts_within(5s), "CON-05: the slow regime after 401");
              require(t.zone->refuse_next(403, std::nullopt), "CON-05: it must keep trying");
              require(!t.zone->attempts_within(5s), "CON-05: the slow regime after 403");
            }).needing({"clock", "refuse"}),
    on_zone("client.backoff-after-503", "After 503 it waits at least Retry-After, then returns",
            {"CON-05"},
            [](ZoneTest& t) {
              t.call(t.zone->start(t.options), "start");
              require(t.zone->refuse_next(503, 30), "the first attempt");
              require(!t.zone->attempts_within(29s), "CON-05: earlier than Retry-After");
              require(t.zone->attempts_within(300s), "CON-05: it comes back");
            }).needing({"clock", "refuse"}),
    on_zone("client.reconnects-after-loss", "A lost connection is opened again by itself",
            {"CON-05"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              auto second = t.again(*hub);
              second->handshake();
              second->write_durably({policy("b")});
              t.expect_store({policy("a"), policy("b")});
            }),
    on_zone("client.barrier", "A barrier ends with the hub's revision, once that is applied",
            {"SES-09"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              t.publish({service("east", "s")});
              t.call(t.zone->barrier(), "barrier");
              hub->wait("Sync", [&] { return !hub->syncs.empty(); });
              require(hub->in.replica.has(service("east", "s")),
                      "SES-09: Sync goes behind the Mark of the own writes");
              std::optional<std::uint64_t> end;
              t.wait_until(*hub, "the barrier ends", [&] {
                end = t.zone->barrier_done();
                return end.has_value();
              });
              require(end == hub->out.log.head.value,
                      "SES-09: the barrier ends at the hub's revision");
            }).needing({"barrier", "publish"}),
};

}  // namespace

Group session_zone() { return kCases; }

}  // namespace zonesync::conform::cases

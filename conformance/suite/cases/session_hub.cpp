// Session rules a hub must keep: Hello, Welcome, identity, instances, barriers, liveness, ends.
#include "conformance/suite/cases/groups.hpp"

namespace zonesync::conform::cases {
namespace {

using namespace std::chrono_literals;
using wire::FlowId;

const Case kCases[] = {
    on_hub("session.welcome", "Hello is answered by one Welcome and the Intent of the down flow",
           {"SES-01", "SES-02", "FLOW-01", "FLOW-02"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->sync();
             require(zone->welcome_heard->version == 2, "SES-04: version of the range");
             require(zone->welcome_heard->generation >= 1, "SES-07: a generation");
             require(!zone->welcome_heard->types.empty(), "SES-06: Welcome names the types");
             require(zone->in.intents.size() == 1, "FLOW-02: one Intent for one Want");
           }),
    on_hub("session.sync-before-hello", "Any other packet before Hello is 4400", {"SES-02"},
           [](HubTest& t) {
             auto zone = t.connect();
             zone->say(wire::Sync{1});
             zone->expect_close(4400, "SES-02");
           }),
    on_hub("session.ack-before-hello", "A flow packet before Hello is 4400", {"SES-01", "SES-02"},
           [](HubTest& t) {
             auto zone = t.connect();
             zone->say(FlowId::down, wire::Ack{});
             zone->expect_close(4400, "SES-02");
           }),
    on_hub("session.second-hello", "A second Hello is 4400", {"SES-02"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->say(zone->hello_now());
             zone->expect_close(4400, "SES-02");
           }),
    on_hub("session.welcome-from-zone", "A Welcome that a zone sends is 4400", {"SES-02"},
           [](HubTest& t) {
             auto zone = t.join();
             wire::Welcome welcome = *zone->welcome_heard;
             zone->say(welcome);
             zone->expect_close(4400, "SES-02");
           }),
    on_hub("session.goodbye-before-hello", "Goodbye may come at any time", {"SES-02", "SES-03"},
           [](HubTest& t) {
             auto zone = t.connect();
             wire::Goodbye goodbye;
             goodbye.code = 1000;
             zone->say(goodbye);
             zone->say(zone->hello_now());
             const bool served = [&] {
               while (!zone->welcome_heard && zone->step()) {
               }
               return zone->welcome_heard.has_value() || zone->link().closed().has_value();
             }();
             require(served || zone->open(), "SES-02: Goodbye breaks no rule");
             const auto closed = zone->link().closed();
             require(!closed || closed->code != 4400, "SES-02: Goodbye before Hello is no 4400");
           }),
    on_hub("session.wrong-zone", "A Hello for another zone than the credential's is 4403",
           {"SES-01"},
           [](HubTest& t) {
             auto zone = t.connect("east");
             wire::Hello hello = zone->hello_now();
             hello.zone = t.name("west");
             zone->say(hello);
             zone->expect_close(4403, "SES-01");
           }),
    on_hub("session.no-common-version", "A version range without 2 is 4426", {"SES-04"},
           [](HubTest& t) {
             auto zone = t.connect();
             wire::Hello hello = zone->hello_now();
             hello.version_min = 7;
             hello.version_max = 9;
             zone->say(hello);
             zone->expect_close(4426, "SES-04");
           }),
    on_hub("session.version-range", "A range that holds 2 is answered with one version of it",
           {"SES-04"},
           [](HubTest& t) {
             auto zone = t.connect();
             wire::Hello hello = zone->hello_now();
             hello.version_min = 1;
             hello.version_max = 9;
             zone->say(hello);
             zone->await_welcome();
             const std::uint32_t version = zone->welcome_heard->version;
             require(version >= 1 && version <= 9, "SES-04: a version outside the range");
           }),
    on_hub("session.unknown-features", "Unknown features are ignored, granted ones a subset",
           {"SES-04"},
           [](HubTest& t) {
             auto zone = t.connect();
             wire::Hello hello = zone->hello_now();
             hello.features = {"no-such-feature", "another.one"};
             zone->say(hello);
             zone->await_welcome();
             for (const std::string& granted : zone->welcome_heard->features) {
               require(granted == "no-such-feature" || granted == "another.one",
                       "SES-04: a feature that was not offered: " + granted);
             }
             require(zone->welcome_heard->features.empty(), "SES-04: an unknown feature granted");
           }),
    on_hub("session.handshake-timeout", "A connection without Hello ends with 4408 in time",
           {"SES-05"},
           [](HubTest& t) {
             auto zone = t.connect();
             t.advance(11s);
             zone->expect_close(4408, "SES-05");
           }).needing({"clock"}),
    on_hub("session.same-instance",
           "The same instance replaces its own session and keeps its place",
           {"SES-07", "FLOW-18"},
           [](HubTest& t) {
             auto first = t.join();
             first->publish_durably({service(first->zone, "a")});
             auto second = t.redial(*first);
             second->handshake();
             require(second->welcome_heard->generation == first->welcome_heard->generation,
                     "SES-07: the same instance raises no generation");
             require(second->welcome_heard->up_cursor == first->out.acked,
                     "FLOW-18: up_cursor is what was acked");
             const CloseInfo info = first->wait_close();
             require(info.code != 4409, "SES-07: 4409 is final and for another instance");
             second->publish_durably({service(second->zone, "b")});
             require(t.names_of(second->zone) == std::vector<std::string>({"a", "b"}),
                     "the publication goes on");
           }).needing({"control"}),
    on_hub("session.same-instance-often",
           "However often an instance replaces its own session, it is no duplicate", {"SES-07"},
           [](HubTest& t) {
             auto last = t.join();
             for (int at = 0; at < 6; ++at) {   // of none the hub saw the end
               auto next = t.redial(*last);
               next->handshake();
               require(last->wait_close().code != 4409, "SES-07: 4409 is for another instance");
               last = std::move(next);
             }
             last->sync();
           }),
    on_hub("session.new-instance", "A new instance raises the generation and retires the old one",
           {"SES-07"},
           [](HubTest& t) {
             auto old = t.join();
             auto newer = t.connect();
             newer->hello.instance.id.bytes[0] = 2;
             newer->handshake();
             require(newer->welcome_heard->generation == old->welcome_heard->generation + 1,
                     "SES-07: the generation is raised by one");
             old->expect_close(4409, "SES-07");
             auto back = t.redial(*old);
             back->say(back->hello_now());
             back->expect_close(4409, "SES-07: a retired instance never comes back");
             newer->sync();
           }),
    on_hub("session.too-many-instances",
           "After three takeovers in the window newcomers are refused",
           {"SES-07"},
           [](HubTest& t) {
             auto last = t.join();
             for (std::uint8_t number = 2; number <= 4; ++number) {
               auto next = t.connect();
               next->hello.instance.id.bytes[0] = number;
               next->handshake();
               last->wait_close();
               last = std::move(next);
             }
             auto refused = t.connect();
             refused->hello.instance.id.bytes[0] = 99;
             refused->say(refused->hello_now());
             refused->expect_close(4429, "SES-07");
             require(refused->goodbye && refused->goodbye->retry_after_ms > 0,
                     "SES-07: with retry_after_ms");
             last->sync();
           }),
    on_hub("session.generation-survives-restart", "The generation survives a restart of the hub",
           {"SES-07"},
           [](HubTest& t) {
             auto old = t.join();
             auto newer = t.connect();
             newer->hello.instance.id.bytes[0] = 2;
             newer->handshake();
             const std::uint64_t generation = newer->welcome_heard->generation;
             t.restart();
             auto back = t.redial(*old);   // first, so that nobody tells the hub again
             back->say(back->hello_now());
             back->expect_close(4409, "SES-07: a retired instance after the restart");
             auto again = t.reconnect(*newer);
             require(again->welcome_heard->generation == generation,
                     "SES-07: the same instance, the same generation");
           }).needing({"restart"}),
    on_hub("session.sync-answered", "Syncs are answered in order with a head that does not go back",
           {"SES-09"},
           [](HubTest& t) {
             auto zone = t.join();
             for (std::uint64_t id = 50; id < 60; ++id) zone->say(wire::Sync{id});
             zone->wait("ten Synced", [&] { return zone->synced.size() == 10; });
             Revision last;
             for (std::size_t at = 0; at < 10; ++at) {
               require(zone->synced[at].id == 50 + at, "SES-09: in order");
               require(zone->synced[at].revision >= last, "SES-09: a head that goes back");
               last = zone->synced[at].revision;
             }
           }),
    on_hub("session.sync-covers-own-writes", "Sync behind a Mark covers that cut", {"SES-09"},
           [](HubTest& t) {
             auto east = t.join("east");
             auto west = t.join("west");
             east->out.log.write({service(east->zone, "mine")});
             east->start_up();
             east->push();
             const Revision covered = east->sync();
             west->wait("the covered revision",
                        [&] { return west->in.at_least(covered) || west->sync() >= covered; });
             require(west->in.replica.has(service(east->zone, "mine")),
                     "SES-09: Synced before the up cut was committed");
           }),
    on_hub("session.too-many-syncs", "More than 16 outstanding Syncs are 4413", {"SES-09"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->drain();
             std::string burst;
             for (std::uint64_t id = 1; id <= 40; ++id) wire::append(burst, wire::Sync{id});
             zone->send(burst);
             zone->expect_close(4413, "SES-09");
           }),
    on_hub("session.synced-from-zone", "A Synced that a zone sends is 4400", {"SES-09"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->say(wire::Synced{1, Revision{1}});
             zone->expect_close(4400, "SES-09");
           }),
    on_hub("session.idle-hub-marks", "An idle hub sends a Mark with the digest every 10 s",
           {"SES-08", "FLOW-30"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->sync();
             const std::size_t before = zone->in.idle_marks.size();
             t.advance(11s);
             zone->wait("an idle Mark (FLOW-30)",
                        [&] { return zone->in.idle_marks.size() > before; });
             require(zone->in.idle_marks.back().digest.has_value(), "FLOW-30: with the digest");
           }).needing({"clock"}),
    on_hub("session.silent-zone", "A zone that is silent for 45 s is closed with 4408", {"SES-08"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->sync();
             zone->in.auto_ack = false;
             t.advance(46s);
             zone->expect_close(4408, "SES-08");
           }).needing({"clock"}),
    on_hub("session.goodbye-first", "The hub says Goodbye with code and reason before it closes",
           {"SES-10"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->say(zone->hello_now());
             zone->expect_close(4400, "SES-02");
             require(zone->goodbye.has_value(), "SES-10: no Goodbye before the close");
             require(!zone->goodbye->reason.empty(), "SES-10: a Goodbye without a reason");
             require(zone->goodbye->reason.size() <= 123, "SES-10: a reason over 123 bytes");
           }),
    on_hub("session.two-zones", "Two zones have a session each, and both see each other's services",
           {"SES-07", "FLOW-09"},
           [](HubTest& t) {
             auto east = t.join("east");
             auto west = t.join("west");
             east->publish_durably({service(east->zone, "e")});
             west->publish_durably({service(west->zone, "w")});
             east->sync();
             west->sync();
             require(east->in.replica.has(service(west->zone, "w")), "west's service at east");
             require(west->in.replica.has(service(east->zone, "e")), "east's service at west");
             require(!east->in.replica.has(service(east->zone, "e")),
                     "FLOW-09: a zone's own origin comes back to it");
           }),
};

}  // namespace

Group session_hub() { return kCases; }

}  // namespace zonesync::conform::cases

// Cursors, eras and resuming: what a hub answers to what a zone says it has.
#include "conformance/suite/cases/groups.hpp"

namespace zonesync::conform::cases {
namespace {

using wire::IntentReason;

/// One session that synced, and the answer to a cursor that differs by `edit` from its own.
wire::Intent answer_to(HubTest& t, const std::function<void(Cursor&)>& edit) {
  t.put({policy("a"), policy("b")});
  auto zone = t.join();
  zone->sync();
  auto second = t.redial(*zone);
  edit(*second->in.cursor);
  second->handshake();
  second->sync();
  t.expect_replica(*second, {policy("a"), policy("b")});
  return second->in.intents.front();
}

const Case kCases[] = {
    on_hub("cursor.first-contact-is-full", "Without a cursor the answer is full with `no_cursor`",
           {"FLOW-02"},
           [](HubTest& t) {
             t.put({policy("a")});
             auto zone = t.join();
             const wire::Intent& intent = zone->in.intents.front();
             require(intent.reason == IntentReason::full, "FLOW-02: full without a cursor");
             require(intent.why == "no_cursor", "FLOW-02: why is no_cursor, not " + intent.why);
             zone->sync();
             t.expect_replica(*zone, {policy("a")});
           }).needing({"control"}),
    on_hub("cursor.resume-none", "A cursor at the head is answered with none and costs no change",
           {"FLOW-02"},
           [](HubTest& t) {
             t.put({policy("a")});
             auto zone = t.join();
             zone->sync();
             zone->cut();
             auto second = t.reconnect(*zone);
             second->sync();
             require(second->in.intents.front().reason == IntentReason::none, "FLOW-02: none");
             require(second->in.changes() == 0, "P3: changes although nothing was missed");
             t.expect_replica(*second, {policy("a")});
           }).needing({"control"}),
    on_hub("cursor.resume-changes", "Reconnecting costs what changed since the cursor",
           {"FLOW-02", "FLOW-05"},
           [](HubTest& t) {
             t.put({policy("a"), policy("b"), policy("c")});
             auto zone = t.join();
             zone->sync();
             zone->cut();
             t.put({policy("b", "2s")});
             t.remove({policy("c")});
             auto second = t.reconnect(*zone);
             second->sync();
             require(second->in.intents.front().reason == IntentReason::changes,
                     "FLOW-02: changes");
             if (t.mode == Mode::delta) {
               require(second->in.changes() == 2, "P3: exactly the missed changes");
             }
             t.expect_replica(*second, {policy("a"), policy("b", "2s")});
           }).needing({"control"}),
    on_hub("cursor.unknown-era", "A cursor of an unknown era is answered in full", {"FLOW-02"},
           [](HubTest& t) {
             const auto intent = answer_to(t, [](Cursor& c) { c.era.id.bytes[3] ^= 0xff; });
             require(intent.reason == IntentReason::full && intent.why == "unknown_era",
                     "FLOW-02: full because of unknown_era, not " + intent.why);
           }).needing({"control"}),
    on_hub("cursor.beyond-era", "A cursor beyond the log is answered in full", {"FLOW-02"},
           [](HubTest& t) {
             const auto intent = answer_to(t, [](Cursor& c) { c.revision.value += 1'000; });
             require(intent.reason == IntentReason::full && intent.why == "beyond_era",
                     "FLOW-02: full because of beyond_era, not " + intent.why);
           }).needing({"control"}),
    on_hub("cursor.other-view", "A cursor of another view is answered in full", {"FLOW-02"},
           [](HubTest& t) {
             const auto intent = answer_to(t, [](Cursor& c) { c.view.id.bytes[3] ^= 0xff; });
             require(intent.reason == IntentReason::full || intent.reason == IntentReason::repair,
                     "FLOW-02: an unknown view needs everything or a repair");
           }).needing({"control"}),
    on_hub("cursor.want-again", "A Want in the middle of a session is answered by one Intent",
           {"FLOW-01", "FLOW-02", "FLOW-04"},
           [](HubTest& t) {
             t.put({policy("a")});
             auto zone = t.join();
             zone->sync();
             zone->send(zone->in.want(false, "asked_again", zone->in.cursor));
             zone->wait("a second Intent", [&] { return zone->in.intents.size() == 2; });
             require(zone->in.intents.back().reason == IntentReason::none, "FLOW-02: none");
             t.put({policy("b")});
             zone->sync();
             t.expect_replica(*zone, {policy("a"), policy("b")});
           }).needing({"control"}),
    on_hub("cursor.force-full", "force_full is answered in full, with the Want's word", {"FLOW-02"},
           [](HubTest& t) {
             t.put({policy("a")});
             auto zone = t.join();
             zone->sync();
             zone->send(zone->in.want(true, "digest_mismatch", zone->in.cursor));
             zone->wait("a second Intent", [&] { return zone->in.intents.size() == 2; });
             require(zone->in.intents.back().reason == IntentReason::full, "FLOW-02: full");
             require(zone->in.intents.back().why == "digest_mismatch",
                     "FLOW-02: why is the word of the Want");
             zone->sync();
             t.expect_replica(*zone, {policy("a")});
           }).needing({"control"}),
    on_hub("cursor.resume-after-restart", "A restart of the hub keeps cursors valid",
           {"FLOW-02", "FLOW-21"},
           [](HubTest& t) {
             t.put({policy("a")});
             auto zone = t.join();
             zone->sync();
             t.restart();
             t.put({policy("b")});
             auto second = t.reconnect(*zone);
             second->sync();
             require(second->in.intents.front().reason == IntentReason::changes,
                     "FLOW-02: a cursor of an earlier era that is in the list stays valid");
             t.expect_replica(*second, {policy("a"), policy("b")});
           }).needing({"control", "restart"}),
    on_hub("cursor.many-eras", "A cursor of an era several restarts ago stays valid", {"FLOW-02"},
           [](HubTest& t) {
             t.put({policy("a")});
             auto zone = t.join();
             zone->sync();
             for (int at = 0; at < 3; ++at) t.restart();
             auto second = t.reconnect(*zone);
             second->sync();
             require(second->in.intents.front().reason != IntentReason::full,
                     "FLOW-02: full although the era is in the list");
           }).needing({"control", "restart"}),
    on_hub("cursor.lost-tail", "A hub that lost its tail is noticed by the cursors that saw it",
           {"FLOW-02", "FLOW-16"},
           [](HubTest& t) {
             t.put({policy("kept")});
             auto zone = t.join();
             t.put({policy("lost")});
             zone->sync();
             t.fault("lose-tail", 1);
             t.put({policy("other")});
             auto second = t.reconnect(*zone);
             second->sync();
             require(second->in.intents.front().reason == IntentReason::full,
                     "FLOW-02: beyond its era the cursor is not valid");
             t.expect_replica(*second, {policy("kept"), policy("other")});
           }).needing({"control", "lose-tail"}),
    on_hub("cursor.below-tombstones",
           "A cursor below the tombstone floor is not resumed by changes",
           {"FLOW-02"},
           [](HubTest& t) {
             t.put({policy("a"), policy("b")});
             auto zone = t.join();
             zone->sync();
             zone->cut();
             t.remove({policy("b")});
             t.put({policy("c")});
             t.fault("trim");
             auto second = t.reconnect(*zone);
             second->sync();
             const IntentReason reason = second->in.intents.front().reason;
             require(reason == IntentReason::full || reason == IntentReason::repair,
                     "FLOW-02: the leave of b is gone, changes alone cannot tell");
             t.expect_replica(*second, {policy("a"), policy("c")});
           }).needing({"control", "trim"}),
    on_hub("cursor.trimmed-but-valid",
           "Trimming superseded versions keeps cursors valid, and the leaves that zones need",
           {"FLOW-02", "FLOW-05", "FLOW-12"},
           [](HubTest& t) {
             for (int at = 0; at < 5; ++at) t.put({policy("a", std::to_string(at) + "s")});
             t.put({policy("b")});
             auto zone = t.join();
             zone->sync();
             zone->cut();
             t.remove({policy("b")});
             t.fault("trim", 1);
             t.restart();               // what it reads now comes from the disk
             t.put({policy("a", "9s"), policy("c")});
             auto second = t.reconnect(*zone);
             second->sync();
             t.expect_replica(*second, {policy("a", "9s"), policy("c")});
           }).needing({"control", "trim", "restart"}),
    on_hub("cursor.intent-facts", "Intent names log, completeness, view and head", {"FLOW-02"},
           [](HubTest& t) {
             const Revision revision = t.put({policy("a")});
             auto zone = t.join();
             const wire::Intent& intent = zone->in.intents.front();
             require(intent.log_id == zone->welcome_heard->hub_id, "the log is the hub's");
             require(intent.view == zone->welcome_heard->down_view, "the view is the granted one");
             require(intent.head >= revision, "the head when it was decided");
           }).needing({"control"}),
};

}  // namespace

Group cursor_hub() { return kCases; }

}  // namespace zonesync::conform::cases

// Cuts a client takes in: atomicity, order, marks, digests, guards.
#include "conformance/suite/cases/groups.hpp"

namespace zonesync::conform::cases {
namespace {

using wire::FlowId;

void send_all(HubPeer& hub, const std::vector<std::string>& packets) {
  for (const std::string& packet : packets) hub.send(packet);
}

/// A client at rest with `a`, and one cut after it whose Mark `edit` changes; 4400 follows.
void expect_mark_refused(ZoneTest& t, const std::function<void(wire::Mark&)>& edit,
                         const std::string& why) {
  auto hub = t.join({policy("a")});
  const Cursor from = *hub->acked();
  const Revision revision = hub->out.log.write({policy("b")});
  send_all(*hub, hub->out.item_packets({revision, upsert_of(policy("b"))}));
  wire::Mark mark = hub->out.mark(from, revision, 1);
  edit(mark);
  hub->say(FlowId::down, mark);
  hub->expect_close(4400, why);
  t.expect_store({policy("a")});
}

const Case kCases[] = {
    on_zone("apply.whole-cut-at-mark", "Nothing of a cut is visible before its Mark",
            {"FLOW-10", "FLOW-14"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              const Cursor from = *hub->acked();
              const Revision revision = hub->out.log.write({policy("b"), policy("c")},
                  {policy("a")});
              for (const LogItem& item : hub->out.log.after(from.revision)) {
                send_all(*hub, hub->out.item_packets(item));
              }
              hub->drain();
              t.expect_store({policy("a")});
              hub->send(hub->out.mark_packet(from, revision, 3));
              hub->await_durable();
              t.expect_store({policy("b"), policy("c")});
            }).in(Modes::delta),
    on_zone("apply.many-cuts",
            "Creates, updates and removes over many cuts", {"FLOW-05", "FLOW-10"},
            [](ZoneTest& t) {
              auto hub = t.join();
              for (int at = 0; at < 15; ++at) {
                hub->write({policy("p" + std::to_string(at % 4), std::to_string(at) + "s")},
                           at % 4 == 3 ? std::vector<Resource>{policy("p1")}
                                       : std::vector<Resource>{});
              }
              hub->await_durable();
              t.expect_store({policy("p0", "12s"), policy("p1", "13s"), policy("p2", "14s"),
                              policy("p3", "11s")});
            }),
    on_zone("apply.later-entry-wins", "For one key the later entry of a cut wins", {"FLOW-05"},
            [](ZoneTest& t) {
              auto hub = t.join();
              const Cursor from = *hub->acked();
              hub->out.log.write({policy("a", "1s"), policy("b")});
              hub->out.log.write({policy("a", "2s")}, {policy("b")});
              hub->push();
              hub->await_durable();
              t.expect_store({policy("a", "2s")});
              require(hub->acked()->revision.value == from.revision.value + 2, "one cut");
            }),
    on_zone("apply.moved-class",
            "A leave of the old class and an upsert of the new one keep the key",
            {"FLOW-06"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a", "1s")});
              Change old = upsert_of(policy("a", "1s"));
              Class other = old.cls;
              other.tag = "team=x";
              hub->out.log.write({wire::make_leave(old.cls, old.key),
                                  wire::make_upsert(other, policy("a", "2s"))});
              hub->push();
              hub->await_durable();
              t.expect_store({policy("a", "2s")});
            }).in(Modes::delta),
    on_zone("apply.revision-back-in-cut", "Revisions that decrease inside a cut are 4400",
            {"FLOW-05"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              const Revision head = hub->out.log.head;
              send_all(*hub, hub->out.item_packets({Revision{head.value + 3},
                                                    upsert_of(policy("b"))}));
              send_all(*hub, hub->out.item_packets({Revision{head.value + 2},
                                                    upsert_of(policy("c"))}));
              hub->expect_close(4400, "FLOW-05");
              t.expect_store({policy("a")});
            }).in(Modes::delta),
    on_zone("apply.revision-before-from", "A change at or before the cut's from is 4400",
            {"FLOW-05"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              send_all(*hub, hub->out.item_packets({hub->out.log.head, upsert_of(policy("b"))}));
              hub->expect_close(4400, "FLOW-05");
            }).in(Modes::delta),
    on_zone("apply.mark-from-elsewhere", "A Mark whose from is not the cursor is 4400",
            {"FLOW-10"},
            [](ZoneTest& t) {
              expect_mark_refused(t, [](wire::Mark& mark) { ++mark.from->revision.value; },
                                  "FLOW-10");
            }).in(Modes::delta),
    on_zone("apply.mark-without-from", "A Mark without from that is not full is 4400", {"FLOW-10"},
            [](ZoneTest& t) {
              expect_mark_refused(t, [](wire::Mark& mark) { mark.from.reset(); }, "FLOW-10");
            }).in(Modes::delta),
    on_zone("apply.mark-wrong-count", "A Mark with another count of changes is 4400", {"FLOW-11"},
            [](ZoneTest& t) {
              expect_mark_refused(t, [](wire::Mark& mark) { mark.changes = 2; }, "FLOW-11");
            }).in(Modes::delta),
    on_zone("view.mark-moves-the-view", "A Mark to another view is acked in that view",
            {"VIEW-01", "FLOW-11"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              const Cursor from = *hub->acked();
              hub->out.view.id.bytes[0] ^= 1;
              const Revision revision = hub->out.log.write({policy("b")});
              send_all(*hub, hub->out.item_packets({revision, upsert_of(policy("b"))}));
              hub->send(hub->out.mark_packet(from, revision, 1));
              hub->await_durable();
              require(hub->acked()->view == hub->out.view, "VIEW-01: the view after the cut");
              t.expect_store({policy("a"), policy("b")});
            }).needing({"views"}).in(Modes::delta),
    on_zone("apply.mark-before-change", "A Mark below a change of its cut is 4400", {"FLOW-11"},
            [](ZoneTest& t) {
              expect_mark_refused(t, [](wire::Mark& mark) { --mark.to.revision.value; }, "FLOW-11");
            }).in(Modes::delta),
    on_zone("apply.full-without-digest", "A full cut without a digest is 4400", {"FLOW-13"},
            [](ZoneTest& t) {
              auto hub = t.meet();
              hub->out.log.write({policy("a")});
              hub->welcome_only();
              hub->send(hub->out.intent_packet(std::nullopt));
              send_all(*hub, hub->out.item_packets({Revision{1}, upsert_of(policy("a"))}));
              wire::Mark mark = hub->out.mark(std::nullopt, Revision{1}, 1);
              mark.digest.reset();
              hub->say(FlowId::down, mark);
              hub->expect_close(4400, "FLOW-13");
              t.expect_store({});
            }).in(Modes::delta),
    on_zone("apply.idle-mark-writes-nothing", "A Mark with from = to writes nothing", {"FLOW-30"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              for (int at = 0; at < 3; ++at) {
                hub->send(hub->out.mark_packet(hub->acked(), hub->out.log.head, 0));
              }
              hub->drain();
              t.expect_store({policy("a")});
              require(hub->open(), "FLOW-30: an idle Mark breaks nothing");
            }),
    on_zone("digest.mismatch-asks-again", "A digest that differs wipes nothing and asks in full",
            {"FLOW-14", "FLOW-15"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              hub->auto_answer = false;
              const Cursor from = *hub->acked();
              const Revision revision = hub->out.log.write({policy("b")});
              send_all(*hub, hub->out.item_packets({revision, upsert_of(policy("b"))}));
              wire::Mark mark = hub->out.mark(from, revision, 1);
              mark.digest->low ^= 1;
              hub->say(FlowId::down, mark);
              hub->wait("a Want", [&] { return !hub->out.wants.empty(); });
              require(hub->out.wants.back().why == "digest_mismatch", "FLOW-15: why");
              t.expect_store({policy("a")});
              hub->answer();
              hub->await_durable();
              t.expect_store({policy("a"), policy("b")});
            }).in(Modes::delta),
    on_zone("digest.idle-mismatch", "A wrong digest of an idle Mark is noticed too",
            {"FLOW-14", "FLOW-15"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              hub->auto_answer = false;
              wire::Mark mark = hub->out.mark(hub->acked(), hub->out.log.head, 0);
              mark.digest->count += 1;
              hub->say(FlowId::down, mark);
              hub->wait("a Want", [&] { return !hub->out.wants.empty(); });
              t.expect_store({policy("a")});
            }),
    on_zone("digest.three-mismatches-hold", "The third mismatch in a row becomes a Hold `digest`",
            {"FLOW-15", "FLOW-31"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              hub->auto_answer = false;
              hub->out.log.write({policy("b")});
              for (int round = 0; round < 4 && hub->out.holds.empty(); ++round) {
                const std::size_t before = hub->out.wants.size();
                const bool full = !hub->out.wants.empty();
                if (full) hub->send(hub->out.intent_packet(std::nullopt, "asked"));
                auto cut = hub->out.next_cut();
                wire::Mark mark = hub->out.mark(
                    full ? std::nullopt : hub->acked(), hub->out.log.head,
                    hub->out.log.after(full ? Revision{} : hub->acked()->revision).size());
                mark.digest->high ^= 3;
                cut.back().clear();
                wire::append(cut.back(), FlowId::down, mark);
                hub->send_packets(cut);
                hub->wait("a Want or a Hold", [&] {
                  return hub->out.wants.size() > before || !hub->out.holds.empty();
                });
              }
              require(!hub->out.holds.empty(), "FLOW-15: it asks for ever");
              require(hub->out.holds.back().reason == "digest", "FLOW-15: Hold `digest`");
              t.expect_store({policy("a")});
              t.wait_status(*hub, "held by digest",
                            [](const ClientFacts& f) { return f.held == "digest"; });
            }).in(Modes::delta),
    on_zone("guard.partial-log-removes-nothing", "A full cut of a partial log removes nothing",
            {"FLOW-16"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a"), policy("b")});
              hub->cut();
              PeerLog partial(8, false);
              partial.write({policy("b", "2s"), policy("c")});
              auto second = t.next_of_other_hub(*hub, partial);
              second->handshake();
              second->await_durable();
              t.expect_store({policy("a"), policy("b", "2s"), policy("c")});
            }),
    on_zone("guard.complete-again-settles", "Once the log is complete, what was kept is settled",
            {"FLOW-16"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a"), policy("b")});
              hub->cut();
              PeerLog log(8, false);
              log.write({policy("b")});
              auto second = t.next_of_other_hub(*hub, log);
              second->handshake();
              second->await_durable();
              second->cut();
              log.complete = true;
              auto third = t.next_of_other_hub(*second, log);
              third->handshake();
              third->await_durable();
              t.wait_until(*third, "what was kept is settled",
                           [&] { return t.stored().size() == 1; });
              t.expect_store({policy("b")});
            }),
    on_zone("guard.mass-delete-held", "A full cut that removes most of much is held until approved",
            {"FLOW-17", "FLOW-31", "FLOW-32"},
            [](ZoneTest& t) {
              std::vector<Resource> many;
              for (int at = 0; at < 150; ++at) many.push_back(policy("m" + std::to_string(at)));
              auto hub = t.join(many);
              hub->cut();
              PeerLog small(9, true);
              small.write({policy("m0")});
              auto second = t.next_of_other_hub(*hub, small);
              second->handshake();
              second->wait("Hold", [&] { return !second->out.holds.empty(); });
              require(second->out.holds.back().reason == "mass_delete", "FLOW-17: the reason");
              require(t.stored().size() == 150, "FLOW-17: nothing is removed before the word");
              require(second->open(), "FLOW-31: the session stays alive");
              t.call(t.zone->approve_mass_delete(), "approve_mass_delete");
              second->await_durable();
              t.expect_store({policy("m0")});
            }).needing({"approve"}),
    on_zone("guard.small-replica-not-held", "Removing most of few is not held", {"FLOW-17"},
            [](ZoneTest& t) {
              std::vector<Resource> few;
              for (int at = 0; at < 60; ++at) few.push_back(policy("m" + std::to_string(at)));
              auto hub = t.join(few);
              hub->cut();
              PeerLog small(9, true);
              small.write({policy("m0")});
              auto second = t.next_of_other_hub(*hub, small);
              second->handshake();
              second->await_durable();
              t.expect_store({policy("m0")});
            }),
    on_zone("guard.leaves-never-held", "Logged leaves are applied, however many", {"FLOW-17"},
            [](ZoneTest& t) {
              std::vector<Resource> many;
              for (int at = 0; at < 150; ++at) many.push_back(policy("m" + std::to_string(at)));
              auto hub = t.join(many);
              hub->write_durably({}, many);
              t.expect_store({});
            }),
    on_zone("large.client-parts", "A resource in parts is applied whole", {"FLOW-07"},
            [](ZoneTest& t) {
              auto hub = t.join();
              const Resource big = big_policy("big", 900'000);
              hub->write_durably({big, policy("small")});
              t.expect_store({big, policy("small")});
            }),
    on_zone("large.eight-mebibytes", "A resource of 8 MiB is applied", {"FLOW-07", "FLOW-08"},
            [](ZoneTest& t) {
              auto hub = t.join();
              const Resource big = big_policy("big", (8u << 20) - 64);
              hub->write_durably({big});
              t.expect_store({big});
            }),
    on_zone("large.series-too-short", "A series of Parts that is shorter than it said is 4400",
            {"FLOW-07"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              const Revision next = hub->out.log.head.next();
              auto packets = hub->out.item_packets({next, upsert_of(big_policy("b", 300'000))});
              hub->send(packets[0]);
              hub->send(hub->out.mark_packet(hub->acked(), next, 1));
              hub->expect_close(4400, "FLOW-07");
              t.expect_store({policy("a")});
            }).in(Modes::delta),
    on_zone("large.too-large",
            "A series over the limit is refused with 1009", {"FLOW-07", "FLOW-08"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              wire::Part part;
              part.count = 100;
              part.total_bytes = 100ull * limits::kPartBytes;
              part.bytes = std::string(1'000, 'x');
              std::string out;
              wire::append(out, FlowId::down, hub->out.log.head.next(), part);
              hub->send(out);
              hub->expect_close(1009, "FLOW-07");
            }).in(Modes::delta),
};

}  // namespace

Group cut_zone() { return kCases; }

}  // namespace zonesync::conform::cases

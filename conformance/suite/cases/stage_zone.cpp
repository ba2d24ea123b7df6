// Interrupted cuts at a client: it names how far it staged, and goes on there.
#include "conformance/suite/cases/groups.hpp"

namespace zonesync::conform::cases {
namespace {

using wire::FlowId;
using wire::Staged;

const wire::Features kResume{.resume = true};

void send_all(HubPeer& hub, const std::vector<std::string>& packets) {
  for (const std::string& packet : packets) hub.send(packet);
}

/// Sends the items of the log from `begin`, and waits until the client has taken them in.
void send_items(HubPeer& hub, std::size_t begin, std::size_t count) {
  const auto items = hub.out.log.after({});
  for (std::size_t at = begin; at < begin + count; ++at) {
    send_all(hub, hub.out.item_packets(items[at]));
  }
  hub.wait("received_bytes of all data (FLOW-23)",
           [&] { return hub.out.received_bytes == hub.out.sent_bytes; });
}

/// A first sync of a | b c | d, a transaction each, of which the first `count` arrive.
std::unique_ptr<HubPeer> first_sync(ZoneTest& t, std::size_t count,
                                    wire::Features grant = kResume) {
  auto hub = t.meet();
  hub->grant = grant;
  hub->auto_answer = false;
  hub->out.log.write({policy("a")});
  hub->out.log.write({policy("b"), policy("c")});
  hub->out.log.write({policy("d")});
  hub->welcome_only();
  hub->send(hub->out.intent_packet(std::nullopt));
  send_items(*hub, 0, count);
  return hub;
}

const std::vector<Resource>& all_four() {
  static const std::vector<Resource> all{policy("a"), policy("b"), policy("c"), policy("d")};
  return all;
}

Staged place_of(const HubPeer& hub, Revision revision, std::uint64_t changes, bool full) {
  return {hub.out.at(revision), changes, full, Revision{}};
}

/// The client's next connection after this hub cut the old one, with Hello heard.
std::unique_ptr<HubPeer> back(ZoneTest& t, HubPeer& old) {
  auto hub = t.again(old);
  hub->grant = old.grant;
  hub->auto_answer = false;
  hub->await_hello();
  return hub;
}

/// The place that Hello names.
Staged named(const HubPeer& hub) {
  require(hub.hello_heard->staged.has_value(), "STG-01: Hello names no place");
  return *hub.hello_heard->staged;
}

/// `changed` as Intent.resumed, while the client named another place, or none.
void expect_refused(HubPeer& hub, const Staged& changed, const std::string& why) {
  hub.welcome_only();
  hub.say(FlowId::down, hub.out.resumed_intent(changed, hub.hello_heard->down_cursor));
  hub.expect_close(4400, "STG-04: " + why);
}

/// Wants everything because of `cause`, and names no place for it.
void expect_everything(HubPeer& hub, const std::string& cause) {
  hub.wait("Want", [&] { return !hub.out.wants.empty(); });
  require(!hub.out.wants.back().staged, "STG-05: a place is named after " + cause);
  hub.answer();
  hub.await_durable();
}

/// Nothing of an open cut is acknowledged or visible.
void expect_invisible(ZoneTest& t, const HubPeer& hub) {
  for (const wire::Ack& ack : hub.out.acks) {
    require(!ack.cursor, "STG-07: acknowledged, and only staged");
  }
  t.expect_store({});
}

const Case kCases[] = {
    on_zone("stage.client-names-place", "Hello names how far an interrupted first sync came",
            {"STG-01", "STG-06"},
            [](ZoneTest& t) {
              auto hub = first_sync(t, 3);
              auto second = back(t, *hub);
              require(named(*second) == place_of(*hub, Revision{2}, 2, true),
                      "STG-01: another place than what was sent");
              require(!second->hello_heard->down_cursor, "STG-07: a cursor of an open cut");
            }),
    on_zone("stage.client-place-inside-revision", "The place may lie inside a revision",
            {"STG-01", "STG-03"},
            [](ZoneTest& t) {
              auto hub = first_sync(t, 2);
              auto second = back(t, *hub);
              const Staged place = named(*second);
              require(place == place_of(*hub, Revision{2}, 1, true), "STG-01: another place");
              second->welcome_only();
              second->send_packets(second->out.rest_of_cut(place, std::nullopt));
              second->await_durable();
              require(second->out.wants.empty(), "STG-03: what was staged is not used");
              t.expect_store(all_four());
            }),
    on_zone("stage.client-revision-again", "With `changes` 0 the last revision comes again",
            {"STG-03"},
            [](ZoneTest& t) {
              auto hub = first_sync(t, 2);
              auto second = back(t, *hub);
              Staged place = named(*second);
              place.changes = 0;
              second->welcome_only();
              second->send_packets(second->out.rest_of_cut(place, std::nullopt));
              second->await_durable();
              require(second->out.wants.empty(), "STG-03: what was staged is not used");
              t.expect_store(all_four());
            }),
    on_zone("stage.client-catch-up", "An interrupted catch-up goes on too", {"STG-01", "STG-03"},
            [](ZoneTest& t) {
              auto hub = first_sync(t, 4);
              hub->send(hub->out.mark_packet(std::nullopt, hub->out.log.head, 4));
              hub->await_durable();
              const Cursor held = *hub->acked();
              hub->out.log.write({policy("e")}, {policy("a")});
              hub->out.log.write({policy("f")});
              send_items(*hub, 4, 2);
              auto second = back(t, *hub);
              const Staged place = named(*second);
              require(place == place_of(*hub, Revision{4}, 2, false), "STG-01: another place");
              require(second->hello_heard->down_cursor == held, "FLOW-21: the cursor as it was");
              second->welcome_only();
              second->send_packets(second->out.rest_of_cut(place, held));
              second->await_durable();
              t.expect_store({policy("b"), policy("c"), policy("d"), policy("e"), policy("f")});
            }),
    on_zone("stage.client-parts", "A series of Parts that broke off comes again",
            {"STG-01", "FLOW-07"},
            [](ZoneTest& t) {
              auto hub = first_sync(t, 4);
              const Resource big = big_policy("e", 500'000);
              const Revision revision = hub->out.log.write({big});
              const auto parts = hub->out.item_packets({revision, upsert_of(big)});
              require(parts.size() > 2, "suite: a series");
              send_all(*hub, {parts[0], parts[1]});
              hub->wait("received_bytes of all data (FLOW-23)",
                        [&] { return hub->out.received_bytes == hub->out.sent_bytes; });
              auto second = back(t, *hub);
              const Staged place = named(*second);
              require(place == place_of(*hub, Revision{3}, 1, true), "STG-01: another place");
              second->welcome_only();
              second->send_packets(second->out.rest_of_cut(place, std::nullopt));
              second->await_durable();
              auto expected = all_four();
              expected.push_back(big);
              t.expect_store(expected);
            }),
    on_zone("stage.client-again-and-again", "The place moves on with every interruption",
            {"STG-01", "STG-03"},
            [](ZoneTest& t) {
              auto hub = first_sync(t, 1);
              auto second = back(t, *hub);
              const Staged first_place = named(*second);
              second->out.log.era.id.bytes[5] ^= 0x3c;   // the hub was restarted since
              second->welcome_only();
              second->say(FlowId::down, second->out.resumed_intent(first_place, std::nullopt));
              send_items(*second, 1, 1);
              auto third = back(t, *second);
              const Staged place = named(*third);
              require(place == place_of(*second, Revision{2}, 1, true),
                      "STG-01: the era is that of the Intent that went on");
              third->welcome_only();
              third->send_packets(third->out.rest_of_cut(place, std::nullopt));
              third->await_durable();
              t.expect_store(all_four());
            }),
    on_zone("stage.client-anew", "An Intent without `resumed` voids what was staged",
            {"STG-04", "FLOW-04"},
            [](ZoneTest& t) {
              auto hub = first_sync(t, 3);
              hub->cut();
              PeerLog other(9, true);
              other.write({policy("b", "2s"), policy("e")});
              auto second = t.next_of_other_hub(*hub, other);
              second->grant = kResume;
              second->handshake();
              second->await_durable();
              require(second->out.wants.empty(), "STG-04: the digest was found to differ");
              t.expect_store({policy("b", "2s"), policy("e")});
            }),
    on_zone("stage.client-other-place", "`resumed` that the client did not say is 4400",
            {"STG-04"},
            [](ZoneTest& t) {
              auto hub = first_sync(t, 3);
              const std::vector<std::pair<std::string, std::function<void(Staged&)>>> changes{
                  {"a later revision", [](Staged& s) { ++s.at.revision.value; }},
                  {"an earlier revision", [](Staged& s) { --s.at.revision.value; }},
                  {"more changes", [](Staged& s) { ++s.changes; }},
                  {"fewer changes", [](Staged& s) { --s.changes; }},
                  {"another era", [](Staged& s) { s.at.era.id.bytes[7] ^= 1; }},
                  {"another kind", [](Staged& s) { s.full = !s.full; }}};
              for (const auto& [why, edit] : changes) {
                hub = back(t, *hub);
                Staged place = named(*hub);
                edit(place);
                expect_refused(*hub, place, why);
              }
              t.expect_store({});
            }),
    on_zone("stage.client-nothing-named", "`resumed` for a client that named no place is 4400",
            {"STG-04"},
            [](ZoneTest& t) {
              auto hub = t.meet();
              hub->grant = kResume;
              hub->out.log.write({policy("a")});
              hub->out.log.write({policy("b")});
              hub->await_hello();
              expect_refused(*hub, place_of(*hub, Revision{1}, 1, true), "nothing was named");
              t.expect_store({});
            }),
    on_zone("stage.client-mark-without-digest", "A resumed cut without a digest is 4400",
            {"STG-04"},
            [](ZoneTest& t) {
              auto hub = first_sync(t, 4);
              hub->send(hub->out.mark_packet(std::nullopt, hub->out.log.head, 4));
              hub->await_durable();
              const Cursor held = *hub->acked();
              hub->out.log.write({policy("e")});
              hub->out.log.write({policy("f")});
              send_items(*hub, 4, 1);
              auto second = back(t, *hub);
              const Staged place = named(*second);
              second->welcome_only();
              second->say(FlowId::down, second->out.resumed_intent(place, held));
              send_items(*second, 5, 1);
              wire::Mark mark = second->out.mark(held, second->out.log.head, 1);
              mark.digest.reset();
              second->say(FlowId::down, mark);
              second->expect_close(4400, "STG-04");
              t.expect_store(all_four());
            }),
    on_zone("stage.client-digest-differs", "A resumed cut that is wrong is wanted anew",
            {"STG-05", "STG-08", "FLOW-15"},
            [](ZoneTest& t) {
              auto hub = first_sync(t, 3);
              auto second = back(t, *hub);
              const Staged place = named(*second);
              second->welcome_only();
              second->say(FlowId::down, second->out.resumed_intent(place, std::nullopt));
              send_items(*second, 3, 1);
              wire::Mark mark = second->out.mark(std::nullopt, second->out.log.head, 1);
              mark.digest->low ^= 1;
              second->say(FlowId::down, mark);
              second->wait("Want (FLOW-15)", [&] { return !second->out.wants.empty(); });
              expect_invisible(t, *second);
              expect_everything(*second, "a digest that differs");
              t.expect_store(all_four());
            }),
    on_zone("stage.client-resync", "A Want of everything because someone said so names no place",
            {"STG-05", "FLOW-34"},
            [](ZoneTest& t) {
              auto hub = first_sync(t, 3);
              hub->say(FlowId::down, wire::Hold{"resync", "", false});
              hub->wait("Want (FLOW-34)", [&] { return !hub->out.wants.empty(); });
              require(hub->out.wants.back().force_full, "FLOW-34: everything");
              expect_everything(*hub, "a resync");
              t.expect_store(all_four());
            }),
    on_zone("stage.client-invisible", "What is staged is neither visible nor acknowledged",
            {"STG-07", "FLOW-14"},
            [](ZoneTest& t) {
              auto hub = first_sync(t, 4);
              expect_invisible(t, *hub);
              require(t.status().revision == 0, "STG-07: a revision of an open cut");
              auto second = back(t, *hub);
              second->welcome_only();
              second->say(FlowId::down, second->out.resumed_intent(named(*second), std::nullopt));
              second->drain();
              expect_invisible(t, *second);
              second->send(second->out.mark_packet(std::nullopt, second->out.log.head, 0));
              second->await_durable();
              t.expect_store(all_four());
            }),
    on_zone("stage.client-after-restart", "A restart loses nothing but what was staged, if that",
            {"STG-07", "STG-08"},
            [](ZoneTest& t) {
              auto hub = t.meet();
              hub->grant = kResume;
              hub->welcome_only();
              std::vector<Resource> all;
              for (int at = 0; at < 8; ++at) {
                all.push_back(big_policy("b" + std::to_string(at), 30'000));
                hub->out.log.write({all.back()});
              }
              hub->send(hub->out.intent_packet(std::nullopt));
              send_items(*hub, 0, 7);
              t.call(t.zone->restart(), "restart");
              t.expect_store({});
              auto second = t.next(*hub);
              second->grant = kResume;
              second->welcome_only();
              const auto place = second->hello_heard->staged;
              require(!place || place->at.revision <= Revision{7}, "STG-07: more than was sent");
              if (place) {
                second->send_packets(second->out.rest_of_cut(*place, std::nullopt));
              } else {
                second->answer();
              }
              second->await_durable();
              require(second->out.wants.empty(), "STG-08: the digest was found to differ");
              t.expect_store(all);
            }).needing({"restart", "durable"}),
    on_zone("stage.client-damaged", "Staged changes that are damaged are not used",
            {"STG-08"},
            [](ZoneTest& t) {
              auto hub = t.meet();
              hub->grant = kResume;
              hub->welcome_only();
              std::vector<Resource> all;
              for (int at = 0; at < 8; ++at) {
                all.push_back(big_policy("b" + std::to_string(at), 30'000));
                hub->out.log.write({all.back()});
              }
              hub->send(hub->out.intent_packet(std::nullopt));
              send_items(*hub, 0, 8);
              t.call(t.zone->fault("damage-stage", 1), "fault damage-stage");
              hub->send(hub->out.mark_packet(std::nullopt, hub->out.log.head, 8));
              hub->wait("Want", [&] { return !hub->out.wants.empty(); });
              require(!hub->out.wants.front().staged, "STG-08: the damaged place is named");
              hub->await_durable();
              t.expect_store(all);
            }).needing({"damage-stage"}),
    on_zone("stage.client-after-hold", "A held cut may be gone on with", {"STG-09", "FLOW-32"},
            [](ZoneTest& t) {
              auto hub = first_sync(t, 4);
              t.call(t.zone->fault("application-hold", 1), "fault application-hold");
              hub->send(hub->out.mark_packet(std::nullopt, hub->out.log.head, 4));
              hub->wait("Hold", [&] { return !hub->out.holds.empty(); });
              t.call(t.zone->fault("application-hold", 0), "fault application-hold off");
              hub->wait("Want (FLOW-32)", [&] { return !hub->out.wants.empty(); });
              const auto place = hub->out.wants.back().staged;
              if (place) {   // it may be named
                require(*place == place_of(*hub, Revision{3}, 1, true), "STG-01: another place");
                hub->send_packets(hub->out.rest_of_cut(*place, std::nullopt));
              } else {
                hub->answer();
              }
              hub->await_durable();
              t.expect_store(all_four());
            }).needing({"application-hold"}),
    on_zone("stage.client-after-failed-patch", "The cut of a Patch that failed may be gone on with",
            {"STG-09", "ZIP-16"},
            [](ZoneTest& t) {
              auto hub = first_sync(t, 4, {.patch = true, .resume = true});
              hub->send(hub->out.mark_packet(std::nullopt, hub->out.log.head, 4));
              hub->await_durable();
              const Cursor held = *hub->acked();
              const Resource next = policy("e", "2s");
              hub->out.log.write({policy("d", "2s")});
              send_items(*hub, 4, 1);
              const Revision revision = hub->out.log.write({next});
              hub->send(hub->out.patch_packet(upsert_of(policy("e", "never sent")),
                                              {revision, upsert_of(next)}));
              hub->wait("Want (ZIP-16)", [&] { return !hub->out.wants.empty(); });
              require(hub->out.wants.back().no_patches, "ZIP-16: whole versions only");
              if (const auto place = hub->out.wants.back().staged) {
                require(*place == place_of(*hub, Revision{4}, 1, false), "STG-01: another place");
                hub->send_packets(hub->out.rest_of_cut(*place, held));
              } else {
                hub->answer();
              }
              hub->await_durable();
              t.expect_store({policy("a"), policy("b"), policy("c"), policy("d", "2s"), next});
            }).needing({"patch"}),
    on_zone("stage.client-not-after-drop", "A cut with a Drop is not gone on with", {"STG-05"},
            [](ZoneTest& t) {
              Resource retry = policy("r");
              retry.key.type = "MeshRetry";
              auto hub = first_sync(t, 4);
              hub->grant_views = true;
              const Revision revision = hub->out.log.write({retry});
              send_items(*hub, 4, 1);
              hub->send(hub->out.mark_packet(std::nullopt, revision, 5));
              hub->await_durable();
              hub->out.log.write({policy("e")});
              send_items(*hub, 5, 1);
              hub->say(FlowId::down, wire::Drop{upsert_of(retry).cls});
              hub->wait("received_bytes of all data (FLOW-23)",
                        [&] { return hub->out.received_bytes == hub->out.sent_bytes; });
              auto second = back(t, *hub);
              require(!second->hello_heard->staged, "STG-05: a place in a cut with a Drop");
            }).needing({"views"}),
    on_zone("stage.client-not-after-repair", "A repair is not gone on with", {"STG-05"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a"), policy("b")});
              hub->cut();
              PeerLog log(7, true);
              log.write({policy("b", "2s"), policy("c")});
              auto second = t.next_of_other_hub(*hub, log);
              second->grant = {.repair = true, .resume = true};
              second->welcome_only();
              second->send(second->out.repair_packet("unknown_era"));
              second->wait("Buckets", [&] { return !second->out.buckets.empty(); });
              const wire::Differing differing = second->out.differing();
              second->say(FlowId::down, differing);
              second->wait("Prints", [&] {
                return !second->out.prints.empty() && second->out.prints.back().last;
              });
              auto packets = second->out.repair_cut(differing);
              packets.pop_back();   // the Mark
              send_all(*second, packets);
              second->wait("received_bytes of all data (FLOW-23)",
                           [&] { return second->out.received_bytes == second->out.sent_bytes; });
              auto third = back(t, *second);
              require(!third->hello_heard->staged, "STG-05: a place in a repair");
              t.expect_store({policy("a"), policy("b")});
            }).needing({"repair"}),
    on_zone("stage.client-no-era", "A cut whose Intent names no era has no place", {"STG-01"},
            [](ZoneTest& t) {
              auto hub = t.meet();
              hub->grant = kResume;
              hub->out.log.write({policy("a")});
              hub->welcome_only();
              wire::Intent intent = hub->out.intent(std::nullopt, "no_cursor");
              intent.era = {};
              hub->say(FlowId::down, intent);
              send_items(*hub, 0, 1);
              auto second = back(t, *hub);
              require(!second->hello_heard->staged, "STG-01: a place without an era");
            }),
    on_zone("stage.client-want-not-negotiated", "Without the feature no Want names a place",
            {"STG-06"},
            [](ZoneTest& t) {
              auto hub = first_sync(t, 4, {});
              t.call(t.zone->fault("application-hold", 1), "fault application-hold");
              hub->send(hub->out.mark_packet(std::nullopt, hub->out.log.head, 4));
              hub->wait("Hold", [&] { return !hub->out.holds.empty(); });
              t.call(t.zone->fault("application-hold", 0), "fault application-hold off");
              hub->wait("Want (FLOW-32)", [&] { return !hub->out.wants.empty(); });
              require(!hub->out.wants.back().staged, "STG-06: it was not granted");
              hub->answer();
              hub->await_durable();
              t.expect_store(all_four());
            }).needing({"application-hold"}),
};

/// Lists are asked for anew.
Case in_v1() {
  return on_zone("stage.client-not-in-lists", "An interrupted list is not gone on with", {"STG-05"},
                 [](ZoneTest& t) {
                   auto hub = t.meet();
                   hub->auto_answer = false;
                   hub->out.log.write({policy("a"), policy("b")});
                   hub->welcome_only();
                   hub->send(hub->out.intent_packet(std::nullopt));
                   auto packets = hub->out.next_cut();
                   packets.pop_back();   // the Mark
                   send_all(*hub, packets);
                   hub->wait("received_bytes of all data (FLOW-23)",
                             [&] { return hub->out.received_bytes == hub->out.sent_bytes; });
                   auto second = back(t, *hub);
                   require(!second->hello_heard->staged, "STG-05: a place in a list");
                   second->welcome_only();
                   second->answer();
                   second->await_durable();
                   t.expect_store({policy("a"), policy("b")});
                 }).in(Modes::v1);
}

std::vector<Case> collect() {
  std::vector<Case> all = of_feature("resume", {std::begin(kCases), std::end(kCases)});
  for (Case& each : all) each.modes = Modes::delta;
  all.push_back(in_v1());
  return all;
}

}  // namespace

Group stage_zone() {
  static const std::vector<Case> cases = collect();
  return cases;
}

}  // namespace zonesync::conform::cases

// Patches: upserts as differences to the version before, at both faces.
#include "conformance/suite/cases/groups.hpp"
#include "conformance/suite/frames.hpp"
#include "protocol/wire/compression.hpp"

namespace zonesync::conform::cases {
namespace {

using wire::FlowId;

const wire::Features kPatch{.patch = true};
constexpr std::size_t kTextBytes = 6'000;

std::string text_of(const std::string& end) { return noise(kTextBytes) + end; }

/// Welcomed with the feature; the first version of `s` is durable at the hub.
std::unique_ptr<ZonePeer> zone_with_base(HubTest& t) {
  auto zone = t.connect();
  zone->hello.features = {"patch"};
  zone->handshake();
  zone->publish_durably({service(zone->zone, "s", text_of("1"))});
  return zone;
}

std::unique_ptr<HubPeer> hub_with_base(ZoneTest& t) {
  auto hub = t.meet();
  hub->grant = kPatch;
  hub->out.log.write({policy("p", text_of("1"))});
  hub->handshake();
  require(hub->features() == kPatch, "SES-04: the client does not offer patches");
  hub->await_durable();
  return hub;
}

/// One cut of one Patch, by the log, over the version `base`.
template <class P>
void send_patched(P& peer, const Resource& base, const Resource& next) {
  const auto from = peer.out.next_from;
  const Revision revision = peer.out.log.write({next});
  peer.send(peer.out.patch_packet(upsert_of(base), {revision, upsert_of(next)}));
  peer.send(peer.out.mark_packet(from, revision, 1));
}

/// A patch that says what it is not.
wire::Patch lying_patch(const Resource& base, const Resource& next) {
  const Change before = upsert_of(base);
  const Change after = upsert_of(next);
  auto frame = wire::make_patch(before.payload.view(), after.payload.view());
  require(frame.has_value(), "suite: no patch can be made");
  return {after.key, before.hash, after.hash, after.payload.view().size(), std::move(*frame)};
}

/// The want of a receiver whose patch failed.
template <class P>
void expect_patch_failed(P& peer) {
  peer.wait("Want (ZIP-16)", [&] { return !peer.out.wants.empty(); });
  const wire::Want& want = peer.out.wants.back();
  require(want.no_patches, "ZIP-16: Want asks for whole versions");
  require(want.why == "patch_failed", "ZIP-16: why says '" + want.why + "'");
}

bool hub_has(HubTest& t, const ZonePeer& zone, const std::string& text) {
  const auto state = t.hub->state();
  require(state.has_value(), "the control's get_state failed");
  for (const Resource& each : *state) {
    if (each.key.origin == zone.zone && each.spec.find(text) != std::string::npos) return true;
  }
  return false;
}

const Case kHub[] = {
    on_hub("patch.hub-sends", "What a hub patches is right, over what was offered",
           {"ZIP-11", "ZIP-12", "ZIP-13", "ZIP-15"},
           [](HubTest& t) {
             t.put({policy("p", text_of("1")), policy("small")});
             auto zone = t.connect();
             zone->hello.features = {"patch"};
             zone->handshake();
             zone->sync();
             require(zone->in.patches == 0, "ZIP-13: a Patch in a full cut");
             t.put({policy("p", text_of("2"))});
             t.put({policy("p", text_of("3")), policy("small", "2s")});
             zone->sync();
             t.expect_replica(*zone, {policy("p", text_of("3")), policy("small", "2s")});
           }).needing({"control"}).in(Modes::delta),
    on_hub("patch.hub-after-resume", "A resumed cursor covers the base", {"ZIP-13", "ZIP-11"},
           [](HubTest& t) {
             t.put({policy("p", text_of("1"))});
             auto first = t.connect();
             first->hello.features = {"patch"};
             first->handshake();
             first->sync();
             first->cut();
             t.put({policy("p", text_of("2"))});
             auto zone = t.reconnect(*first);
             zone->sync();
             t.expect_replica(*zone, {policy("p", text_of("2"))});
           }).needing({"control"}).in(Modes::delta),
    on_hub("patch.hub-whole-when-asked", "After Want{no_patches} versions are whole", {"ZIP-13"},
           [](HubTest& t) {
             t.put({policy("p", text_of("1"))});
             auto zone = t.connect();
             zone->hello.features = {"patch"};
             zone->handshake();
             zone->sync();
             wire::Want want;
             want.cursor = zone->in.cursor;
             want.no_patches = true;
             want.why = "patch_failed";
             zone->in.awaiting = true;
             zone->say(FlowId::down, want);
             zone->wait("the Intent", [&] { return zone->in.intents.size() == 2; });
             t.put({policy("p", text_of("2"))});
             zone->sync();
             t.expect_replica(*zone, {policy("p", text_of("2"))});
             require(zone->in.patches == 0, "ZIP-13: a Patch after Want{no_patches}");
           }).needing({"control"}).in(Modes::delta),
    on_hub("patch.hub-not-in-v1", "In v1 patches are not granted", {"ZIP-13"},
           [](HubTest& t) {
             auto zone = t.connect();
             zone->hello.features = {"patch", "zstd"};
             zone->handshake();
             for (const std::string& word : zone->welcome_heard->features) {
               require(word != "patch", "ZIP-13: patches are granted in v1");
             }
           }).in(Modes::v1),
    on_hub("patch.hub-takes", "A hub applies a Patch of what a zone published",
           {"ZIP-11", "ZIP-14", "ZIP-15"},
           [](HubTest& t) {
             auto zone = zone_with_base(t);
             send_patched(*zone, service(zone->zone, "s", text_of("1")),
                          service(zone->zone, "s", text_of("2")));
             zone->wait("the hub's Ack", [&] { return zone->out.all_durable(); });
             require(zone->out.wants.empty(), "ZIP-14: the base was offered, and not found");
             require(hub_has(t, *zone, text_of("2")), "ZIP-11: the hub holds something else");
           }).needing({"control"}).in(Modes::delta),
    on_hub("patch.hub-base-in-open-cut", "The base may be a version of the same open cut",
           {"ZIP-14"},
           [](HubTest& t) {
             auto zone = zone_with_base(t);
             const auto from = zone->out.next_from;
             const Resource second = service(zone->zone, "s", text_of("2"));
             const Resource third = service(zone->zone, "s", text_of("3"));
             const Revision one = zone->out.log.write({second});
             zone->send(zone->out.item_packets({one, upsert_of(second)}).front());
             const Revision two = zone->out.log.write({third});
             zone->send(zone->out.patch_packet(upsert_of(second), {two, upsert_of(third)}));
             zone->send(zone->out.mark_packet(from, two, 2));
             zone->wait("the hub's Ack", [&] { return zone->out.all_durable(); });
             require(zone->out.wants.empty(), "ZIP-14: the base is in the open cut");
             require(hub_has(t, *zone, text_of("3")), "ZIP-11: the hub holds something else");
           }).needing({"control"}).in(Modes::delta),
    on_hub("patch.hub-unknown-base", "A Patch over a version never offered wipes nothing",
           {"ZIP-16", "ZIP-14"},
           [](HubTest& t) {
             auto zone = zone_with_base(t);
             send_patched(*zone, service(zone->zone, "s", text_of("never")),
                          service(zone->zone, "s", text_of("2")));
             expect_patch_failed(*zone);
             require(hub_has(t, *zone, text_of("1")), "ZIP-16: the version before is gone");
             zone->publish_durably({});
             require(hub_has(t, *zone, text_of("2")), "ZIP-16: whole, it is taken");
           }).needing({"control"}).in(Modes::delta),
    on_hub("patch.hub-other-result", "A Patch that gives another hash wipes nothing",
           {"ZIP-15", "ZIP-16"},
           [](HubTest& t) {
             auto zone = zone_with_base(t);
             const Resource next = service(zone->zone, "s", text_of("2"));
             wire::Patch patch = lying_patch(service(zone->zone, "s", text_of("1")), next);
             patch.hash.id.bytes[5] ^= 0x11;
             const auto from = zone->out.next_from;
             const Revision revision = zone->out.log.write({next});
             zone->send(patch_packet_of(patch, FlowId::up, revision));
             zone->send(zone->out.mark_packet(from, revision, 1));
             expect_patch_failed(*zone);
             require(hub_has(t, *zone, text_of("1")), "ZIP-16: the version before is gone");
             zone->publish_durably({});
           }).needing({"control"}).in(Modes::delta),
    on_hub("patch.hub-too-large", "A Patch that says more than a change may have ends the session",
           {"ZIP-17", "ZIP-08"},
           [](HubTest& t) {
             auto zone = zone_with_base(t);
             wire::Patch patch = lying_patch(service(zone->zone, "s", text_of("1")),
                                             service(zone->zone, "s", text_of("2")));
             patch.size = limits::kChangeMaxBytes + 1;
             zone->send(patch_packet_of(patch, FlowId::up, zone->out.log.head.next()));
             const CloseInfo info = zone->wait_close();
             require(info.code == 4400 || info.code == 1009, "ZIP-17: expected 4400 or 1009");
           }).in(Modes::delta),
    on_hub("patch.hub-not-negotiated", "A Patch without the feature is 4400", {"ZIP-08"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "s", text_of("1"))});
             zone->send(patch_packet_of(
                 lying_patch(service(zone->zone, "s", text_of("1")),
                             service(zone->zone, "s", text_of("2"))),
                 FlowId::up, zone->out.log.head.next()));
             zone->expect_close(4400, "ZIP-08");
           }).in(Modes::delta),
};

const Case kZone[] = {
    on_zone("patch.client-takes", "A client applies a Patch of what it holds",
            {"ZIP-11", "ZIP-14", "ZIP-15"},
            [](ZoneTest& t) {
              auto hub = hub_with_base(t);
              send_patched(*hub, policy("p", text_of("1")), policy("p", text_of("2")));
              hub->await_durable();
              require(hub->out.wants.empty(), "ZIP-14: the base was offered, and not found");
              t.expect_store({policy("p", text_of("2"))});
            }).in(Modes::delta),
    on_zone("patch.client-rejected-base", "A version that was refused is a base too", {"ZIP-14"},
            [](ZoneTest& t) {
              auto hub = hub_with_base(t);
              t.call(t.zone->set_verdict("refused"), "set_verdict");
              hub->write_durably({policy("p", text_of("refused"))});
              send_patched(*hub, policy("p", text_of("refused")), policy("p", text_of("3")));
              hub->await_durable();
              require(hub->out.wants.empty(), "ZIP-14: whatever the verdict on it is");
              t.expect_store({policy("p", text_of("3"))});
            }).needing({"verdicts"}).in(Modes::delta),
    on_zone("patch.client-unknown-base", "A Patch over a version never offered wipes nothing",
            {"ZIP-16", "ZIP-14"},
            [](ZoneTest& t) {
              auto hub = hub_with_base(t);
              hub->auto_answer = false;
              send_patched(*hub, policy("p", text_of("never")), policy("p", text_of("2")));
              expect_patch_failed(*hub);
              t.expect_store({policy("p", text_of("1"))});
              hub->answer();
              hub->await_durable();
              t.expect_store({policy("p", text_of("2"))});
            }).in(Modes::delta),
    on_zone("patch.client-no-patches-from-then-on", "Every later Want of the session says so too",
            {"ZIP-16"},
            [](ZoneTest& t) {
              auto hub = hub_with_base(t);
              send_patched(*hub, policy("p", text_of("never")), policy("p", text_of("2")));
              hub->await_durable();
              hub->auto_answer = false;
              wire::Mark mark = hub->out.mark(hub->out.next_from, hub->out.log.head, 0);
              mark.digest->low ^= 1;
              hub->say(FlowId::down, mark);
              hub->wait("the second Want", [&] { return hub->out.wants.size() == 2; });
              require(hub->out.wants.back().no_patches, "ZIP-16: patches are wanted again");
            }).in(Modes::delta),
    on_zone("patch.client-other-result", "A Patch that gives another hash wipes nothing",
            {"ZIP-15", "ZIP-16"},
            [](ZoneTest& t) {
              auto hub = hub_with_base(t);
              hub->auto_answer = false;
              const Resource next = policy("p", text_of("2"));
              wire::Patch patch = lying_patch(policy("p", text_of("1")), next);
              patch.hash.id.bytes[5] ^= 0x11;
              const auto from = hub->out.next_from;
              const Revision revision = hub->out.log.write({next});
              hub->send(patch_packet_of(patch, FlowId::down, revision));
              hub->send(hub->out.mark_packet(from, revision, 1));
              expect_patch_failed(*hub);
              t.expect_store({policy("p", text_of("1"))});
            }).in(Modes::delta),
    on_zone("patch.client-too-large",
            "A Patch that says more than a change may have ends the session", {"ZIP-17", "ZIP-08"},
            [](ZoneTest& t) {
              auto hub = hub_with_base(t);
              wire::Patch patch =
                  lying_patch(policy("p", text_of("1")), policy("p", text_of("2")));
              patch.size = limits::kChangeMaxBytes + 1;
              hub->send(patch_packet_of(patch, FlowId::down, hub->out.log.head.next()));
              const CloseInfo info = hub->wait_close();
              require(info.code == 4400 || info.code == 1009, "ZIP-17: expected 4400 or 1009");
              t.expect_store({policy("p", text_of("1"))});
            }).in(Modes::delta),
    on_zone("patch.client-not-negotiated", "A Patch without the feature is 4400", {"ZIP-08"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("p", text_of("1"))});
              hub->send(patch_packet_of(
                  lying_patch(policy("p", text_of("1")), policy("p", text_of("2"))), FlowId::down,
                  hub->out.log.head.next()));
              hub->expect_close(4400, "ZIP-08");
            }).in(Modes::delta),
    on_zone("patch.client-sends", "What a client patches is right", {"ZIP-11", "ZIP-12", "ZIP-13"},
            [](ZoneTest& t) {
              auto hub = hub_with_base(t);
              for (const char* end : {"1", "2", "3"}) {
                const Resource version = service("east", "s", text_of(end));
                t.publish({version});
                hub->wait("what was published", [&] { return hub->in.replica.has(version); });
              }
            }).needing({"publish"}).in(Modes::delta),
};

}  // namespace

Group patch_hub() {
  static const std::vector<Case> cases = of_feature("patch", {std::begin(kHub), std::end(kHub)});
  return cases;
}

Group patch_zone() {
  static const std::vector<Case> cases =
      of_feature("patch", {std::begin(kZone), std::end(kZone)});
  return cases;
}

}  // namespace zonesync::conform::cases

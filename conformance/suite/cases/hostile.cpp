// Limits and hostile input, at both faces: every broken rule of the wire ends the session and
// nothing of the broken message is applied.
#include "conformance/suite/cases/groups.hpp"
#include "conformance/suite/hostile.hpp"

namespace zonesync::conform::cases {
namespace {

using wire::FlowId;

/// A right Ack, so that only what was spoiled is wrong.
template <class P>
std::string right_ack(P& peer) {
  std::string packet;
  wire::append(packet, peer.in.flow, peer.in.ack());
  return packet;
}

Case hub_breakage(const Breakage& bad) {
  static std::vector<std::string> names;   // ids must outlive the case
  names.reserve(breakages().size());
  names.push_back("hostile.hub-" + std::string(bad.name));
  return on_hub(names.back(), bad.title, {bad.clause}, [&bad](HubTest& t) {
    auto other = t.join("west");
    auto zone = t.join("east");
    std::string packet = right_ack(*zone);
    bad.spoil(packet);
    zone->send(packet);
    zone->expect_close(4400, std::string(bad.clause));
    other->sync();
  });
}

Case zone_breakage(const Breakage& bad) {
  static std::vector<std::string> names;
  names.reserve(breakages().size());
  names.push_back("hostile.client-" + std::string(bad.name));
  return on_zone(names.back(), bad.title, {bad.clause}, [&bad](ZoneTest& t) {
    auto hub = t.join({policy("a")});
    std::string packet = right_ack(*hub);
    bad.spoil(packet);
    hub->send(packet);
    hub->expect_close(4400, std::string(bad.clause));
    auto second = t.next(*hub);
    second->handshake();
    second->write_durably({policy("b")});
    t.expect_store({policy("a"), policy("b")});
  });
}

Case hub_bad_change(const BadChange& bad) {
  static std::vector<std::string> names;
  names.reserve(bad_changes().size());
  names.push_back("hostile.hub-change-" + std::string(bad.name));
  return on_hub(names.back(), bad.title, {bad.clause}, [&bad](HubTest& t) {
    auto zone = t.join();
    zone->publish_durably({service(zone->zone, "good")});
    zone->send(bad_change_packet(bad, FlowId::up, zone->out.log.head.next(),
                                 service(zone->zone, "x")));
    zone->expect_close(4400, std::string(bad.clause));
    if (t.can("control")) {
      require(t.names_of(zone->zone) == std::vector<std::string>{"good"},
              "something of the broken cut was committed");
    }
  }).in(Modes::delta);
}

Case zone_bad_change(const BadChange& bad) {
  static std::vector<std::string> names;
  names.reserve(bad_changes().size());
  names.push_back("hostile.client-change-" + std::string(bad.name));
  return on_zone(names.back(), bad.title, {bad.clause}, [&bad](ZoneTest& t) {
    auto hub = t.join({policy("a")});
    hub->send(bad_change_packet(bad, FlowId::down, hub->out.log.head.next(), policy("x")));
    hub->expect_close(4400, std::string(bad.clause));
    t.expect_store({policy("a")});
  }).in(Modes::delta);
}

std::string repeated_hello(ZonePeer& zone, const std::function<void(wire::Hello&)>& change) {
  wire::Hello hello = zone.hello_now();
  change(hello);
  std::string packet;
  wire::append(packet, hello);
  return packet;
}

/// A Hello that breaks a limit ends the connection with 4400 or 1009.
void expect_hello_refused(HubTest& t, const std::function<void(wire::Hello&)>& change,
                          const std::string& clause) {
  auto zone = t.connect();
  zone->send(repeated_hello(*zone, change));
  const CloseInfo info = zone->wait_close();
  require(info.code == 4400 || info.code == 1009,
          clause + ": expected 4400 or 1009, got " + std::to_string(info.code));
  require(!zone->welcome_heard, clause + ": it was welcomed");
}

std::vector<std::string> words(std::size_t count) {
  std::vector<std::string> all;
  for (std::size_t at = 0; at < count; ++at) all.push_back("w" + std::to_string(at));
  return all;
}

std::vector<Case> make_hub() {
  std::vector<Case> all;
  for (const Breakage& bad : breakages()) all.push_back(hub_breakage(bad));
  for (const BadChange& bad : bad_changes()) all.push_back(hub_bad_change(bad));
  return all;
}

std::vector<Case> make_zone() {
  std::vector<Case> all;
  for (const Breakage& bad : breakages()) all.push_back(zone_breakage(bad));
  for (const BadChange& bad : bad_changes()) all.push_back(zone_bad_change(bad));
  return all;
}

const Case kLimits[] = {
    on_hub("limits.flow-bit-in-session-packet", "The flow bit in a session packet is 4400",
           {"WIRE-06"},
           [](HubTest& t) {
             auto zone = t.join();
             std::string packet;
             wire::append(packet, wire::Sync{1});
             edit::flags(packet, 0x04);
             zone->send(packet);
             zone->expect_close(4400, "WIRE-06");
           }),
    on_zone("limits.client-flow-bit-in-session-packet",
            "The flow bit in a hub's session packet is 4400", {"WIRE-06"},
            [](ZoneTest& t) {
              auto hub = t.join();
              wire::Goodbye goodbye;
              goodbye.code = 1001;
              std::string packet;
              wire::append(packet, goodbye);
              edit::flags(packet, 0x04);
              hub->send(packet);
              hub->expect_close(4400, "WIRE-06");
            }),
    on_hub("limits.first-message-too-large", "Before Hello a message has at most 16 KiB",
           {"WIRE-09"},
           [](HubTest& t) {
             auto zone = t.connect();
             zone->send(std::string(20'000, '\0'));
             zone->expect_close(1009, "WIRE-09");
           }),
    on_hub("limits.message-too-large", "A message over 1 MiB is 1009", {"WIRE-09"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->send(std::string((1u << 20) + 8, '\0'));
             zone->expect_close(1009, "WIRE-09");
           }),
    on_zone("limits.client-message-too-large", "A message over 1 MiB from a hub is 1009",
            {"WIRE-09"},
            [](ZoneTest& t) {
              auto hub = t.join();
              hub->send(std::string((1u << 20) + 8, '\0'));
              hub->expect_close(1009, "WIRE-09");
            }),
    on_hub("limits.too-many-features", "More than 64 features are refused", {"WIRE-13"},
           [](HubTest& t) {
             expect_hello_refused(t, [](wire::Hello& h) { h.features = words(65); }, "WIRE-13");
           }),
    on_hub("limits.too-many-types", "More than 1,000 types are refused", {"WIRE-13"},
           [](HubTest& t) {
             expect_hello_refused(t, [](wire::Hello& h) { h.types = words(1'001); }, "WIRE-13");
           }),
    on_hub("limits.too-many-meshes", "More than 1,000 meshes are refused", {"WIRE-13"},
           [](HubTest& t) {
             expect_hello_refused(t, [](wire::Hello& h) { h.meshes = words(1'001); }, "WIRE-13");
           }),
    on_hub("limits.feature-too-long", "A word over 64 bytes is refused", {"WIRE-11"},
           [](HubTest& t) {
             expect_hello_refused(
                 t, [](wire::Hello& h) { h.features = {std::string(65, 'f')}; }, "WIRE-11");
           }),
    on_hub("limits.feature-with-control", "A word with a control character is refused",
           {"WIRE-11"},
           [](HubTest& t) {
             auto zone = t.connect();
             std::string packet = repeated_hello(*zone, [](wire::Hello& h) {
               h.features = {"abcdef/1"};
             });
             edit::text(packet, "abcdef/1", "abc\nef/1");
             zone->send(packet);
             zone->expect_close(4400, "WIRE-11");
           }),
    on_hub("limits.zone-name-with-capitals", "A zone name outside [a-z0-9-] is refused",
           {"WIRE-12"},
           [](HubTest& t) {
             auto zone = t.connect();
             std::string packet = repeated_hello(*zone, [](wire::Hello&) {});
             edit::text(packet, zone->zone.substr(0, 4), "EAST");
             zone->send(packet);
             const CloseInfo info = zone->wait_close();
             require(info.code == 4400 || info.code == 4403, "WIRE-12: refused");
           }),
    on_hub("limits.empty-message", "An empty message breaks nothing", {"WIRE-01"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->send("");
             zone->sync();
           }),
    on_hub("limits.many-packets-in-a-message", "Packets of both flows may share a message",
           {"WIRE-01", "WIRE-02"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->sync();
             std::string message;
             for (int at = 0; at < 3; ++at) wire::append(message, FlowId::down, zone->in.ack());
             wire::append(message, wire::Sync{500});
             zone->send(message);
             zone->wait("Synced", [&] {
               return !zone->synced.empty() && zone->synced.back().id == 500;
             });
           }),
    on_hub("limits.nothing-after-the-broken-packet", "No packet after a broken one is applied",
           {"WIRE-02", "WIRE-03"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->publish_durably({service(zone->zone, "before")});
             const Cursor from = zone->out.at(zone->out.log.head);
             const Revision next = zone->out.log.write({service(zone->zone, "after")});
             std::string message = right_ack(*zone);
             edit::kind(message, 77);
             for (const LogItem& item : zone->out.log.after(from.revision)) {
               message += zone->out.item_packets(item).front();
             }
             message += zone->out.mark_packet(from, next, 1);
             zone->send(message);
             zone->expect_close(4400, "WIRE-03");
             require(t.names_of(zone->zone) == std::vector<std::string>{"before"},
                     "a packet after the broken one was applied");
           }).needing({"control"}).in(Modes::delta),
    on_hub("limits.drop-from-zone",
           "A kind that was not negotiated is 4400", {"FLOW-03", "WIRE-03"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->say(FlowId::up, wire::Drop{Class{"MeshService", "default", zone->zone, ""}});
             zone->expect_close(4400, "FLOW-03");
           }),
};

}  // namespace

Group hostile_hub() {
  static const std::vector<Case> cases = make_hub();
  return cases;
}

Group hostile_zone() {
  static const std::vector<Case> cases = make_zone();
  return cases;
}

Group hostile_limits() { return kLimits; }

}  // namespace zonesync::conform::cases

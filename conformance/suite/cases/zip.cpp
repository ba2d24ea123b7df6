// Compressed packets and patches, at both faces.
#include "conformance/suite/cases/groups.hpp"
#include "conformance/suite/frames.hpp"
#include "protocol/wire/compression.hpp"

namespace zonesync::conform::cases {
namespace {

using wire::FlowId;

const wire::Features kZstd{.zstd = true};

/// An Ack that breaks one rule of compression.
struct Spoilt {
  std::string_view name;
  std::string_view title;
  std::string_view clause;
  FrameShape shape;
  bool too_large = false;   // 1009 is right too
};

const std::vector<Spoilt>& spoilt() {
  static const std::vector<Spoilt> all = {
      {"bytes-behind", "Bytes behind the frame", "ZIP-02", {.behind = "12345678"}},
      {"two-frames", "Two frames", "ZIP-02", {.behind = raw_frame("more")}},
      {"dictionary-id", "A dictionary id", "ZIP-02", {.dictionary_id = true}},
      {"cut-frame", "A frame that is cut", "ZIP-02", {.cut = 1}},
      {"no-size", "A frame that does not state its size", "ZIP-03", {.states_size = false}},
      {"wrong-size", "A frame of another size than it states", "ZIP-03", {.size = 8}},
      {"bomb", "A frame that inflates more than 64 times", "ZIP-04", {.zeros = 100'000}},
      {"wide-window", "A window over 2^20", "ZIP-04", {.window_log = 21}},
      {"too-large", "A frame that inflates to more than a message", "ZIP-04",
       {.zeros = 2u << 20}, true},
  };
  return all;
}

template <class P>
std::string ack_of(P& peer) {
  std::string packet;
  wire::append(packet, peer.in.flow, peer.in.ack());
  return packet;
}

template <class P>
void expect_refused(P& peer, std::string_view clause, bool too_large) {
  const CloseInfo info = peer.wait_close();
  require(info.code == 4400 || (too_large && info.code == 1009),
          std::string(clause) + ": expected close 4400, got " + std::to_string(info.code));
}

std::unique_ptr<ZonePeer> zone_with(HubTest& t, const std::string& word) {
  auto zone = t.connect();
  zone->hello.features = {word};
  zone->handshake();
  const auto& granted = zone->welcome_heard->features;
  require(granted == std::vector<std::string>{word}, "SES-04: " + word + " is not granted");
  return zone;
}

std::unique_ptr<HubPeer> hub_with(ZoneTest& t, const wire::Features& features,
                                  const std::vector<Resource>& resources) {
  auto hub = t.meet();
  hub->grant = features;
  if (!resources.empty()) hub->out.log.write(resources);
  hub->handshake();
  require(hub->features() == features, "SES-04: the client does not offer the feature");
  hub->await_durable();
  return hub;
}

Case hub_spoilt(const Spoilt& bad, std::vector<std::string>& names) {
  names.push_back("zip.hub-" + std::string(bad.name));
  return on_hub(names.back(), bad.title, {bad.clause, "ZIP-08"}, [&bad](HubTest& t) {
    auto zone = zone_with(t, "zstd");
    zone->send(zipped(ack_of(*zone)));   // a right one breaks nothing
    zone->sync();
    zone->send(zipped(ack_of(*zone), bad.shape));
    expect_refused(*zone, bad.clause, bad.too_large);
  });
}

Case zone_spoilt(const Spoilt& bad, std::vector<std::string>& names) {
  names.push_back("zip.client-" + std::string(bad.name));
  return on_zone(names.back(), bad.title, {bad.clause, "ZIP-08"}, [&bad](ZoneTest& t) {
    auto hub = hub_with(t, kZstd, {policy("a")});
    hub->send(zipped(ack_of(*hub)));
    hub->write_durably({policy("b")});
    hub->send(zipped(ack_of(*hub), bad.shape));
    expect_refused(*hub, bad.clause, bad.too_large);
    t.expect_store({policy("a"), policy("b")});
  });
}

Resource secret(const std::string& name, const std::string& text) {
  Resource resource = policy(name, text);
  resource.key.type = "Secret";
  return resource;
}

/// Packets of the next cut, compressed where that pays.
std::vector<std::string> compressed_cut(FlowOut& out) {
  auto packets = out.next_cut();
  std::size_t saved = 0;
  for (std::string& packet : packets) {
    const std::size_t before = packet.size();
    wire::compress_last_packet(packet, 0);
    saved += before - packet.size();
  }
  require(saved > 0, "suite: nothing was compressed");
  return packets;
}

const Case kHub[] = {
    on_hub("zip.hub-takes", "A hub takes compressed data and counts it as it travelled",
           {"ZIP-01", "ZIP-03", "ZIP-07", "FLOW-20"},
           [](HubTest& t) {
             auto zone = zone_with(t, "zstd");
             zone->publish_durably({service(zone->zone, "first")});
             zone->out.log.write({service(zone->zone, "large", std::string(6'000, 'x'))});
             zone->send_packets(compressed_cut(zone->out));
             zone->wait("the hub's Ack", [&] { return zone->out.all_durable(); });
             zone->wait("received_bytes of all data (ZIP-07)",
                        [&] { return zone->out.received_bytes == zone->out.sent_bytes; });
             require(t.names_of(zone->zone) == std::vector<std::string>({"first", "large"}),
                     "ZIP-01: it was not taken");
           }).needing({"control"}),
    on_hub("zip.hub-sends", "What a hub compresses is right, and counted as it travelled",
           {"ZIP-01", "ZIP-02", "ZIP-03", "ZIP-07"},
           [](HubTest& t) {
             const std::string text = noise(3'000) + std::string(20'000, 'y');
             t.put({policy("a", text), policy("b")});
             auto zone = zone_with(t, "zstd");
             zone->sync();
             t.expect_replica(*zone, {policy("a", text), policy("b")});
             zone->sync();   // its Ack counted as the hub does, or the hub had closed
           }).needing({"control"}),
    on_hub("zip.hub-secrets-whole", "Sensitive resources are neither compressed nor patched",
           {"ZIP-06"},
           [](HubTest& t) {
             const std::string text(9'000, 's');
             t.put({secret("s", text)});
             auto zone = t.connect();
             zone->hello.features = {"zstd", "patch"};
             zone->hello.types = {"Secret"};
             zone->handshake();
             zone->sync();
             t.put({secret("s", text + "1")});
             zone->sync();
             t.expect_replica(*zone, {secret("s", text + "1")});
             require(zone->in.compressed == 0, "ZIP-06: a Secret was compressed");
             require(zone->in.patches == 0, "ZIP-06: a Secret was patched");
           }).needing({"control"}),
    on_hub("zip.hub-compressed-hello", "A compressed Hello is 4400", {"ZIP-05", "ZIP-08"},
           [](HubTest& t) {
             auto zone = t.connect();
             zone->hello.features = {"zstd"};
             std::string packet;
             wire::append(packet, zone->hello_now());
             zone->send(zipped(packet));
             zone->expect_close(4400, "ZIP-05");
           }),
    on_hub("zip.hub-no-frame", "The flag without a frame is 4400", {"ZIP-01", "ZIP-08"},
           [](HubTest& t) {
             auto zone = zone_with(t, "zstd");
             std::string packet = ack_of(*zone);
             packet[4] = static_cast<char>(packet[4] | 0x01);
             zone->send(packet);
             zone->expect_close(4400, "ZIP-01");
           }),
    on_hub("zip.hub-dictionary", "The dictionary flag is 4400 also with zstd", {"ZIP-09"},
           [](HubTest& t) {
             auto zone = zone_with(t, "zstd");
             std::string packet = zipped(ack_of(*zone));
             packet[4] = static_cast<char>(packet[4] | 0x02);
             packet[5] = 1;
             zone->send(packet);
             zone->expect_close(4400, "ZIP-09");
           }),
    on_hub("zip.hub-not-negotiated", "Compression without the feature is 4400", {"ZIP-08"},
           [](HubTest& t) {
             auto zone = t.join();
             zone->send(zipped(ack_of(*zone)));
             zone->expect_close(4400, "ZIP-08");
           }),
};

const Case kZone[] = {
    on_zone("zip.client-takes", "A client takes compressed data and counts it as it travelled",
            {"ZIP-01", "ZIP-03", "ZIP-07", "FLOW-20"},
            [](ZoneTest& t) {
              auto hub = hub_with(t, kZstd, {policy("a")});
              const Resource large = policy("b", std::string(6'000, 'x'));
              hub->out.log.write({large});
              hub->send_packets(compressed_cut(hub->out));
              hub->await_durable();
              hub->wait("received_bytes of all data (ZIP-07)",
                        [&] { return hub->out.received_bytes == hub->out.sent_bytes; });
              t.expect_store({policy("a"), large});
            }),
    on_zone("zip.client-compressed-welcome", "The Welcome that grants zstd may be compressed",
            {"ZIP-05"},
            [](ZoneTest& t) {
              auto hub = t.meet();
              hub->grant = kZstd;
              hub->out.log.write({policy("a")});
              hub->await_hello();
              hub->in.window_bytes = hub->up_window_bytes;
              std::string packet;
              wire::append(packet, hub->welcome_now());
              hub->send(zipped(packet));
              hub->answer();
              hub->await_durable();
              t.expect_store({policy("a")});
            }),
    on_zone("zip.client-compressed-goodbye", "A compressed Goodbye is 4400", {"ZIP-05", "ZIP-08"},
            [](ZoneTest& t) {
              auto hub = hub_with(t, kZstd, {policy("a")});
              wire::Goodbye goodbye;
              goodbye.code = 1001;
              goodbye.reason = "going away";
              std::string packet;
              wire::append(packet, goodbye);
              hub->send(zipped(packet));
              hub->expect_close(4400, "ZIP-05");
            }),
    on_zone("zip.client-sends", "What a client compresses is right", {"ZIP-01", "ZIP-02", "ZIP-05"},
            [](ZoneTest& t) {
              auto hub = hub_with(t, kZstd, {policy("a")});
              const Resource large = service("east", "s", noise(2'000) + std::string(9'000, 'z'));
              t.publish({large});
              hub->wait("what was published", [&] { return hub->in.replica.has(large); });
            }).needing({"publish"}),
    on_zone("zip.client-dictionary", "The dictionary flag is 4400 also with zstd", {"ZIP-09"},
            [](ZoneTest& t) {
              auto hub = hub_with(t, kZstd, {policy("a")});
              std::string packet = zipped(ack_of(*hub));
              packet[4] = static_cast<char>(packet[4] | 0x02);
              packet[5] = 1;
              hub->send(packet);
              hub->expect_close(4400, "ZIP-09");
            }),
    on_zone("zip.client-not-negotiated", "Compression without the feature is 4400", {"ZIP-08"},
            [](ZoneTest& t) {
              auto hub = t.join({policy("a")});
              hub->send(zipped(ack_of(*hub)));
              hub->expect_close(4400, "ZIP-08");
            }),
};

std::vector<Case> hub_cases() {
  static std::vector<std::string> names;   // ids must outlive the cases
  names.reserve(spoilt().size());
  std::vector<Case> all(std::begin(kHub), std::end(kHub));
  for (const Spoilt& bad : spoilt()) all.push_back(hub_spoilt(bad, names));
  return of_feature("zstd", std::move(all));
}

std::vector<Case> zone_cases() {
  static std::vector<std::string> names;
  names.reserve(spoilt().size());
  std::vector<Case> all(std::begin(kZone), std::end(kZone));
  for (const Spoilt& bad : spoilt()) all.push_back(zone_spoilt(bad, names));
  return of_feature("zstd", std::move(all));
}

}  // namespace

Group zip_hub() {
  static const std::vector<Case> cases = hub_cases();
  return cases;
}

Group zip_zone() {
  static const std::vector<Case> cases = zone_cases();
  return cases;
}

}  // namespace zonesync::conform::cases

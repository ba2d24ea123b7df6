#include "conformance/suite/test.hpp"

#include <algorithm>

namespace zonesync::conform {
namespace {

constexpr std::uint8_t kZoneLog = 1;
constexpr std::uint8_t kHubLog = 100;
/// How often a status is looked at, a tenth of a second apart.
constexpr int kTries = 100;

void expect_names(const std::vector<Resource>& expected, std::vector<std::string> found,
                  const std::string& who) {
  std::vector<std::string> wanted;
  for (const Resource& each : expected) wanted.push_back(to_string(each.key));
  std::sort(wanted.begin(), wanted.end());
  std::sort(found.begin(), found.end());
  if (wanted == found) return;
  std::string text = who + " holds";
  for (const std::string& name : found) text += " " + name;
  text += "; expected";
  for (const std::string& name : wanted) text += " " + name;
  fail_case(text);
}

}  // namespace

// -- hub ------------------------------------------------------------------------------------------

HubTest::HubTest(std::shared_ptr<HubSubject> subject, Mode which, std::string suffix)
    : hub(std::move(subject)), mode(which), suffix_(std::move(suffix)) {}

HubTest::~HubTest() {
  if (suffix_.empty()) return;  // the subject is thrown away
  std::vector<ControlOp> ops;
  for (const auto& [key, resource] : put_) ops.push_back({true, resource});
  if (!ops.empty()) (void)hub->write(ops);
  for (const std::string& zone : zones_) (void)hub->set_zone(zone, "delete");
}

tl::expected<std::unique_ptr<Link>, DialRefusal> HubTest::dial(const DialOptions& wanted) {
  zones_.insert(wanted.zone);
  return hub->connect(wanted);
}

std::unique_ptr<ZonePeer> HubTest::peer_on(Mode which, const std::string& zone) {
  DialOptions wanted;
  wanted.zone = zone;
  wanted.subprotocols = {std::string(subprotocol(which))};
  auto link = dial(wanted);
  require(link.has_value(), "no connection: " + (link ? "" : link.error().text));
  FlowIn in(wire::FlowId::down);
  FlowOut out(wire::FlowId::up, PeerLog(kZoneLog, true));
  in.mode = out.mode = which;
  return std::make_unique<ZonePeer>(std::move(*link), transcript, zone, std::move(in),
                                    std::move(out));
}

std::unique_ptr<ZonePeer> HubTest::connect_in(Mode which, const std::string& zone) {
  return peer_on(which, name(zone));
}

std::unique_ptr<ZonePeer> HubTest::join(const std::string& zone) {
  auto peer = connect(zone);
  peer->handshake();
  return peer;
}

std::unique_ptr<ZonePeer> HubTest::redial_in(Mode which, ZonePeer& old) {
  auto peer = peer_on(which, old.zone);
  peer->hello = old.hello;
  peer->in.replica = old.in.replica;
  peer->in.cursor = old.in.cursor;
  if (wire::features_of(old.hello.features).resume) {   // what is staged outlives the session
    if (!old.in.kept) old.in.keep_staged();
    peer->in.kept = old.in.kept;
  }
  peer->out.log = old.out.log;
  return peer;
}

std::unique_ptr<ZonePeer> HubTest::reconnect(ZonePeer& old) {
  auto peer = redial(old);
  peer->handshake();
  return peer;
}

Revision HubTest::put(const std::vector<Resource>& resources) {
  std::vector<ControlOp> ops;
  for (const Resource& each : resources) {
    ops.push_back({false, each});
    put_[each.key] = each;
  }
  auto written = hub->write(ops);
  require(written.has_value(), "the control's put failed: " + (written ?
      "" : describe(written.error())));
  transcript.note("control put " + std::to_string(resources.size()) + " at revision " +
                  std::to_string(written->value));
  return *written;
}

Status HubTest::try_put(const Resource& resource) {
  auto written = hub->write({{false, resource}});
  if (!written) return fail(written.error());
  put_[resource.key] = resource;
  return {};
}

Revision HubTest::remove(const std::vector<Resource>& resources) {
  std::vector<ControlOp> ops;
  for (const Resource& each : resources) {
    ops.push_back({true, each});
    put_.erase(each.key);
  }
  auto written = hub->write(ops);
  require(written.has_value(),
          "the control's remove failed: " + (written ? "" : describe(written.error())));
  transcript.note("control remove at revision " + std::to_string(written->value));
  return *written;
}

std::vector<std::string> HubTest::names_of(const std::string& origin) {
  const auto state = hub->state();
  require(state.has_value(),
          "the control's get_state failed: " + (state ? "" : describe(state.error())));
  std::vector<std::string> names;
  for (const Resource& each : *state) {
    if (each.key.origin == origin) names.push_back(each.key.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

ZoneFacts HubTest::facts(const ZonePeer& peer) {
  auto zone = hub->zone(peer.zone);
  require(zone.has_value(), "the control knows no zone " + peer.zone);
  return *zone;
}

void HubTest::wait_facts(const ZonePeer& peer, const std::string& what,
                         const std::function<bool(const ZoneFacts&)>& holds) {
  for (int at = 0; at < kTries; ++at) {
    const auto zone = hub->zone(peer.zone);
    if (zone && holds(*zone)) return;
    hub->advance(std::chrono::milliseconds(100));
  }
  fail_case("the hub's status of zone " + peer.zone + " never says: " + what);
}

void HubTest::restart() {
  const Status done = hub->restart();
  require(done.has_value(), "restart failed: " + (done ? "" : describe(done.error())));
  transcript.note("control restart");
}

void HubTest::set_zone(const std::string& zone, const std::string& command) {
  const Status done = hub->set_zone(zone, command);
  require(done.has_value(), command + " failed: " + (done ? "" : describe(done.error())));
  transcript.note("control " + command + " zone " + zone);
}

void HubTest::fault(const std::string& what, std::uint64_t argument) {
  const Status done = hub->fault(what, argument);
  require(done.has_value(), "fault " + what + " failed: " + (done ? "" : describe(done.error())));
  transcript.note("fault " + what + " " + std::to_string(argument));
}

void HubTest::expect_replica(const ZonePeer& peer, const std::vector<Resource>& resources) {
  // A complete log leaves nothing in doubt (FLOW-16).
  const bool complete = !peer.in.intents.empty() && peer.in.intents.back().complete;
  require(!complete || peer.in.replica.unconfirmed.empty(),
          "FLOW-16: the replica of " + peer.zone + " keeps what a complete log did not name");
  std::vector<std::string> found;
  for (const auto& [key, item] : peer.in.replica.items) {
    // What a log that is not complete did not name stays, but is no word of the hub (FLOW-16).
    if (!peer.in.replica.unconfirmed.contains(key)) found.push_back(to_string(key));
  }
  expect_names(resources, std::move(found), "the replica of " + peer.zone);
  for (const Resource& each : resources) {
    require(peer.in.replica.has(each), "P1: the replica of " + peer.zone + " has another " +
                                           to_string(each.key));
  }
}

bool HubTest::can(std::string_view capability) const {
  return hub->capabilities().contains(capability);
}

// -- zone -----------------------------------------------------------------------------------------

ZoneTest::ZoneTest(std::shared_ptr<ZoneSubject> subject, Mode which)
    : zone(std::move(subject)), mode(which) {}

ZoneTest::~ZoneTest() {
  try {
    (void)zone->stop();
  } catch (...) {  // the case was judged before
  }
}

namespace {

std::unique_ptr<HubPeer> hub_on(std::unique_ptr<Link> link, Transcript& transcript, Mode mode,
                                PeerLog log) {
  require(link != nullptr, "CON-05: the client does not connect");
  FlowIn in(wire::FlowId::up);
  FlowOut out(wire::FlowId::down, std::move(log));
  in.mode = out.mode = mode;
  return std::make_unique<HubPeer>(std::move(link), transcript, std::move(in), std::move(out));
}

}  // namespace

std::unique_ptr<HubPeer> ZoneTest::meet(const ClientOptions& wanted) {
  options = wanted;
  options.mode = mode;
  call(zone->start(options), "start");
  return hub_on(zone->accept(mode), transcript, mode, PeerLog(kHubLog, true));
}

std::unique_ptr<HubPeer> ZoneTest::join(const std::vector<Resource>& resources) {
  auto hub = meet(options);
  if (!resources.empty()) hub->out.log.write(resources);
  hub->handshake();
  hub->await_durable();
  return hub;
}

std::unique_ptr<HubPeer> ZoneTest::other_hub_in(Mode which, HubPeer& old, PeerLog log) {
  auto hub = hub_on(zone->accept(which), transcript, which, std::move(log));
  hub->session = old.session + 1;
  return hub;
}

std::unique_ptr<HubPeer> ZoneTest::next_in(Mode which, HubPeer& old) {
  auto hub = other_hub_in(which, old, old.out.log);
  hub->in.replica = old.in.replica;
  hub->in.cursor = old.in.cursor;
  return hub;
}

std::unique_ptr<HubPeer> ZoneTest::again(HubPeer& old) {
  old.cut();
  return next(old);
}

ClientFacts ZoneTest::status() {
  auto facts = zone->status();
  require(facts.has_value(), "no status: " + (facts ? "" : describe(facts.error())));
  return *facts;
}

void ZoneTest::wait_status(HubPeer& hub, const std::string& what,
                           const std::function<bool(const ClientFacts&)>& holds) {
  for (int at = 0; at < kTries; ++at) {
    if (holds(status())) return;
    hub.drain();
  }
  const ClientFacts now = status();
  fail_case("the client's status never says: " + what + " (state " + now.state + ", held '" +
            now.held + "', revision " + std::to_string(now.revision) + ")");
}

void ZoneTest::wait_until(HubPeer& hub, const std::string& what,
                          const std::function<bool()>& holds) {
  for (int at = 0; at < kTries; ++at) {
    if (holds()) return;
    hub.drain();
  }
  fail_case("the client never comes to this: " + what);
}

std::vector<std::string> ZoneTest::stored() {
  auto store = zone->store();
  require(store.has_value(), "no store: " + (store ? "" : describe(store.error())));
  std::vector<std::string> names;
  for (const Resource& each : *store) names.push_back(to_string(each.key));
  std::sort(names.begin(), names.end());
  return names;
}

void ZoneTest::expect_store(const std::vector<Resource>& resources) {
  expect_names(resources, stored(), "the client's store");
  const auto store = zone->store();
  for (const Resource& each : resources) {
    const auto found = std::find_if(store->begin(), store->end(), [&](const Resource& other) {
      return other.key == each.key;
    });
    require(found->spec == each.spec,
            "P1: the client's store has another " + to_string(each.key));
  }
}

void ZoneTest::publish(const std::vector<Resource>& resources,
                       const std::vector<Resource>& removes) {
  std::vector<ControlOp> ops;
  for (const Resource& each : resources) ops.push_back({false, each});
  for (const Resource& each : removes) ops.push_back({true, each});
  call(zone->publish(ops), "publish");
}

void ZoneTest::call(const Status& status, const std::string& what) {
  require(status.has_value(), what + " failed: " + (status ? "" : describe(status.error())));
  transcript.note("adapter " + what);
}

}  // namespace zonesync::conform

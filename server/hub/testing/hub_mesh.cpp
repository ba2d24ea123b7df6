#include "server/hub/testing/hub_mesh.hpp"

#include "protocol/core/session.hpp"
#include "protocol/model/assert.hpp"
#include "protocol/wire/codec.hpp"
#include "server/hub/up_prints.hpp"

namespace zonesync::hub::testing {

// -- the zone's end -------------------------------------------------------------------------------

class MeshZone::ZoneEnd final : public SessionHost {
 public:
  explicit ZoneEnd(MeshZone& zone) : zone_(zone) {
    wire::Hello hello;
    hello.zone = zone.name;
    hello.instance = zone.who;
    hello.software = "test/1";
    hello.features.emplace_back(kFeatureViews);
    hello.down_cursor = zone.replica.cursor();
    const LogState state = zone.log.state();
    hello.up_log = {state.log_id, state.current_era(), state.head, state.complete};
    hello.down_window_bytes = limits::kFlowWindowBytes;
    Session::Options options;
    options.mode = zone.mode;
    session = std::make_unique<Session>(options, *this, std::move(hello));
  }
  void on_hello(Session&, const wire::Hello&) override { ZS_ASSERT(false); }
  void on_welcome(Session& opened, const wire::Welcome& welcome) override {
    zone_.welcome = welcome;
    opened.start_flows({&zone_.replica, &zone_.source, zone_.mesh_.hub.up_view(zone_.name)});
  }
  void on_goodbye(Session&, const wire::Goodbye& goodbye) override { zone_.goodbye = goodbye; }
  void on_sync(Session&, std::uint64_t) override { ZS_ASSERT(false); }
  void on_synced(Session&, const wire::Synced&) override {}
  void on_peer_ack(Session&, const wire::Ack& ack) override {
    zone_.verdicts.insert(zone_.verdicts.end(), ack.verdicts.begin(), ack.verdicts.end());
  }
  void on_peer_hold(Session&, const wire::Hold& hold) override { zone_.holds.push_back(hold); }
  void on_session_closed(Session&, const CloseInfo& info) override { zone_.closed = info; }

  std::unique_ptr<Session> session;

 private:
  MeshZone& zone_;
};

// -- the hub's end --------------------------------------------------------------------------------

class MeshZone::HubEnd final : public SessionHost, public UpPort {
 public:
  explicit HubEnd(MeshZone& zone) : id(SessionId{zone.mesh_.next_session_++}), zone_(zone) {
    Session::Options options;
    options.role = SessionRole::hub;
    options.mode = zone.mode;
    session = std::make_unique<Session>(options, *this, std::nullopt);
  }

  void on_hello(Session& opened, const wire::Hello& hello) override {
    HubHarness& hub = zone_.mesh_.hub;
    AdmitRequest request;
    request.hello = hello;
    request.identity = zone_.name;  // what the credential proves
    request.session = id;
    request.now = hub.now;
    request.now_ms = hub.now_ms;
    hub.zones->admit(std::move(request), [this, &opened](tl::expected<Admitted, Refused> result) {
      if (!result) {
        opened.refuse(result.error().code, result.error().text, result.error().retry_after);
      } else {
        welcome(opened, *result);
      }
    });
    hub.core->pump();
  }
  void on_welcome(Session&, const wire::Welcome&) override { ZS_ASSERT(false); }
  void on_goodbye(Session&, const wire::Goodbye&) override {}
  void on_sync(Session& opened, std::uint64_t sync) override {
    opened.synced(sync, zone_.mesh_.hub.source->head());
  }
  void on_synced(Session&, const wire::Synced&) override {}
  void on_peer_ack(Session& opened, const wire::Ack& ack) override {
    HubHarness& hub = zone_.mesh_.hub;
    SessionSample sample;
    sample.acked = opened.sender()->acked();
    zone_.down_counters = opened.sender()->counters();
    sample.counters.changes_sent = zone_.down_counters.changes;
    hub.table->sample(zone_.name, id, sample, hub.now_ms);
    hub.table->verdicts(zone_.name, ack.verdicts, hub.now_ms);
  }
  void on_peer_hold(Session&, const wire::Hold&) override {}
  void on_session_closed(Session&, const CloseInfo& info) override {
    HubHarness& hub = zone_.mesh_.hub;
    hub.close(zone_.name, id, {info.code, "closed", info.reason, hub.now_ms});
  }

  void submit(UpCommit commit, UpDone done) override {
    HubHarness& hub = zone_.mesh_.hub;
    hub.core->submit_up(std::move(commit), std::move(done));
    hub.core->pump();
  }

  SessionId id;
  std::unique_ptr<Session> session;

 private:
  void welcome(Session& opened, const Admitted& admitted) {
    HubHarness& hub = zone_.mesh_.hub;
    UpSink::Options options;
    options.zone = zone_.name;
    options.generation = admitted.generation;
    options.session = id;
    const View up = hub.up_view(zone_.name);
    sink_ = std::make_unique<UpSink>(options, *this, hub.registry, up, admitted.up_cursor,
                                     up_events(*hub.source, zone_.name, up));
    Session::Admission admission;
    feed_ = hub.core->views().feed(zone_.name, {});
    admission.down_view = feed_->current().view;
    admission.views = feed_.get();
    admission.welcome.session = id.value;
    admission.welcome.hub_id = hub.log.state().log_id;
    admission.welcome.generation = admitted.generation.value;
    admission.welcome.down_view = admission.down_view->id();
    admission.welcome.up_view = up.id();
    admission.welcome.message_max_bytes = limits::kMessageMaxBytes;
    admission.welcome.up_window_bytes = limits::kUpFirstGrantBytes;
    admission.welcome.up_cursor = admitted.up_cursor;
    admission.source = hub.source.get();
    admission.sink = sink_.get();
    admission.up_window_bytes = limits::kUpFirstGrantBytes;
    opened.admit(std::move(admission));
  }

  std::unique_ptr<ViewFeed> feed_;
  std::unique_ptr<UpSink> sink_;
  MeshZone& zone_;
};

// -- zone -----------------------------------------------------------------------------------------

MeshZone::MeshZone(HubMesh& mesh, std::string zone, InstanceId instance_id)
    : name(std::move(zone)), who(instance_id), source(log, limits::kHotTailBytes), mesh_(mesh) {
  ZS_ASSERT(log.declare_complete().has_value());
  source.refresh();
}

MeshZone::~MeshZone() = default;

void MeshZone::publish(const std::vector<Resource>& resources,
                       const std::vector<ResourceKey>& leaves) {
  Transaction transaction;
  transaction.revision = source.head().next();
  for (const Resource& each : resources) {
    auto cls = class_of(*mesh_.hub.registry, each);
    ZS_ASSERT(cls.has_value());
    transaction.changes.push_back(wire::make_upsert(*cls, each));
  }
  for (const ResourceKey& key : leaves) {
    const auto latest = log.latest(key).value();
    ZS_ASSERT(latest && latest->kind == ChangeKind::upsert);
    transaction.changes.push_back(wire::make_leave(latest->cls, key));
  }
  const Segment segment{{transaction}};
  log.append(segment, [](const Status& status) { ZS_ASSERT(status.has_value()); });
  source.on_appended(segment);
}

void MeshZone::connect() {
  if (connected()) cut();
  closed.reset();
  goodbye.reset();
  welcome.reset();
  down_counters = {};
  zone_end_ = std::make_unique<ZoneEnd>(*this);
  hub_end_ = std::make_unique<HubEnd>(*this);
  hub_end_->session->on_open(mesh_.hub.now);
  zone_end_->session->on_open(mesh_.hub.now);
}

void MeshZone::cut() {
  if (!connected()) return;
  hub_end_->session->on_closed({}, mesh_.hub.now);
  zone_end_->session->on_closed({}, mesh_.hub.now);
}

bool MeshZone::connected() const { return zone_end_ != nullptr && !closed; }

std::vector<std::string> MeshZone::sees(const std::string& origin) const {
  std::vector<std::string> names;
  for (const auto& [key, item] : replica.items) {
    if (key.origin == origin) names.push_back(key.name);
  }
  return names;
}

// -- mesh -----------------------------------------------------------------------------------------

HubMesh::HubMesh(HubCore::Options options) : hub({}, options) {
  hub.now = TimePoint{} + std::chrono::hours(1);
}

HubMesh::~HubMesh() = default;

MeshZone& HubMesh::add(const std::string& name, std::uint8_t instance_number) {
  zones.push_back(std::make_unique<MeshZone>(*this, name, instance(instance_number)));
  return *zones.back();
}

bool HubMesh::deliver(MeshZone& zone, bool from_zone) {
  if (!zone.connected()) return false;
  Session& from = from_zone ? *zone.zone_end_->session : *zone.hub_end_->session;
  Session& to = from_zone ? *zone.hub_end_->session : *zone.zone_end_->session;
  auto message = from.next_message(hub.now);
  if (!message) {
    if (const auto close = from.wants_close()) {
      from.on_closed(*close, hub.now);
      to.on_closed(*close, hub.now);
    }
    return false;
  }
  ++messages;
  if (tap && !tap(messages)) {
    zone.cut();
    return false;
  }
  to.on_message(std::move(*message), hub.now);
  return true;
}

bool HubMesh::sweep() {
  for (const auto& [session, code] : hub.closed) {  // what the hub wants closed
    for (auto& zone : zones) {
      if (zone->connected() && zone->hub_end_->id == session) {
        zone->hub_end_->session->close(code, "closed by the hub");
      }
    }
  }
  bool moved = false;
  for (auto& zone : zones) {
    moved = deliver(*zone, true) || moved;
    moved = deliver(*zone, false) || moved;
  }
  return moved;
}

void HubMesh::tick() {
  for (auto& zone : zones) {
    if (zone->connected()) zone->hub_end_->session->on_tick(hub.now);
    if (zone->connected()) zone->zone_end_->session->on_tick(hub.now);
  }
}

void HubMesh::pump() {
  constexpr int kQuietSteps = 3;  // ack intervals without a message
  for (int quiet = 0; quiet < kQuietSteps;) {
    if (sweep()) {
      quiet = 0;
      continue;
    }
    ++quiet;
    hub.now += limits::kAckInterval;
    tick();
  }
}

void HubMesh::advance(Duration by) {
  const TimePoint until = hub.now + by;
  while (hub.now < until) {
    hub.now += std::chrono::seconds(1);
    hub.now_ms += 1'000;
    tick();
    pump();
  }
}

void HubMesh::restart_hub() {
  for (auto& zone : zones) {
    zone->cut();
    zone->hub_end_.reset();
    zone->zone_end_.reset();
  }
  hub.restart();
}

}  // namespace zonesync::hub::testing

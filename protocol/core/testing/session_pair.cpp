#include "protocol/core/testing/session_pair.hpp"

#include <algorithm>

#include "protocol/model/assert.hpp"

namespace zonesync::testing {
namespace {

Resource resource(std::string type, std::string origin, const std::string& name,
                  const std::string& text) {
  Resource resource;
  resource.key = {std::move(type), "default", std::move(origin), name};
  resource.spec = "{\"value\":\"" + text + "\"}";
  return resource;
}

}  // namespace

Resource timeout(const std::string& name, const std::string& text) {
  return resource("MeshTimeout", std::string(kGlobalOrigin), name, text);
}

Resource dataplane(const std::string& name, const std::string& text) {
  return resource("Dataplane", "east", name, text);
}

Peer::Peer(SessionRole which, std::size_t hot_tail_bytes)
    : role(which), source(log, hot_tail_bytes) {}

Revision Peer::write(const std::vector<Resource>& resources,
                     const std::vector<ResourceKey>& leaves) {
  static const TypeRegistry registry = TypeRegistry::with_default_types();
  Transaction transaction;
  transaction.revision = source.head().next();
  for (const Resource& each : resources) {
    const Class cls = class_of(registry, each).value();
    const auto latest = log.latest(each.key).value();
    if (latest && latest->kind == ChangeKind::upsert && latest->cls != cls) {
      transaction.changes.push_back(wire::make_leave(latest->cls, each.key));
    }
    transaction.changes.push_back(wire::make_upsert(cls, each));
  }
  for (const ResourceKey& key : leaves) {
    const auto latest = log.latest(key).value();
    ZS_ASSERT(latest && latest->kind == ChangeKind::upsert);
    transaction.changes.push_back(wire::make_leave(latest->cls, key));
  }
  const Segment segment{{transaction}};
  bool durable = false;
  log.append(segment, [&](Status status) { durable = status.has_value(); });
  ZS_ASSERT(durable);
  source.on_appended(segment);
  return transaction.revision;
}

void Peer::open_session(const View& down, const View& up) {
  down_view = down;
  up_view = up;
  closed.reset();
  std::optional<wire::Hello> hello;
  if (role == SessionRole::zone) {
    hello.emplace();
    hello->zone = "east";
    hello->instance.id.bytes[0] = 7;
    hello->software = "test/1";
    if (views_feature) hello->features.emplace_back(kFeatureViews);
    hello->down_cursor = other_sink != nullptr ? other_sink->cursor() : sink.cursor();
    hello->staged = other_sink != nullptr ? other_sink->staged() : sink.staged();
    const LogState state = log.state();
    hello->up_log = {state.log_id, state.current_era(), state.head, state.complete};
    hello->down_window_bytes = window_bytes;
  }
  Session::Options options;
  options.role = role;
  options.mode = mode;
  options.features = features;
  options.message_target_bytes = message_target_bytes;
  options.cut_target_bytes = cut_target_bytes;
  session = std::make_unique<Session>(options, *this, std::move(hello));
}

void Peer::on_hello(Session& opened, const wire::Hello& hello) {
  if (!admit_hello) return;
  Session::Admission admission;
  admission.welcome.session = 1;
  admission.welcome.hub_id = log.state().log_id;
  admission.welcome.generation = 1;
  admission.welcome.down_view = down_view->id();
  admission.welcome.up_view = up_view->id();
  admission.welcome.message_max_bytes = limits::kMessageMaxBytes;
  admission.welcome.up_window_bytes = window_bytes;
  admission.welcome.up_cursor = sink.cursor();
  admission.source = &source;
  admission.down_view = down_view;
  admission.views = views;
  admission.sink = &sink;
  admission.up_window_bytes = window_bytes;
  ZS_ASSERT(hello.zone == "east");
  opened.admit(std::move(admission));
}

void Peer::on_welcome(Session& opened, const wire::Welcome&) {
  CutSink* const receives = other_sink != nullptr ? other_sink : &sink;
  opened.start_flows({receives, &source, up_view});
  for (Verdict& open : sink.open_verdicts()) opened.receiver()->report(std::move(open));
}

void Peer::on_sync(Session& opened, std::uint64_t id) {
  sync_requests.push_back(id);
  if (!sink.deferred) opened.synced(id, source.head());
}

SessionPair::SessionPair(std::size_t hot_tail_bytes)
    : registry(std::make_shared<const TypeRegistry>(TypeRegistry::with_default_types())),
      hub(SessionRole::hub, hot_tail_bytes),
      zone(SessionRole::zone, hot_tail_bytes),
      now(TimePoint{} + std::chrono::hours(1)) {}

void SessionPair::connect() {
  ViewSpec down;
  down.zone = "east";
  ViewSpec up;
  up.down = false;
  up.zone = "east";
  const View down_view(down, registry);
  const View up_view(up, registry);
  hub.open_session(down_view, up_view);
  zone.open_session(down_view, up_view);
  hub.session->on_open(now);
  zone.session->on_open(now);
}

void SessionPair::cut() {
  if (!hub.closed) hub.session->on_closed({}, now);
  if (!zone.closed) zone.session->on_closed({}, now);
}

bool SessionPair::deliver_from(Peer& from, Peer& to) {
  if (from.closed || to.closed) return false;
  auto message = from.session->next_message(now);
  if (!message) {
    if (const auto close = from.session->wants_close()) {
      from.session->on_closed(*close, now);
      to.session->on_closed(*close, now);
    }
    return false;
  }
  ZS_ASSERT(message->size() <= limits::kMessageMaxBytes);
  bytes_ += message->size();
  if (tap && !tap(from.role, *message)) {
    cut();
    return false;
  }
  to.session->on_message(std::move(*message), now);
  return true;
}

std::size_t SessionPair::pump(std::size_t max_messages) {
  std::size_t delivered = 0;
  for (bool moved = true; moved && delivered < max_messages;) {
    moved = false;
    for (auto [from, to] : {std::pair{&zone, &hub}, std::pair{&hub, &zone}}) {
      if (delivered < max_messages && deliver_from(*from, *to)) {
        moved = true;
        ++delivered;
      }
    }
    if (!moved && !hub.closed && !zone.closed) {  // let the ack interval pass
      now += limits::kAckInterval;
      for (auto [from, to] : {std::pair{&zone, &hub}, std::pair{&hub, &zone}}) {
        from->session->on_tick(now);
        if (delivered < max_messages && deliver_from(*from, *to)) {
          moved = true;
          ++delivered;
        }
      }
    }
  }
  return delivered;
}

void SessionPair::advance(Duration by) {
  now += by;
  if (!hub.closed) hub.session->on_tick(now);
  if (!zone.closed) zone.session->on_tick(now);
  pump();
}

View SessionPair::hub_view() const {
  return hub.views != nullptr ? hub.views->current().view : *hub.down_view;
}

std::optional<Digest> SessionPair::hub_digest() const {
  return hub.source.digest_at(hub.source.head(), hub_view());
}

bool SessionPair::converged() const {
  const auto equal = [](const Peer& from, const Peer& to, const View& view) {
    return from.source.digest_at(from.source.head(), view) == to.sink.digest() &&
           to.sink.durable_cursor && to.sink.durable_cursor->revision == from.source.head();
  };
  return equal(hub, zone, hub_view()) && equal(zone, hub, *zone.up_view);
}

}  // namespace zonesync::testing

#include "conformance/adapters/self_hub.hpp"

#include <algorithm>

#include "conformance/adapters/memory_link.hpp"
#include "conformance/suite/case.hpp"
#include "protocol/model/assert.hpp"
#include "protocol/wire/codec.hpp"
#include "server/hub/testing/hub_harness.hpp"
#include "server/hub/up_prints.hpp"
#include "server/hub/up_sink.hpp"

namespace zonesync::conform {
namespace {

using hub::testing::HubHarness;

View up_view(const std::string& zone, std::shared_ptr<const TypeRegistry> registry) {
  ViewSpec spec;
  spec.down = false;
  spec.zone = zone;
  return View(std::move(spec), std::move(registry));
}

IdSource seeded_ids(std::uint64_t seed) {
  return [state = seed * 0x9e3779b97f4a7c15ull + 1]() mutable {
    Id128 id;
    for (auto& byte : id.bytes) {
      state = state * 6364136223846793005ull + 1442695040888963407ull;
      byte = static_cast<std::uint8_t>(state >> 56);
    }
    return id;
  };
}

constexpr int kRoundsMax = 10'000;
/// Small, so that what waits together is not always written together.
constexpr std::size_t kGroupBytes = 1u << 20;

/// The hub's end of one session: what server/cmd's HubSession is in the daemon.
class HubEnd final : public SessionHost, public hub::UpPort {
 public:
  HubEnd(HubHarness& hub, const bool& stalled, SessionId id, std::string identity, SyncMode mode)
      : id_(id), hub_(hub), stalled_(stalled), identity_(std::move(identity)) {
    Session::Options options;
    options.role = SessionRole::hub;
    options.mode = mode;
    auto session = std::make_shared<Session>(options, *this, std::nullopt);
    end = std::make_shared<MemoryEnd>(session);
    session->on_open(hub_.now);
  }

  void on_hello(Session& opened, const wire::Hello& hello) override {
    hello_ = hello;
    hub::AdmitRequest request;
    request.hello = hello;
    request.identity = identity_;
    request.session = id_;
    request.now = hub_.now;
    request.now_ms = hub_.now_ms;
    hub_.zones->admit(std::move(request),
                      [this, &opened](tl::expected<hub::Admitted, hub::Refused> result) {
      if (!result) {
        opened.refuse(result.error().code, result.error().text, result.error().retry_after);
      } else {
        welcome(opened, *result);
      }
    });
    pump();
  }
  void on_welcome(Session&, const wire::Welcome&) override {}
  void on_goodbye(Session&, const wire::Goodbye&) override {}
  void on_sync(Session& opened, std::uint64_t sync) override {
    opened.synced(sync, hub_.source->head());
  }
  void on_synced(Session&, const wire::Synced&) override {}
  void on_peer_ack(Session& opened, const wire::Ack& ack) override {
    if (!ack.verdicts.empty()) hub_.table->verdicts(identity_, ack.verdicts, hub_.now_ms);
    sample(opened);
  }
  void on_peer_hold(Session& opened, const wire::Hold&) override { sample(opened); }
  void on_session_closed(Session& ended, const CloseInfo& info) override {
    sample(ended);
    hub_.close(identity_, id_, {info.code, "sync.zone.disconnected", info.reason, hub_.now_ms});
  }
  void submit(hub::UpCommit commit, hub::UpDone done) override {
    hub_.core->submit_up(std::move(commit), std::move(done));
    pump();
  }
  void sample(Session& opened) {
    if (!sink_) return;
    hub::SessionSample now;
    if (const FlowSender* sender = opened.sender()) {
      now.acked = sender->acked();
      now.digest_failed = sender->why() == "digest_mismatch";
      if (sender->held()) now.hold_reason = sender->held()->reason;
    }
    hub_.table->sample(identity_, id_, now, hub_.now_ms);
  }

  [[nodiscard]] SessionId id() const { return id_; }
  std::shared_ptr<MemoryEnd> end;

 private:
  void pump() {
    if (!stalled_) hub_.core->pump();
  }
  void welcome(Session& opened, const hub::Admitted& admitted) {
    hub::UpSink::Options options;
    options.zone = identity_;
    options.generation = admitted.generation;
    options.session = id_;
    const hub::ZoneScope request = hub::request_of(hello_, {});
    const View down = hub_.core->views().down_view(identity_, request);
    const View up = up_view(identity_, hub_.registry);
    feed_ = hub_.core->views().feed(identity_, request);
    hub::UpSink::Events events = hub::up_events(*hub_.source, identity_, up);
    events.stored = [this](const ResourceKey& key, const Hash128& hash) {
      return hub_.source->version(key, hash);
    };
    sink_ = std::make_unique<hub::UpSink>(options, *this, hub_.registry, up, admitted.up_cursor,
                                          std::move(events));
    Session::Admission admission;
    admission.source = hub_.source.get();
    admission.down_view = down;
    admission.views = feed_.get();
    admission.sink = sink_.get();
    admission.up_window_bytes = limits::kUpFirstGrantBytes;
    admission.open_rejects = admitted.open_rejects;
    wire::Welcome& message = admission.welcome;
    message.session = id_.value;
    message.hub_id = hub_.log.state().log_id;
    message.generation = admitted.generation.value;
    message.down_view = down.id();
    message.up_view = up.id();
    for (const TypeInfo* type : hub_.registry->all()) message.types.push_back(*type);
    message.message_max_bytes = limits::kMessageMaxBytes;
    message.up_window_bytes = limits::kUpFirstGrantBytes;
    message.up_cursor = admitted.up_cursor;
    opened.admit(std::move(admission));
  }

  SessionId id_;
  HubHarness& hub_;
  const bool& stalled_;          // the disk: what is to be written waits
  std::string identity_;
  wire::Hello hello_;
  std::unique_ptr<ViewFeed> feed_;
  std::unique_ptr<hub::UpSink> sink_;
};

class SelfHub final : public HubSubject {
 public:
  SelfHub(std::uint64_t seed, std::shared_ptr<const TypeRegistry> types)
      : hub_({.created_complete = true, .ids = seeded_ids(seed)}, {.group_max_bytes = kGroupBytes},
             std::move(types)) {
    hub_.now = TimePoint{} + std::chrono::hours(1);
  }
  ~SelfHub() override {
    try {
      end_all();
    } catch (...) {  // the case was judged before
    }
  }

  [[nodiscard]] Capabilities capabilities() const override {
    return {"control", "restart", "clock", "zones", "approve", "delete-zone", "lose-tail", "trim",
            "disk-full", "stall-disk", "disable-zone", "zstd", "patch", "repair", "resume"};
  }
  tl::expected<std::unique_ptr<Link>, DialRefusal> connect(const DialOptions& options) override {
    std::optional<SyncMode> mode;
    for (const std::string& offered : options.subprotocols) {
      if (mode) break;
      if (offered == subprotocol(Mode::delta)) mode = SyncMode::delta;
      if (offered == subprotocol(Mode::v1)) mode = SyncMode::v1;
    }
    if (!mode) {
      return tl::unexpected(DialRefusal{400, "zonesync.v2.delta zonesync.v1.sotw",
                                        "no subprotocol in common", false});
    }
    sessions_.push_back(
        std::make_unique<HubEnd>(hub_, stalled_, SessionId{next_session_++}, options.zone, *mode));
    MemoryWorld world;
    world.now = [this] { return hub_.now; };
    world.settle = [this] { settle(); };
    world.advance = [this](Duration by) { step(by); };
    return std::make_unique<MemoryLink>(sessions_.back()->end, std::move(world));
  }
  void advance(Duration by) override {
    const TimePoint until = hub_.now + by;
    while (hub_.now < until) step(std::min<Duration>(std::chrono::seconds(1), until - hub_.now));
  }

  Result<Revision> write(const std::vector<ControlOp>& ops) override;
  Result<std::vector<Resource>> state() override;
  Result<ZoneFacts> zone(const std::string& name) override;
  Status set_zone(const std::string& name, const std::string& command) override;
  Status restart() override;
  Status fault(const std::string& name, std::uint64_t argument) override;

 private:
  void step(Duration by) {
    hub_.now += by;
    hub_.now_ms += std::chrono::duration_cast<std::chrono::milliseconds>(by).count();
    for (auto& session : sessions_) {
      if (!session->end->closed) session->end->session->on_tick(hub_.now);
    }
    settle();
  }
  void settle() {
    int rounds = 0;
    for (bool moved = true; moved;) {
      moved = false;
      require(++rounds < kRoundsMax, "the hub never comes to rest");
      for (const auto& [id, code] : std::exchange(hub_.closed, {})) {
        for (auto& session : sessions_) {
          if (session->id() == id) session->end->session->close(code, "closed by the hub");
        }
      }
      for (auto& session : sessions_) moved = session->end->pull(hub_.now) || moved;
      moved = moved || !hub_.closed.empty();
    }
  }
  void end_all() {
    for (auto& session : sessions_) session->end->end({}, hub_.now);
  }

  HubHarness hub_;
  bool stalled_ = false;
  std::vector<std::unique_ptr<HubEnd>> sessions_;   // ended ones too: links refer to their ends
  std::uint64_t next_session_ = 1;
};

Result<Revision> SelfHub::write(const std::vector<ControlOp>& ops) {
  std::vector<hub::WriteOp> writes;
  for (const ControlOp& op : ops) {
    writes.push_back(op.remove ? hub::testing::remove(op.resource.key)
                               : hub::testing::put(op.resource));
  }
  auto result = hub_.write(std::move(writes));
  settle();
  if (!result) return fail(result.error());
  return result->revision;
}

Result<std::vector<Resource>> SelfHub::state() {
  ListFilter filter;
  filter.all_types = true;
  std::vector<Resource> found;
  std::optional<ResourceKey> after;
  do {
    auto page = hub_.log.list(filter, after, 10'000);
    if (!page) return fail(page.error());
    for (const LogEntry& entry : page->entries) {
      if (hub::is_system_type(entry.change.key.type)) continue;
      auto resource = wire::resource_of(entry.change.payload);
      if (!resource) return fail(resource.error());
      found.push_back(std::move(*resource));
    }
    after = page->next;
  } while (after);
  return found;
}

Result<ZoneFacts> SelfHub::zone(const std::string& name) {
  for (auto& session : sessions_) {
    if (!session->end->closed) session->sample(*session->end->session);
  }
  const auto status = hub_.table->snapshot_of(name, hub_.source->head(), hub_.now_ms);
  if (!status) return fail(ErrorCode::not_found, "there is no zone " + name);
  ZoneFacts facts;
  facts.connected = status->connected;
  facts.generation = status->generation.value;
  if (status->acked) facts.acked = status->acked->value;
  if (status->up_cursor) facts.up_revision = status->up_cursor->revision.value;
  facts.hold = status->hold_reason;
  facts.rejects = status->rejects_total;
  facts.mode = status->mode;
  facts.converged = std::string(to_string(status->converged));
  return facts;
}

Status SelfHub::set_zone(const std::string& name, const std::string& command) {
  Status done = fail(ErrorCode::unsupported, "self does not know '" + command + "'");
  if (command == "approve-mass-delete") {
    done = hub_.core->approve_mass_delete(name);
    for (auto& session : sessions_) {
      if (!session->end->closed && session->end->session->receiver() != nullptr) {
        session->end->session->receiver()->retry_held();
      }
    }
  } else if (command == "delete") {
    hub_.zones->delete_zone(name, true, [&](const Status& status) { done = status; });
    hub_.core->pump();
  } else if (command == "enable" || command == "disable") {
    hub_.zones->set_enabled(name, command == "enable", [&](const Status& status) {
      done = status;
    });
    hub_.core->pump();
  }
  settle();
  return done;
}

Status SelfHub::restart() {
  end_all();
  stalled_ = false;
  sessions_.clear();
  hub_.restart();
  return {};
}

Status SelfHub::fault(const std::string& name, std::uint64_t argument) {
  if (name == "lose-tail") {  // the newest so many revisions, with a restart
    end_all();
    const Revision head = hub_.log.state().head;
    hub_.log.rewind_to(Revision{head.value - std::min(head.value, argument)});
    return restart();
  }
  if (name == "trim") {       // everything superseded and every leave up to the head
    TrimRequest request;
    request.floor = hub_.log.state().head;
    if (argument == 0) request.tombstone_floor = request.floor;  // 1: leaves are kept
    for (;;) {
      auto progress = hub_.log.trim(request);
      if (!progress) return fail(progress.error());
      if (progress->done) break;
    }
    hub_.source->refresh();
    return {};
  }
  if (name == "stall-disk") {  // 1: what is to be written waits; 0: it is written
    stalled_ = argument != 0;
    if (!stalled_) hub_.core->pump();
    settle();
    return {};
  }
  if (name == "disk-full") {  // the next append
    hub_.log.fail_next(Error{ErrorCode::resource_exhausted, "no space left on device", ""});
    return {};
  }
  return fail(ErrorCode::unsupported, "self does not know the fault '" + name + "'");
}

class SelfFactory final : public SubjectFactory {
 public:
  [[nodiscard]] std::string name() const override { return "self"; }
  std::shared_ptr<HubSubject> hub(std::uint64_t seed) override { return make_self_hub(seed); }
  std::shared_ptr<ZoneSubject> zone(std::uint64_t seed) override { return make_self_zone(seed); }
  [[nodiscard]] std::vector<Mode> modes() const override {
    return {Mode::delta, Mode::v1};
  }
};

}  // namespace

std::shared_ptr<HubSubject> make_self_hub(std::uint64_t seed,
                                          std::shared_ptr<const TypeRegistry> types) {
  return std::make_shared<SelfHub>(seed, std::move(types));
}

std::unique_ptr<SubjectFactory> make_self_factory() { return std::make_unique<SelfFactory>(); }

}  // namespace zonesync::conform

#include "server/hub/testing/hub_harness.hpp"

#include "protocol/model/assert.hpp"

namespace zonesync::hub::testing {

Resource policy(const std::string& name, const std::string& text) {
  Resource resource;
  resource.key = {"MeshTimeout", "default", std::string(kGlobalOrigin), name};
  resource.spec = "{\"value\":\"" + text + "\"}";
  return resource;
}

Resource dataplane(const std::string& zone, const std::string& name, const std::string& text) {
  Resource resource;
  resource.key = {"Dataplane", "default", zone, name};
  resource.spec = "{\"address\":\"" + text + "\"}";
  return resource;
}

WriteOp put(Resource resource) {
  WriteOp op;
  op.resource = std::move(resource);
  return op;
}

WriteOp remove(ResourceKey key) {
  WriteOp op;
  op.kind = WriteOp::Kind::remove;
  op.key = std::move(key);
  return op;
}

InstanceId instance(std::uint8_t number) {
  InstanceId id;
  id.id.bytes[15] = number;
  return id;
}

HubHarness::HubHarness(MemoryChangeLogOptions log_options, HubCore::Options core_options,
                       std::shared_ptr<const TypeRegistry> types)
    : registry(types ? std::move(types) : std::make_shared<const TypeRegistry>(
                                              TypeRegistry::with_default_types())),
      options(core_options),
      log(std::move(log_options)) {
  build();
}

void HubHarness::build() {
  zones.reset();
  core.reset();
  source = std::make_unique<LogSource>(log, limits::kHotTailBytes);
  table = std::make_unique<ZoneTable>();
  HubCore::Events events;
  events.committed = [this](const Segment& segment) {
    segments.push_back(segment);
    if (on_committed) on_committed();
  };
  events.fatal = [this](const Error& error) { fatals.push_back(error); };
  events.now_ms = [this] { return now_ms; };
  core = std::make_unique<HubCore>(options, log, *source, *table, registry, std::move(events));
  ZoneRegistry::Options zone_options;
  zone_options.auto_register = auto_register;
  zone_options.delete_batch = 10;
  ZoneRegistry::Events zone_events;
  zone_events.close_session = [this](SessionId session, std::uint16_t code, const std::string&) {
    closed.emplace_back(session, code);
  };
  zone_events.duplicate = [this](const std::string& zone) { duplicates.push_back(zone); };
  zones = std::make_unique<ZoneRegistry>(zone_options, *core, std::move(zone_events));
  ZS_ASSERT(core->load());
  ZS_ASSERT(zones->load(log));
  core->on_rollback([this] { ZS_ASSERT(zones->load(log)); });
}

void HubHarness::restart() {
  log.reopen();
  build();
  zones->resume_deletions();
  core->pump();
}

HubHarness::Answer HubHarness::submit(WriteRequest request) {
  auto answer = std::make_shared<std::optional<Result<WriteResult>>>();
  auto prepared = prepare(*registry, request);
  if (!prepared) {
    *answer = fail(std::move(prepared.error()));
    return answer;
  }
  core->submit(std::move(*prepared), [answer](Result<WriteResult> result) {
    ZS_ASSERT(!*answer);
    *answer = std::move(result);
  });
  return answer;
}

Result<WriteResult> HubHarness::write(std::vector<WriteOp> ops) {
  WriteRequest request;
  request.ops = std::move(ops);
  const auto answer = submit(std::move(request));
  core->pump();
  ZS_ASSERT(*answer);
  return **answer;
}

wire::Hello HubHarness::hello(const std::string& zone, InstanceId id) const {
  wire::Hello message;
  message.zone = zone;
  message.instance = id;
  message.software = "test/1";
  return message;
}

tl::expected<Admitted, Refused> HubHarness::admit(const wire::Hello& hello,
                                                  const std::string& identity) {
  AdmitRequest request;
  request.hello = hello;
  request.identity = identity.empty() ? hello.zone : identity;
  request.session = SessionId{next_session_++};
  request.now = now;
  request.now_ms = now_ms;
  std::optional<tl::expected<Admitted, Refused>> answer;
  zones->admit(std::move(request),
               [&](tl::expected<Admitted, Refused> result) { answer = std::move(result); });
  core->pump();
  log.sync();  // with manual_sync: whatever waits is durable before the Welcome
  ZS_ASSERT(answer);
  return *answer;
}

void HubHarness::close(const std::string& zone, SessionId session, DisconnectReason reason) {
  zones->session_closed(zone, session, std::move(reason));
  core->pump();
}

std::size_t HubHarness::logged_changes() const {
  std::size_t count = 0;
  for (const auto& segment : segments) {
    for (const auto& transaction : segment.transactions) {
      for (const auto& change : transaction.changes) {
        if (!is_system_type(change.key.type)) ++count;
      }
    }
  }
  return count;
}

std::vector<Change> HubHarness::live_system(std::string_view type) const {
  ListFilter filter;
  filter.type = std::string(type);
  const auto page = log.list(filter, std::nullopt, 100'000);
  std::vector<Change> found;
  for (const auto& entry : page->entries) found.push_back(entry.change);
  return found;
}

View HubHarness::up_view(const std::string& zone) const {
  ViewSpec spec;
  spec.down = false;
  spec.zone = zone;
  return View(std::move(spec), registry);
}

std::vector<std::string> HubHarness::names(const std::string& origin) const {
  ListFilter filter;
  filter.all_types = true;
  filter.origin = origin;
  const auto page = log.list(filter, std::nullopt, 100'000);
  std::vector<std::string> found;
  for (const auto& entry : page->entries) {
    if (!is_system_type(entry.change.key.type)) found.push_back(entry.change.key.name);
  }
  return found;
}

ZoneStatus HubHarness::status(const std::string& zone) const {
  const auto found = table->snapshot_of(zone, source->head(), now_ms);
  ZS_ASSERT(found);
  return *found;
}

}  // namespace zonesync::hub::testing

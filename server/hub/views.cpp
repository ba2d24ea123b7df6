#include "server/hub/views.hpp"

namespace zonesync::hub {

// -- decisions ------------------------------------------------------------------------------------

View Views::Decisions::view(const std::string& zone, const ZoneScope& request) const {
  ViewSpec spec;
  spec.zone = zone;
  const auto found = zones.find(zone);
  const ZoneScope scope = found == zones.end() ? ZoneScope{} : found->second.scope;
  spec.types = narrow(scope.types, request.types);
  spec.meshes = narrow(scope.meshes, request.meshes);
  spec.labels = narrow(scope.labels, request.labels);
  for (const auto& [name, other] : zones) {
    if (!other.enabled && name != zone) spec.withheld_origins.insert(name);
  }
  return View(std::move(spec), registry);
}

bool Views::Decisions::take(const Change& change) {
  const bool leave = change.kind == ChangeKind::leave;
  const std::string& name = change.key.name;
  if (change.key.type == kZoneType) {
    if (leave) return zones.erase(name) > 0;
    const auto record = decode_zone(change);
    if (!record) return false;
    const Zone next{record->enabled, record->paused, record->scope};
    const bool moved = zones[name] != next;
    zones[name] = next;
    return moved;
  }
  if (change.key.type == kViewsType) {
    if (leave) return kept.erase(name) > 0;
    if (auto record = decode_views(change)) kept[name] = std::move(*record);
    return false;
  }
  if (change.key.type != kTypeType || leave) return false;
  auto type = decode_type(change);
  auto next = std::make_shared<TypeRegistry>(*registry);
  if (!type || !next->add(std::move(*type))) return false;  // the configuration has it by now
  registry = std::move(next);
  return true;
}

// -- the sessions' side ---------------------------------------------------------------------------

class Views::Feed final : public ViewFeed {
 public:
  Feed(const Views& views, std::string zone, ZoneScope request)
      : views_(views), zone_(std::move(zone)), request_(std::move(request)) {}

  [[nodiscard]] std::uint64_t version() const override {
    return views_.version_.load(std::memory_order_acquire);
  }
  [[nodiscard]] InForce current() const override {
    const std::lock_guard lock(views_.mutex_);
    const auto found = views_.live_.zones.find(zone_);
    const bool paused = found != views_.live_.zones.end() && found->second.paused;
    return {version(), views_.live_.view(zone_, request_), views_.since_, paused};
  }
  [[nodiscard]] std::optional<View> find(const ViewId& id) const override {
    const std::lock_guard lock(views_.mutex_);
    const auto kept = views_.live_.kept.find(zone_);
    if (kept == views_.live_.kept.end()) return std::nullopt;
    for (const View& view : kept->second.views) {
      if (view.id() == id) return view;
    }
    return std::nullopt;
  }

 private:
  const Views& views_;
  const std::string zone_;
  const ZoneScope request_;
};

// -- planning -------------------------------------------------------------------------------------

Views::Views(std::shared_ptr<const TypeRegistry> base) : base_(std::move(base)) {
  planned_.registry = base_;
  live_ = planned_;
}

Status Views::load(const ChangeLog& log) {
  Decisions loaded;
  loaded.registry = base_;
  for (const auto type : {kTypeType, kZoneType, kViewsType}) {
    ListFilter filter;
    filter.type = std::string(type);
    std::optional<ResourceKey> after;
    do {
      auto page = log.list(filter, after, 1'000);
      if (!page) return fail(std::move(page.error()));
      for (const LogEntry& entry : page->entries) (void)loaded.take(entry.change);
      after = page->next;
    } while (after);
  }
  const std::lock_guard lock(mutex_);
  live_ = loaded;
  planned_ = std::move(loaded);
  since_ = log.state().head;
  version_.fetch_add(1, std::memory_order_acq_rel);
  return {};
}

/// Records the views that the planned decisions bring to zones that were connected once.
void Views::keep_moved(std::vector<Change>& changes) {
  for (auto& [zone, record] : planned_.kept) {
    if (remember(record, planned_.view(zone, record.request))) changes.push_back(encode(record));
  }
}

void Views::plan_zone(const ZoneRecord& record, std::vector<Change>& changes) {
  Zone& known = planned_.zones[record.name];
  const bool concerns_all = known.enabled != record.enabled;
  known = Zone{record.enabled, record.paused, record.scope};
  if (concerns_all) return keep_moved(changes);
  const auto kept = planned_.kept.find(record.name);
  if (kept == planned_.kept.end()) return;
  const View view = planned_.view(record.name, kept->second.request);
  if (remember(kept->second, view)) changes.push_back(encode(kept->second));
}

void Views::plan_request(const std::string& zone, const ZoneScope& request,
                         std::vector<Change>& changes) {
  ViewsRecord& record = planned_.kept[zone];
  record.zone = zone;
  const bool asked = record.request != request;
  record.request = request;
  if (remember(record, planned_.view(zone, request)) || asked) changes.push_back(encode(record));
}

Status Views::plan_type(const TypeInfo& type, std::vector<Change>& changes) {
  auto next = std::make_shared<TypeRegistry>(*planned_.registry);
  if (auto status = next->add(type); !status) return status;
  planned_.registry = std::move(next);
  changes.push_back(encode(*planned_.registry->find(type.name)));
  keep_moved(changes);
  return {};
}

void Views::plan_removal(const std::string& zone, std::vector<Change>& changes) {
  const auto known = planned_.zones.find(zone);
  const bool concerns_all = known != planned_.zones.end() && !known->second.enabled;
  planned_.zones.erase(zone);
  if (planned_.kept.erase(zone) > 0) changes.push_back(system_leave(views_key(zone)));
  if (concerns_all) keep_moved(changes);
}

void Views::forget_plans() {
  const std::lock_guard lock(mutex_);
  planned_ = live_;
}

void Views::apply(const Segment& segment) {
  bool moved = false;
  for (const Transaction& transaction : segment.transactions) {
    for (const Change& change : transaction.changes) {
      if (!is_system_type(change.key.type)) continue;
      const std::lock_guard lock(mutex_);
      if (!live_.take(change)) continue;
      moved = true;
      since_ = transaction.revision;
    }
  }
  if (moved) version_.fetch_add(1, std::memory_order_acq_rel);
}

// -- now ------------------------------------------------------------------------------------------

std::shared_ptr<const TypeRegistry> Views::registry() const {
  const std::lock_guard lock(mutex_);
  return live_.registry;
}

View Views::down_view(const std::string& zone, const ZoneScope& request) const {
  const std::lock_guard lock(mutex_);
  return live_.view(zone, request);
}

std::optional<View> Views::view_of(const std::string& zone) const {
  const std::lock_guard lock(mutex_);
  const auto found = live_.kept.find(zone);
  if (found == live_.kept.end()) return std::nullopt;
  return live_.view(zone, found->second.request);
}

std::unique_ptr<ViewFeed> Views::feed(const std::string& zone, ZoneScope request) const {
  return std::make_unique<Feed>(*this, zone, std::move(request));
}

}  // namespace zonesync::hub

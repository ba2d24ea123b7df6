// What an operator does with zones and types, besides registering and deleting (zone_registry.cpp).
#include <algorithm>

#include "server/hub/zone_registry.hpp"

namespace zonesync::hub {
namespace {

using ZoneEdit = std::function<void(ZoneRecord&)>;

Status check_scope(const ZoneScope& scope, const TypeRegistry& registry) {
  constexpr std::size_t kNamesMax = 1'000;
  const bool large = scope.types.size() > kNamesMax || scope.meshes.size() > kNamesMax ||
                     scope.labels.size() > limits::kLabelsMax;
  if (large) return fail(ErrorCode::too_large, "a scope may name 1,000 types and meshes", "/types");
  for (const std::string& type : scope.types) {
    if (auto known = registry.require(type); !known) {
      return fail(ErrorCode::invalid_argument, known.error().message, "/types");
    }
  }
  for (const std::string& mesh : scope.meshes) {
    if (auto valid = check_resource_name(mesh, "/meshes"); !valid) return valid;
  }
  const auto types = registry.all();
  for (const auto& [label, values] : scope.labels) {
    const bool declared = std::any_of(types.begin(), types.end(), [&](const TypeInfo* info) {
      const auto& labels = info->scope_labels;
      return std::find(labels.begin(), labels.end(), label) != labels.end();
    });
    if (!declared) {
      return fail(ErrorCode::invalid_argument,
                  "no type declares the scope label '" + label +
                      "'; name it in scope_labels when the type is registered",
                  "/labels");
    }
    if (values.empty() || values.size() > kNamesMax) {
      return fail(ErrorCode::invalid_argument,
                  "a label of a scope has 1 to 1,000 values; leave it out to allow all", "/labels");
    }
  }
  return {};
}

}  // namespace

ZoneScope request_of(const wire::Hello& hello, const ZoneScope& token_scope) {
  ZoneScope request = token_scope;
  request.types = narrow(request.types, {hello.types.begin(), hello.types.end()});
  request.meshes = narrow(request.meshes, {hello.meshes.begin(), hello.meshes.end()});
  return request;
}

/// Changes a zone's record: durable first, live in the sessions with the same entry.
class ZoneRegistry::ChangeJob final : public Job {
 public:
  ChangeJob(ZoneRegistry& zones, std::string zone, ZoneEdit edit, StatusDone done)
      : zones_(zones), zone_(std::move(zone)), edit_(std::move(edit)), done_(std::move(done)) {}

  void plan(Group& group) override {
    const auto found = zones_.zones_.find(zone_);
    if (found == zones_.zones_.end()) {
      status_ = fail(ErrorCode::not_found, "zone '" + zone_ + "' is not registered", "/name");
      return;
    }
    ZoneRecord& record = found->second.record;
    if (record.deleting) {
      status_ = fail(ErrorCode::conflict, "zone '" + zone_ + "' is being deleted");
      return;
    }
    ZoneRecord next = record;
    edit_(next);
    if (next == record) return;
    std::vector<Change> changes{encode(next)};
    zones_.core_.views().plan_zone(next, changes);
    group.add(std::move(changes));
    record = std::move(next);
  }

  void finish(const Status& durable) override {
    if (!durable) return done_(durable);
    if (const auto* record = zones_.find(zone_); status_ && record != nullptr) {
      zones_.core_.table().put_zone(*record);
      zones_.notify(zone_);
    }
    done_(status_);
  }

 private:
  ZoneRegistry& zones_;
  std::string zone_;
  ZoneEdit edit_;
  StatusDone done_;
  Status status_;
};

class ZoneRegistry::TypeJob final : public Job {
 public:
  TypeJob(ZoneRegistry& zones, TypeInfo type, StatusDone done)
      : zones_(zones), type_(std::move(type)), done_(std::move(done)) {}

  void plan(Group& group) override {
    std::vector<Change> changes;
    status_ = zones_.core_.views().plan_type(type_, changes);
    if (status_) group.add(std::move(changes));
  }

  void finish(const Status& durable) override {
    const Status outcome = durable ? status_ : durable;
    if (outcome && type_.zone_to_global && zones_.events_.close_session) {
      for (const auto& [name, entry] : zones_.zones_) {
        if (!entry.session) continue;
        zones_.events_.close_session(*entry.session, close_code::kRestart,
                                     "a type that zones provide was registered");
      }
    }
    done_(outcome);
  }

 private:
  ZoneRegistry& zones_;
  TypeInfo type_;
  StatusDone done_;
  Status status_;
};

void ZoneRegistry::set_enabled(const std::string& zone, bool enabled, StatusDone done) {
  core_.submit_job(HubCore::source_of(zone),
                   std::make_unique<ChangeJob>(
                       *this, zone, [enabled](ZoneRecord& record) { record.enabled = enabled; },
                       std::move(done)));
}

void ZoneRegistry::set_paused(const std::string& zone, bool paused, StatusDone done) {
  core_.submit_job(HubCore::source_of(zone),
                   std::make_unique<ChangeJob>(
                       *this, zone, [paused](ZoneRecord& record) { record.paused = paused; },
                       std::move(done)));
}

void ZoneRegistry::set_scope(const std::string& zone, ZoneScope scope, StatusDone done) {
  if (auto valid = check_scope(scope, core_.registry()); !valid) return done(valid);
  core_.submit_job(
      HubCore::source_of(zone),
      std::make_unique<ChangeJob>(
          *this, zone,
          [scope = std::move(scope)](ZoneRecord& record) { record.scope = scope; },
          std::move(done)));
}

void ZoneRegistry::add_type(TypeInfo type, StatusDone done) {
  core_.submit_job("types", std::make_unique<TypeJob>(*this, std::move(type), std::move(done)));
}

}  // namespace zonesync::hub

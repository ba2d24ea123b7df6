// An operator's word about a zone's mode.
#include "server/hub/zone_registry.hpp"

namespace zonesync::hub {

class ZoneRegistry::ModeJob final : public Job {
 public:
  ModeJob(ZoneRegistry& zones, std::string zone, std::optional<SyncMode> mode, StatusDone done)
      : zones_(zones), zone_(std::move(zone)), mode_(mode), done_(std::move(done)) {}

  void plan(Group& group) override {
    const auto found = zones_.zones_.find(zone_);
    if (found == zones_.zones_.end()) {
      status_ = fail(ErrorCode::not_found, "zone '" + zone_ + "' is not registered", "/name");
      return;
    }
    ZoneRecord& record = found->second.record;
    if (record.forced_mode == mode_) return;
    record.forced_mode = mode_;
    changed_ = true;
    group.add({encode(record)});
  }

  void finish(const Status& durable) override {
    if (!durable) return done_(durable);
    const auto found = zones_.zones_.find(zone_);
    if (status_ && changed_ && found != zones_.zones_.end()) {
      zones_.core_.table().put_zone(found->second.record);
      const auto session = found->second.session;
      if (session && zones_.events_.close_session) {
        zones_.events_.close_session(*session, close_code::kRestart,
                                     "an operator changed the zone's mode");
      }
      zones_.notify(zone_);
    }
    done_(status_);
  }

 private:
  ZoneRegistry& zones_;
  std::string zone_;
  std::optional<SyncMode> mode_;
  StatusDone done_;
  Status status_;
  bool changed_ = false;
};

void ZoneRegistry::set_mode(const std::string& zone, std::optional<SyncMode> mode,
                            StatusDone done) {
  core_.submit_job(HubCore::source_of(zone),
                   std::make_unique<ModeJob>(*this, zone, mode, std::move(done)));
}

void ZoneRegistry::fall_back(const std::string& zone, Duration ttl, const StatusDone& done) {
  const auto found = zones_.find(zone);
  if (found == zones_.end()) {
    return done(fail(ErrorCode::not_found, "zone '" + zone + "' is not registered", "/name"));
  }
  if (!found->second.session || !events_.fall_back) {
    return done(fail(ErrorCode::unavailable, "zone '" + zone +
                                                 "' is not connected; a mode without a time is "
                                                 "kept until it is"));
  }
  events_.fall_back(*found->second.session, ttl);
  done({});
}

}  // namespace zonesync::hub

// HubProcess: what an operator does with zones and types while the hub runs.
#include <utility>

#include "server/cmd/hub_process.hpp"

namespace zonesync {

/// Runs `work(done)` on the writer thread; a stopped hub answers `unavailable` there and then.
void HubProcess::operate(std::function<void(const hub::StatusDone&)> work, hub::StatusDone done) {
  const bool posted = !draining_ && writer_.post([work, done] { work(done); });
  if (!posted) done(fail(ErrorCode::unavailable, "the hub is shutting down; retry later"));
}

void HubProcess::change_zone(const std::string& name, hub::ZoneChange change,
                             hub::StatusDone done) {
  operate(
      [this, name, change = std::move(change)](const hub::StatusDone& answer) {
        if (change.enabled) return registry_->set_enabled(name, *change.enabled, answer);
        if (change.paused) return registry_->set_paused(name, *change.paused, answer);
        if (change.scope) return registry_->set_scope(name, *change.scope, answer);
        answer({});
      },
      std::move(done));
}

/// The zone's open session, for what needs one.
Result<SessionId> HubProcess::session_for(const std::string& name) const {
  if (registry_->find(name) == nullptr) {
    return fail(ErrorCode::not_found, "zone '" + name + "' is not registered", "/name");
  }
  const auto session = registry_->session_of(name);
  if (!session) {
    return fail(ErrorCode::conflict, "zone '" + name + "' is not connected; it catches up by "
                                     "itself when it returns");
  }
  return *session;
}

void HubProcess::resync_zone(const std::string& name, hub::StatusDone done) {
  operate(
      [this, name](const hub::StatusDone& answer) {
        const auto session = session_for(name);
        if (!session) return answer(fail(session.error()));
        sync_->resync(*session);
        answer({});
      },
      std::move(done));
}

void HubProcess::drain_zone(const std::string& name, std::chrono::milliseconds retry_after,
                            hub::StatusDone done) {
  operate(
      [this, name, retry_after](const hub::StatusDone& answer) {
        const auto session = session_for(name);
        if (!session) return answer(fail(session.error()));
        sync_->close_session(*session, close_code::kGoingAway, "drained by an operator",
                             retry_after);
        answer({});
      },
      std::move(done));
}

void HubProcess::add_type(TypeInfo type, hub::StatusDone done) {
  operate(
      [this, type = std::move(type)](const hub::StatusDone& answer) {
        registry_->add_type(type, answer);
      },
      std::move(done));
}

}  // namespace zonesync

#include "server/admin/tests/fake_hub.hpp"

#include <algorithm>
#include <future>

#include "protocol/wire/codec.hpp"

namespace zonesync::admin::testing {

FakeHub::FakeHub() : harness_({.created_complete = true}), thread_([this] { run(); }) {}

FakeHub::~FakeHub() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void FakeHub::run() {
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !work_.empty(); });
    if (stopping_) return;
    const auto work = std::move(work_.front());
    work_.pop_front();
    lock.unlock();
    work();
  }
}

void FakeHub::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    work_.push_back(std::move(work));
  }
  changed_.notify_all();
}

void FakeHub::post_and_wait(std::function<void()> work) {
  std::promise<void> done;
  post([&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

void FakeHub::set_zone(hub::ZoneStatus status) {
  const std::lock_guard lock(mutex_);
  zones_[status.name] = std::move(status);
}

hub::WaitResult FakeHub::judge(const Wait& wait) const {
  hub::WaitResult result;
  for (const std::string& name : wait.zones) {
    const auto found = zones_.find(name);
    const bool there = found != zones_.end() && found->second.acked >= wait.revision;
    (there ? result.reached_zones : result.missing_zones).push_back(name);
  }
  result.reached = result.missing_zones.empty();
  return result;
}

void FakeHub::ack(const std::string& zone, Revision revision) {
  const std::lock_guard lock(mutex_);
  zones_[zone].acked = revision;
  for (auto wait = waits_.begin(); wait != waits_.end();) {
    const hub::WaitResult result = judge(*wait);
    if (!result.reached) {
      ++wait;
      continue;
    }
    work_.push_back([done = wait->done, result] { done(result); });
    wait = waits_.erase(wait);
  }
  changed_.notify_all();
}

void FakeHub::set_ready(bool ready, bool draining) {
  const std::lock_guard lock(mutex_);
  ready_ = ready;
  draining_ = draining;
}

void FakeHub::set_disk(bool writes_refused, std::uint64_t free_bytes) {
  const std::lock_guard lock(mutex_);
  writes_refused_ = writes_refused;
  disk_free_bytes_ = free_bytes;
}

void FakeHub::fail_next(Error error) {
  const std::lock_guard lock(mutex_);
  failure_ = std::move(error);
}

std::optional<Error> FakeHub::take_failure() {
  const std::lock_guard lock(mutex_);
  return std::exchange(failure_, std::nullopt);
}

void FakeHub::hold_writes() {
  const std::lock_guard lock(mutex_);
  holding_ = true;
}

void FakeHub::release_writes() {
  {
    const std::lock_guard lock(mutex_);
    holding_ = false;
    std::move(held_.begin(), held_.end(), std::back_inserter(work_));
    held_.clear();
  }
  changed_.notify_all();
}

std::size_t FakeHub::held_writes() const {
  const std::lock_guard lock(mutex_);
  return held_.size();
}

std::size_t FakeHub::waits() const {
  const std::lock_guard lock(mutex_);
  return waits_.size();
}

void FakeHub::publish(const Resource& resource) {
  post_and_wait([&] {
    const auto cls = class_of(*harness_.registry, resource);
    Segment segment;
    const Revision revision = harness_.log.state().head.next();
    segment.transactions.push_back({revision, {wire::make_upsert(*cls, resource)}});
    harness_.log.append(segment, [](const Status&) {});
    harness_.source->on_appended(segment);
    announce({hub::HubEvent::Kind::committed, "", revision});
  });
}

void FakeHub::write(std::vector<hub::WriteOp> ops) {
  std::promise<void> done;
  hub::WriteRequest request;
  request.ops = std::move(ops);
  submit(std::move(request), [&](const Result<hub::WriteResult>&) { done.set_value(); });
  done.get_future().wait();
}

void FakeHub::trim(Revision floor, Revision tombstone_floor) {
  TrimRequest request;
  request.floor = floor;
  request.tombstone_floor = tombstone_floor;
  post_and_wait([&] { (void)harness_.log.trim(request); });
}

hub::HubInfo FakeHub::info() const {
  const LogState state = harness_.log.state();
  const std::lock_guard lock(mutex_);
  hub::HubInfo info;
  info.hub_id = state.log_id;
  info.head = state.head;
  info.era = state.current_era();
  info.era_start = state.eras.back().start;
  info.complete = state.complete;
  info.restored_at = Revision{7};
  info.restored_at_ms = 1'700'000'000'001;
  info.ready = ready_;
  info.draining = draining_;
  info.writes_refused = writes_refused_;
  info.disk_free_bytes = disk_free_bytes_;
  info.started_at_ms = 1'700'000'000'000;
  info.version = "1.2.3";
  return info;
}

hub::HubCounters FakeHub::counters() const {
  hub::HubCounters counters;
  counters.commits = 7;
  return counters;
}

std::vector<hub::ZoneStatus> FakeHub::zones() const {
  const std::lock_guard lock(mutex_);
  std::vector<hub::ZoneStatus> zones;
  for (const auto& [name, status] : zones_) zones.push_back(status);
  return zones;
}

std::optional<hub::ZoneStatus> FakeHub::zone(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = zones_.find(name);
  if (found == zones_.end()) return std::nullopt;
  return found->second;
}

void FakeHub::run_write(hub::PreparedWrite write, hub::WriteDone done) {
  const Revision before = harness_.log.state().head;
  harness_.core->submit(std::move(write), std::move(done));
  harness_.core->pump();
  const Revision after = harness_.log.state().head;
  if (after != before) announce({hub::HubEvent::Kind::committed, "", after});
}

void FakeHub::submit(hub::WriteRequest request, hub::WriteDone done) {
  if (auto failure = take_failure()) {
    return post([done = std::move(done), error = std::move(*failure)] { done(fail(error)); });
  }
  auto prepared = hub::prepare(*harness_.registry, request);
  if (!prepared) {
    return post([done = std::move(done), error = prepared.error()] { done(fail(error)); });
  }
  auto work = [this, write = std::move(*prepared), done = std::move(done)]() mutable {
    run_write(std::move(write), std::move(done));
  };
  {
    const std::lock_guard lock(mutex_);
    (holding_ ? held_ : work_).emplace_back(std::move(work));
  }
  changed_.notify_all();
}

void FakeHub::register_zone(const std::string& name, hub::StatusDone done) {
  Status status;
  if (auto failure = take_failure()) {
    status = fail(std::move(*failure));
  } else if (zone(name)) {
    status = fail(ErrorCode::conflict, "zone '" + name + "' is registered");
  } else {
    hub::ZoneStatus added;
    added.name = name;
    set_zone(added);
  }
  post([done = std::move(done), status] { done(status); });
}

void FakeHub::delete_zone(const std::string& name, bool force, hub::StatusDone done) {
  Status status;
  if (auto failure = take_failure()) {
    status = fail(std::move(*failure));
  } else if (const auto there = zone(name); !there) {
    status = fail(ErrorCode::not_found, "there is no zone '" + name + "'");
  } else if (there->connected && !force) {
    status = fail(ErrorCode::conflict, "zone '" + name + "' is connected");
  } else {
    const std::lock_guard lock(mutex_);
    zones_.erase(name);
  }
  post([done = std::move(done), status] { done(status); });
}

void FakeHub::change_zone(const std::string& name, hub::ZoneChange change, hub::StatusDone done) {
  auto there = zone(name);
  Status status;
  if (!there) {
    status = fail(ErrorCode::not_found, "zone '" + name + "' is not registered");
  } else {
    there->enabled = change.enabled.value_or(there->enabled);
    there->paused = change.paused.value_or(there->paused);
    there->scope = change.scope.value_or(there->scope);
    set_zone(*there);
  }
  post([done = std::move(done), status] { done(status); });
}

void FakeHub::resync_zone(const std::string& name, hub::StatusDone done) {
  const auto there = zone(name);
  Status status;
  if (!there || !there->connected) {
    status = fail(there ? ErrorCode::conflict : ErrorCode::not_found, "zone '" + name + "'");
  }
  post([done = std::move(done), status] { done(status); });
}

void FakeHub::drain_zone(const std::string& name, std::chrono::milliseconds, hub::StatusDone done) {
  resync_zone(name, std::move(done));
}

void FakeHub::add_type(TypeInfo type, hub::StatusDone done) {
  post([this, type = std::move(type), done = std::move(done)] {
    harness_.zones->add_type(type, done);
    harness_.core->pump();
  });
}

std::optional<View> FakeHub::view_of(const std::string& zone) const {
  const auto there = this->zone(zone);
  if (!there) return std::nullopt;
  return harness_.core->views().down_view(zone, there->scope);
}

void FakeHub::approve_mass_delete(const std::string& name, hub::StatusDone done) {
  const auto there = zone(name);
  Status status;
  if (!there || there->hold_reason.empty()) {
    status = fail(ErrorCode::not_found, "nothing of zone '" + name + "' is held");
  }
  post([done = std::move(done), status] { done(status); });
}

void FakeHub::set_zone_mode(const std::string& name, std::optional<SyncMode> mode,
                            std::chrono::milliseconds ttl, hub::StatusDone done) {
  Status status;
  if (auto there = zone(name); !there) {
    status = fail(ErrorCode::not_found, "there is no zone '" + name + "'");
  } else if (ttl.count() == 0) {
    there->forced_mode = mode;
    set_zone(std::move(*there));
  }
  post([done = std::move(done), status] { done(status); });
}

void FakeHub::checkpoint(const std::string& name, hub::CheckpointDone done) {
  Result<hub::CheckpointInfo> made = hub::CheckpointInfo{
      name.empty() ? "revision-1" : name, "/backups/" + name, Revision{1},
      harness_.log.state().current_era()};
  if (auto failure = take_failure()) made = fail(std::move(*failure));
  post([done = std::move(done), made] { done(made); });
}

void FakeHub::declare_complete(hub::StatusDone done) {
  post([this, done = std::move(done)] { done(harness_.log.declare_complete()); });
}

void FakeHub::start_mesh_deletion(hub::JobRequest request, hub::JobDone done) {
  post([this, request = std::move(request), done = std::move(done)] {
    jobs_.start_mesh_deletion(request, done);
    harness_.core->pump();
  });
}

void FakeHub::cancel_job(const std::string& id, hub::JobDone done) {
  post([this, id, done = std::move(done)] {
    jobs_.cancel(id, done);
    harness_.core->pump();
  });
}

void FakeHub::wait_revision(std::vector<std::string> zones, Revision revision,
                            std::chrono::milliseconds timeout, hub::WaitDone done) {
  {
    const std::lock_guard lock(mutex_);
    Wait wait{std::move(zones), revision, std::move(done)};
    const bool all_connected = wait.zones.empty();
    for (const auto& [name, status] : zones_) {
      if (all_connected && status.connected) wait.zones.push_back(name);
    }
    const hub::WaitResult now = judge(wait);
    if (now.reached || timeout.count() == 0) {
      work_.push_back([done = wait.done, now] { done(now); });
    } else {
      waits_.push_back(std::move(wait));
    }
  }
  changed_.notify_all();
}

hub::ListenerId FakeHub::listen(hub::Listener listener) {
  const std::lock_guard lock(listeners_mutex_);
  listeners_.emplace(next_listener_, std::move(listener));
  return next_listener_++;
}

void FakeHub::unlisten(hub::ListenerId id) {
  const std::lock_guard lock(listeners_mutex_);
  listeners_.erase(id);
}

void FakeHub::announce(hub::HubEvent event) {
  const std::lock_guard lock(listeners_mutex_);
  for (const auto& [id, listener] : listeners_) listener(event);
}

}  // namespace zonesync::admin::testing

#include "server/hub/zone_registry.hpp"

#include <algorithm>

#include "protocol/model/defect.hpp"
#include "protocol/wire/codec.hpp"

namespace zonesync::hub {
namespace {

constexpr std::uint32_t kVersion = 2;

Refused refused(std::uint16_t code, std::string event, std::string text, Duration retry = {}) {
  return {code, std::move(event), std::move(text), retry};
}

std::optional<Refused> check_hello(const AdmitRequest& request) {
  const wire::Hello& hello = request.hello;
  if (hello.zone != request.identity && !ZONESYNC_DEFECT(47)) {
    return refused(close_code::kZoneNotAllowed, "sync.zone.not_allowed",
                   "the credential is not for the zone that Hello names");
  }
  const bool spoken = hello.version_min <= kVersion && hello.version_max >= kVersion;
  if (!spoken && !ZONESYNC_DEFECT(48)) {
    return refused(close_code::kVersion, "sync.version.unsupported",
                   "this hub speaks protocol version 2");
  }
  return std::nullopt;
}

}  // namespace

// -- admission ------------------------------------------------------------------------------------

class ZoneRegistry::AdmitJob final : public Job {
 public:
  AdmitJob(ZoneRegistry& zones, AdmitRequest request, AdmitDone done)
      : zones_(zones), request_(std::move(request)), done_(std::move(done)) {}

  void plan(Group& group) override {
    const std::string& name = request_.identity;
    const auto found = zones_.zones_.find(name);
    const bool known = found != zones_.zones_.end();
    if (auto why = judge(known ? &found->second : nullptr)) {
      refusal_ = std::move(why);
      return;
    }
    Entry& entry = zones_.zones_[name];
    ZoneRecord next = entry.record;
    if (!known) {
      next.name = name;
      next.registered_at_ms = request_.now_ms;
      admitted_.registered = true;
    }
    const InstanceId& instance = request_.hello.instance;
    if (next.instance != instance || next.generation.value == 0) {
      if (!next.instance.id.is_zero()) next.retired.push_back(next.instance);
      if (next.retired.size() > kRetiredInstancesMax) next.retired.erase(next.retired.begin());
      next.instance = instance;
      if (next.generation.value == 0 || !ZONESYNC_DEFECT(50)) ++next.generation.value;
    }
    if (next.first_seen_ms == 0) next.first_seen_ms = request_.now_ms;
    std::vector<Change> changes;
    const bool logged = !known || !ZONESYNC_DEFECT(305);
    if (next != entry.record && logged) changes.push_back(encode(next));
    Views& views = zones_.core_.views();
    if (!known) views.plan_zone(next, changes);
    views.plan_request(name, request_of(request_.hello, request_.token_scope), changes);
    if (!changes.empty()) group.add(std::move(changes));
    entry.record = next;
    admitted_.generation = next.generation;
    admitted_.replaced = entry.session;
    admitted_.same_instance = entry.record.instance == entry.instance;
    entry.instance = entry.record.instance;
    entry.session = request_.session;
    OriginState& state = zones_.core_.up().of(name);
    state.fence = Fence{next.generation, request_.session};
    state.open_cut = 0;
    for (const auto& [key, offer] : state.offers) {
      if (offer.unconfirmed || ZONESYNC_DEFECT(203)) continue;
      admitted_.open_rejects.push_back(Verdict{key, offer.revision, false, offer.reject});
    }
    // A zone whose log became complete is asked for everything once: that settles what the hub
    // kept unconfirmed.
    const bool settle = request_.hello.up_log.complete && state.unconfirmed > 0;
    if (settle) PROBE(zone_settles_unconfirmed);
    const bool known_end = state.cursor && !state.cursor->unfinished;  // FLOW-19
    if (known_end && !settle) admitted_.up_cursor = state.cursor->cursor;
  }

  void finish(const Status& durable) override {
    if (!durable) {
      return done_(tl::unexpected<Refused>(
          refused(close_code::kTryLater, "sync.zone.not_stored",
                  "the hub cannot store the admission: " + durable.error().message,
                  std::chrono::seconds(10))));
    }
    if (refusal_) return done_(tl::unexpected<Refused>(std::move(*refusal_)));
    const std::string& name = request_.identity;
    const auto found = zones_.zones_.find(name);
    const OriginState* state = zones_.core_.up().find(name);
    if (found == zones_.zones_.end() || state == nullptr || !state->fence ||
        state->fence->session != request_.session) {
      return done_(tl::unexpected<Refused>(refused(
          close_code::kSuperseded, "sync.zone.superseded", "another session took over")));
    }
    if (found->second.session == request_.session) {  // else it ended meanwhile
      found->second.welcomed =
          Welcomed{{admitted_.generation, request_.session}, request_.hello.instance};
    }
    if (admitted_.replaced && zones_.events_.close_session) {
      zones_.events_.close_session(
          *admitted_.replaced,
          admitted_.same_instance ? close_code::kCursorMoved : close_code::kSuperseded,
          "another session of this zone took over");
    }
    announce(found->second.record);
    done_(std::move(admitted_));
  }

 private:
  std::optional<Refused> judge(Entry* entry) {
    if (entry == nullptr) {
      if (!zones_.options_.auto_register) {
        return refused(close_code::kZoneNotAllowed, "sync.zone.not_registered",
                       "the zone is not registered at this hub");
      }
      if (zones_.zones_.size() >= zones_.options_.zones_max) {
        return refused(close_code::kTryLater, "sync.zone.too_many",
                       "the hub has as many zones as it may have", limits::kDuplicateZoneWait);
      }
      return std::nullopt;
    }
    const ZoneRecord& record = entry->record;
    if (record.deleting) {
      return refused(close_code::kTryLater, "sync.zone.deleting", "the zone is being deleted",
                     std::chrono::seconds(10));
    }
    const InstanceId& instance = request_.hello.instance;
    if (std::find(record.retired.begin(), record.retired.end(), instance) !=
            record.retired.end() &&
        !ZONESYNC_DEFECT(49)) {
      return refused(close_code::kSuperseded, "sync.zone.superseded",
                     "a newer instance of this zone took over; this process must restart");
    }
    const bool same = record.instance == instance && !ZONESYNC_DEFECT(310);
    if (same || !entry->session) return std::nullopt;
    return judge_takeover(*entry);
  }

  /// Only takeovers of a live session count: an agent that crashes and returns is no duplicate.
  std::optional<Refused> judge_takeover(Entry& entry) {
    auto& times = entry.takeovers;
    while (!times.empty() && request_.now - times.front() > limits::kDuplicateZoneWindow) {
      times.pop_front();
    }
    if (times.size() >= limits::kDuplicateZoneChangesMax) {
      if (zones_.events_.duplicate) zones_.events_.duplicate(request_.identity);
      return refused(close_code::kRateLimited, "zone.duplicate",
                     "several agents claim this zone; the current one stays",
                     limits::kDuplicateZoneWait);
    }
    times.push_back(request_.now);
    return std::nullopt;
  }

  void announce(const ZoneRecord& record) {
    SessionFacts facts;
    facts.session = request_.session;
    facts.instance = request_.hello.instance;
    facts.generation = record.generation;
    facts.software = request_.hello.software;
    facts.peer = request_.peer;
    facts.durable = request_.hello.durable;
    facts.open_rejects = request_.hello.open_rejects;
    facts.mode = request_.mode;
    ZoneTable& table = zones_.core_.table();
    table.put_zone(record);
    table.set_up(record.name, zones_.core_.up().of(record.name), true);
    table.connected(record.name, facts, request_.now_ms);
    table.add_v1_bytes(record.name, zones_.core_.v1().cost_of_reconnect(record.name));
    zones_.notify(record.name);
  }

  ZoneRegistry& zones_;
  AdmitRequest request_;
  AdmitDone done_;
  Admitted admitted_;
  std::optional<Refused> refusal_;
};

/// Stands in the zone's queue, so that an end never overtakes the admission it ends.
class ZoneRegistry::CloseJob final : public Job {
 public:
  CloseJob(ZoneRegistry& zones, std::string zone, SessionId session, DisconnectReason reason)
      : zones_(zones), zone_(std::move(zone)), session_(session), reason_(std::move(reason)) {}

  void plan(Group&) override {
    const auto found = zones_.zones_.find(zone_);
    if (found == zones_.zones_.end()) return;
    Entry& entry = found->second;
    if (entry.session == session_ || ZONESYNC_DEFECT(62)) entry.session.reset();
    if (entry.welcomed && entry.welcomed->fence.session == session_) entry.welcomed.reset();
  }

  void finish(const Status&) override {
    zones_.core_.table().disconnected(zone_, session_, std::move(reason_));
    zones_.notify(zone_);
  }

 private:
  ZoneRegistry& zones_;
  std::string zone_;
  SessionId session_;
  DisconnectReason reason_;
};

// -- operator -------------------------------------------------------------------------------------

class ZoneRegistry::RegisterJob final : public Job {
 public:
  RegisterJob(ZoneRegistry& zones, std::string zone, std::int64_t now_ms, StatusDone done)
      : zones_(zones), zone_(std::move(zone)), now_ms_(now_ms), done_(std::move(done)) {}

  void plan(Group& group) override {
    if (zones_.zones_.contains(zone_)) {
      status_ = fail(ErrorCode::conflict, "zone '" + zone_ + "' is registered already", "/name");
      return;
    }
    if (zones_.zones_.size() >= zones_.options_.zones_max) {
      status_ = fail(ErrorCode::resource_exhausted,
                     "the hub may have " + std::to_string(zones_.options_.zones_max) + " zones");
      return;
    }
    ZoneRecord& record = zones_.zones_[zone_].record;
    record.name = zone_;
    record.registered_at_ms = now_ms_;
    std::vector<Change> changes{encode(record)};
    zones_.core_.views().plan_zone(record, changes);
    group.add(std::move(changes));
  }

  void finish(const Status& durable) override {
    if (!durable) return done_(durable);
    if (const auto* record = zones_.find(zone_); status_ && record != nullptr) {
      zones_.core_.table().put_zone(*record);
      zones_.core_.table().set_up(zone_, zones_.core_.up().of(zone_), true);
      zones_.notify(zone_);
    }
    done_(status_);
  }

 private:
  ZoneRegistry& zones_;
  std::string zone_;
  std::int64_t now_ms_;
  StatusDone done_;
  Status status_;
};

/// One bounded step of a deletion; each step plans the next.
class ZoneRegistry::DeleteJob final : public Job {
 public:
  DeleteJob(ZoneRegistry& zones, std::string zone, StatusDone done)
      : zones_(zones), zone_(std::move(zone)), done_(std::move(done)) {}

  void plan(Group& group) override {
    const auto found = zones_.zones_.find(zone_);
    auto logged = group.latest(zone_key(zone_));
    auto live = group.live_of(zone_);
    if (found == zones_.zones_.end() || !logged || !live) {
      status_ = fail(ErrorCode::storage_io, "the zone's resources cannot be read", zone_);
      return;
    }
    ZoneRecord* record = &found->second.record;
    record->deleting = true;  // a group that was refused in between forgot it
    // The intention is logged with the first step, so that a restart continues.
    const Change intention = encode(*record);
    if (!*logged || (*logged)->hash != intention.hash) {
      group.add({intention});
      return;
    }
    const TypeRegistry& registry = zones_.core_.registry();
    const auto rank = [&registry](const LatestEntry& entry) {
      const TypeInfo* info = registry.find(entry.key.type);
      return info == nullptr ? 0 : info->rank;
    };
    std::stable_sort(live->begin(), live->end(), [&](const auto& a, const auto& b) {
      return rank(a) > rank(b);
    });
    std::vector<Change> changes;
    for (const auto& entry : *live) {
      if (changes.size() == zones_.options_.delete_batch) break;
      changes.push_back(wire::make_leave(entry.cls, entry.key));
    }
    if (changes.empty()) changes = system_leaves();
    if (!changes.empty()) group.add(std::move(changes));
  }

  void finish(const Status& durable) override {
    const Status outcome = durable ? status_ : durable;
    if (!outcome) {
      const auto found = zones_.zones_.find(zone_);
      if (found != zones_.zones_.end()) found->second.deleting_now = false;
      return done_(outcome);
    }
    if (!last_) return zones_.continue_deletion(zone_, std::move(done_));
    zones_.core_.up().erase(zone_);
    zones_.zones_.erase(zone_);
    zones_.core_.table().remove_zone(zone_);
    zones_.notify(zone_);
    done_({});
  }

 private:
  /// Rejects first, a batch at a time; the cursor and the zone itself go last, together.
  std::vector<Change> system_leaves() {
    std::vector<Change> changes;
    OriginState& state = zones_.core_.up().of(zone_);
    while (!state.offers.empty() && changes.size() < zones_.options_.delete_batch) {
      changes.push_back(system_leave(offer_key(zone_, state.offers.begin()->first)));
      state.offers.erase(state.offers.begin());
    }
    if (!changes.empty()) return changes;
    if (state.cursor) changes.push_back(system_leave(up_cursor_key(zone_)));
    changes.push_back(system_leave(zone_key(zone_)));
    zones_.core_.views().plan_removal(zone_, changes);
    last_ = true;
    return changes;
  }

  ZoneRegistry& zones_;
  std::string zone_;
  StatusDone done_;
  Status status_;
  bool last_ = false;
};

// -- registry -------------------------------------------------------------------------------------

ZoneRegistry::ZoneRegistry(Options options, HubCore& core, Events events)
    : options_(options), core_(core), events_(std::move(events)) {}

ZoneRegistry::~ZoneRegistry() = default;

Status ZoneRegistry::load(const ChangeLog& log) {
  std::map<std::string, Entry> loaded;
  ListFilter filter;
  filter.type = std::string(kZoneType);
  std::optional<ResourceKey> after;
  do {
    auto page = log.list(filter, after, 1'000);
    if (!page) return fail(std::move(page.error()));
    for (const auto& item : page->entries) {
      auto record = decode_zone(item.change);
      if (!record) return fail(std::move(record.error()));
      Entry& entry = loaded[record->name];
      if (const auto old = zones_.find(record->name); old != zones_.end()) {
        entry.welcomed = old->second.welcomed;
        if (entry.welcomed) {
          entry.session = entry.welcomed->fence.session;
          entry.instance = entry.welcomed->instance;
        }
        entry.takeovers = old->second.takeovers;
        entry.deleting_now = old->second.deleting_now;
      }
      entry.record = std::move(*record);
    }
    after = page->next;
  } while (after);
  zones_ = std::move(loaded);
  for (const auto& [name, entry] : zones_) {
    auto& fence = core_.up().of(name).fence;
    fence.reset();
    if (entry.welcomed && !entry.record.deleting) fence = entry.welcomed->fence;
    core_.table().put_zone(entry.record);
    core_.table().set_up(name, core_.up().of(name), true);
  }
  return {};
}

void ZoneRegistry::resume_deletions() {
  for (const auto& [name, entry] : zones_) {
    if (entry.record.deleting) continue_deletion(name, [](const Status&) {});
  }
}

void ZoneRegistry::admit(AdmitRequest request, AdmitDone done) {
  if (auto why = check_hello(request)) return done(tl::unexpected<Refused>(std::move(*why)));
  const std::string source = HubCore::source_of(request.identity);
  core_.submit_job(source, std::make_unique<AdmitJob>(*this, std::move(request), std::move(done)));
}

void ZoneRegistry::session_closed(const std::string& zone, SessionId session,
                                  DisconnectReason reason) {
  core_.submit_job(HubCore::source_of(zone),
                   std::make_unique<CloseJob>(*this, zone, session, std::move(reason)));
}

void ZoneRegistry::register_zone(const std::string& zone, std::int64_t now_ms, StatusDone done) {
  if (auto valid = check_zone_name(zone); !valid) return done(valid);
  core_.submit_job(HubCore::source_of(zone),
                   std::make_unique<RegisterJob>(*this, zone, now_ms, std::move(done)));
}

void ZoneRegistry::delete_zone(const std::string& zone, bool force, StatusDone done) {
  const auto found = zones_.find(zone);
  if (found == zones_.end()) {
    return done(fail(ErrorCode::not_found, "zone '" + zone + "' is not registered", "/name"));
  }
  Entry& entry = found->second;
  if (entry.deleting_now) {
    return done(fail(ErrorCode::conflict, "zone '" + zone + "' is being deleted already"));
  }
  if (entry.session && !force) {
    return done(fail(ErrorCode::conflict, "zone '" + zone +
                                              "' is connected; stop its agent first, or force the "
                                              "deletion"));
  }
  entry.record.deleting = true;
  core_.up().of(zone).fence.reset();
  if (entry.session && events_.close_session) {
    events_.close_session(*entry.session, close_code::kZoneNotAllowed, "the zone was deleted");
  }
  continue_deletion(zone, std::move(done));
}

void ZoneRegistry::continue_deletion(const std::string& zone, StatusDone done) {
  zones_[zone].deleting_now = true;
  core_.submit_job(HubCore::source_of(zone),
                   std::make_unique<DeleteJob>(*this, zone, std::move(done)));
}

const ZoneRecord* ZoneRegistry::find(const std::string& zone) const {
  const auto found = zones_.find(zone);
  return found == zones_.end() ? nullptr : &found->second.record;
}

std::optional<SessionId> ZoneRegistry::session_of(const std::string& zone) const {
  const auto found = zones_.find(zone);
  return found == zones_.end() ? std::nullopt : found->second.session;
}

void ZoneRegistry::notify(const std::string& zone) {
  if (events_.changed) events_.changed(zone);
}

}  // namespace zonesync::hub

#include "server/hub/testing/up_feed.hpp"

#include <algorithm>

#include "protocol/model/assert.hpp"
#include "protocol/wire/codec.hpp"
#include "server/hub/up_prints.hpp"

namespace zonesync::hub::testing {

void DirectPort::submit(UpCommit commit, UpDone done) {
  seen.push_back(commit);
  hub_.core->submit_up(std::move(commit), std::move(done));
  if (pumping) hub_.core->pump();
}

UpFeed::UpFeed(HubHarness& hub, std::string zone, InstanceId who)
    : port(hub), hub_(hub), zone_(std::move(zone)) {
  log_id_.bytes[0] = 1;
  const auto admitted = reconnect(who);
  ZS_ASSERT(admitted.has_value());
}

tl::expected<Admitted, Refused> UpFeed::reconnect(InstanceId who) {
  wire::Hello hello = hub_.hello(zone_, who);
  hello.up_log = {log_id_, EraId{log_id_}, head_, complete};
  auto admitted = hub_.admit(hello);
  if (!admitted) return admitted;
  UpSink::Options options = tuning;
  options.zone = zone_;
  options.generation = admitted->generation;
  options.session = hub_.last_session();
  old_sink = std::move(sink);
  sink = std::make_unique<UpSink>(options, port, hub_.registry, hub_.up_view(zone_),
                                  admitted->up_cursor,
                                  up_events(*hub_.source, zone_, hub_.up_view(zone_)));
  return admitted;
}

void UpFeed::new_log(bool is_complete) {
  ++log_id_.bytes[0];
  complete = is_complete;
  head_ = Revision{};
  log_.clear();
  content_.clear();
}

void UpFeed::put(const Resource& resource) {
  auto cls = class_of(*hub_.registry, resource);
  put_as(cls ? *cls
             : Class{resource.key.type, resource.key.mesh, resource.key.origin, std::string()},
         resource);
}

void UpFeed::put_as(const Class& cls, const Resource& resource) {
  head_ = head_.next();
  const Change change = wire::make_upsert(cls, resource);
  content_[resource.key] = change;
  log_.push_back({head_, change});
}

void UpFeed::remove(const ResourceKey& key) {
  head_ = head_.next();
  const auto found = content_.find(key);
  ZS_ASSERT(found != content_.end());
  log_.push_back({head_, wire::make_leave(found->second.cls, key)});
  content_.erase(found);
}

Digest UpFeed::digest() const {
  const View view = hub_.up_view(zone_);
  Digest sum;
  for (const auto& [key, change] : content_) {
    if (view.admits(change.cls)) sum.add(fingerprint(key), change.hash);
  }
  return sum;
}

Cursor UpFeed::head() const { return {EraId{log_id_}, head_, hub_.up_view(zone_).id()}; }

UpFeed::Box UpFeed::send(UpSink& to, bool full) {
  auto box = std::make_shared<std::optional<Outcome>>();
  wire::Intent intent;
  intent.reason = full ? wire::IntentReason::full : wire::IntentReason::changes;
  intent.log_id = log_id_;
  intent.complete = complete;
  intent.view = hub_.up_view(zone_).id();
  if (!full) intent.from = to.cursor();
  to.begin(intent);
  const Revision after = full ? Revision{} : to.cursor()->revision;
  for (const StagedChange& change : log_) {
    if (change.revision <= after) continue;
    const Status staged = to.stage(change);
    ZS_ASSERT(staged.has_value());
  }
  if (!marks) return box;
  const CutEnd end{intent.reason, complete, log_id_, intent.from, head(),
                   wrong_digest.value_or(digest())};
  to.commit(end, 1, [box](CommitToken, Outcome outcome) {
    ZS_ASSERT(!*box);  // answered once
    *box = std::move(outcome);
  });
  return box;
}

UpFeed::Box UpFeed::idle() {
  auto box = std::make_shared<std::optional<Outcome>>();
  wire::Intent intent;
  intent.reason = wire::IntentReason::none;
  intent.log_id = log_id_;
  intent.complete = complete;
  intent.from = sink->cursor();
  sink->begin(intent);
  const CutEnd end{wire::IntentReason::none, complete, log_id_, sink->cursor(),
                   *sink->cursor(), wrong_digest.value_or(digest())};
  sink->commit(end, 1, [box](CommitToken, Outcome outcome) { *box = std::move(outcome); });
  return box;
}

UpFeed::Outcome UpFeed::changes_now() {
  const Box box = changes();
  ZS_ASSERT(*box);
  return **box;
}

UpFeed::Outcome UpFeed::repair_now() {
  wire::Intent intent;
  intent.reason = wire::IntentReason::repair;
  intent.log_id = log_id_;
  intent.complete = complete;
  intent.view = hub_.up_view(zone_).id();
  const auto prints = sink->prints();
  ZS_ASSERT(prints.has_value());
  sink->begin(intent);
  std::map<Id128, Hash128> there;
  for (const Print& print : *prints) there[print.key] = print.hash;
  repaired = 0;
  std::vector<StagedChange> lacking;
  for (const auto& [key, change] : content_) {
    const auto found = there.find(fingerprint(key));
    if (found == there.end() || found->second != change.hash) {
      lacking.push_back({revision_of(key), change});
    }
    if (found != there.end()) there.erase(found);
  }
  for (const auto& [key, hash] : there) ZS_ASSERT(sink->stage_remove(key).has_value());
  repaired = lacking.size();
  std::sort(lacking.begin(), lacking.end(),
            [](const auto& a, const auto& b) { return a.revision < b.revision; });
  for (StagedChange& change : lacking) ZS_ASSERT(sink->stage(std::move(change)).has_value());
  const CutEnd end{intent.reason, complete, log_id_, std::nullopt, head(),
                   wrong_digest.value_or(digest())};
  std::optional<Outcome> answer;
  sink->commit(end, 1, [&](CommitToken, Outcome outcome) { answer = std::move(outcome); });
  ZS_ASSERT(answer.has_value());
  return *answer;
}

Revision UpFeed::revision_of(const ResourceKey& key) const {
  Revision newest;
  for (const StagedChange& change : log_) {
    if (change.change.key == key) newest = change.revision;
  }
  return newest;
}

UpFeed::Outcome UpFeed::full_now() {
  const Box box = full();
  ZS_ASSERT(*box);
  return **box;
}

}  // namespace zonesync::hub::testing

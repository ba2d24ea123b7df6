// A CutSink over a plain map, with scripted failures: the smallest honest receiver.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "protocol/core/ports.hpp"

namespace zonesync::testing {

/// Thread rule: one thread. "Durable" means: survives the session, as a store would.
class MapSink final : public CutSink {
 public:
  struct Item {
    Revision revision;
    Hash128 hash;
    SharedBytes payload;
    Class cls;
  };

  [[nodiscard]] std::optional<Cursor> cursor() const override { return durable_cursor; }

  [[nodiscard]] bool holds_unconfirmed() const override { return unconfirmed; }

  [[nodiscard]] bool has_content() const override {
    return durable_cursor.has_value() || content_without_cursor;
  }

  [[nodiscard]] std::optional<std::vector<Print>> prints() const override {
    if (cannot_repair) return std::nullopt;
    std::vector<Print> all;
    for (const auto& [key, item] : items) {
      const bool again = sent_again.contains(key);
      all.push_back({fingerprint(key), again ? Hash128{} : item.hash});
    }
    return all;
  }

  Status stage_remove(const Id128& key) override {
    removed_.insert(key);
    return {};
  }

  /// STG-01: where it keeps what is staged over a lost link.
  [[nodiscard]] std::optional<wire::Staged> staged() const override {
    const bool continues = pending.empty() && place_from_ == durable_cursor;
    if (!keeps_staged || place_.at.era == EraId{} || staged_.empty()) return std::nullopt;
    return continues || place_.full ? std::optional(place_) : std::nullopt;
  }

  void begin(const wire::Intent& intent) override {
    intents.push_back(intent);
    era_ = intent.era;
    floor_ = intent.floor;
    if (intent.resumed) {
      place_ = *intent.resumed;
      place_.at.era = era_;
      place_.floor = floor_;
      return;
    }
    staged_.clear();
    listed_.clear();
    removed_.clear();
    start_cut(intent.from, intent.view);
    const bool plain = intent.reason == wire::IntentReason::full ||
                       (intent.from && intent.from->view == intent.view);
    if (!plain) place_.at.era = EraId{};
  }

  Status stage(StagedChange change) override {
    if (fail_stage) return fail(*fail_stage);
    if (change.revision != place_.at.revision) place_.changes = 0;
    place_.at.revision = change.revision;
    ++place_.changes;
    staged_.push_back(std::move(change));
    return {};
  }

  /// Kept in line with the changes, as a leave without a name.
  Status drop(const Class& cls) override {
    place_.at.era = EraId{};
    StagedChange all;
    all.change.kind = ChangeKind::leave;
    all.change.cls = cls;
    staged_.push_back(std::move(all));
    return {};
  }

  Status list(const std::string& type) override {
    if (refused_list_type == type) {
      return fail(ErrorCode::protocol, "a list of a type that the flow does not carry", "V1-04");
    }
    place_.at.era = EraId{};
    std::erase_if(staged_, [&](const auto& staged) { return staged.change.key.type == type; });
    listed_.insert(type);
    return {};
  }

  void commit(const CutEnd& end, CommitToken token, CommitDone done) override {
    auto staged = std::exchange(staged_, {});
    auto listed = std::exchange(listed_, {});
    start_cut(end.to, end.to.view);
    if (deferred || !pending.empty()) {  // answers keep their order
      pending.push_back({end, token, std::move(done), std::move(staged), std::move(listed),
                         std::exchange(removed_, {})});
      return;
    }
    done(token, apply(end, std::move(staged), listed, std::exchange(removed_, {})));
  }

  [[nodiscard]] SharedBytes held(const ResourceKey& key, const Hash128& hash) const override {
    if (forgets_versions) return {};
    const auto among = [&](const std::vector<StagedChange>& staged) -> SharedBytes {
      for (const StagedChange& change : staged) {
        if (change.change.key == key && change.change.hash == hash) return change.change.payload;
      }
      return {};
    };
    if (auto staged = among(staged_); !staged.empty()) return staged;
    for (const Pending& cut : pending) {
      if (auto staged = among(cut.staged); !staged.empty()) return staged;
    }
    const auto item = items.find(key);
    return item != items.end() && item->second.hash == hash ? item->second.payload : SharedBytes();
  }

  /// Completes the oldest deferred commit.
  void complete_one() {
    Pending next = std::move(pending.front());
    pending.erase(pending.begin());
    auto result = apply(next.end, std::move(next.staged), next.listed, next.removed);
    next.done(next.token, std::move(result));
  }

  /// The process dies: commits under way never happened, and what is staged is gone.
  void crash() {
    pending.clear();
    staged_.clear();
    listed_.clear();
    removed_.clear();
    place_ = {};
  }

  /// Every reject that is open now (FLOW-26).
  [[nodiscard]] std::vector<Verdict> open_verdicts() const {
    std::vector<Verdict> open;
    for (const auto& [key, revision] : rejects) {
      open.push_back(Verdict{key, revision, false, Reject{"refused", {}, {}, false}});
    }
    return open;
  }

  [[nodiscard]] Digest digest() const {
    Digest sum;
    for (const auto& [key, item] : items) sum.add(fingerprint(key), item.hash);
    return sum;
  }

  std::map<ResourceKey, Item> items;
  std::optional<Cursor> durable_cursor;
  std::vector<wire::Intent> intents;
  std::vector<CutEnd> cuts;
  bool deferred = false;
  bool unconfirmed = false;  // until the next full cut
  bool cannot_repair = false;
  bool content_without_cursor = false;
  std::set<ResourceKey> sent_again;  // printed with a zero hash
  bool forgets_versions = false;  // no patch finds its base
  bool keeps_staged = false;      // resumes interrupted cuts
  std::function<bool(const Change&)> refuses;  // a verdict on these, kept in `rejects`
  std::map<ResourceKey, Revision> rejects;
  std::vector<Verdict> next_verdicts;  // of the next successful commit
  std::optional<Error> fail_stage;
  std::string refused_list_type;
  std::function<void()> on_applied;  // after every successful commit
  std::optional<CutFailure> fail_next_commit;
  struct Pending {
    CutEnd end;
    CommitToken token = 0;
    CommitDone done;
    std::vector<StagedChange> staged;
    std::set<std::string> listed;
    std::set<Id128> removed;
  };
  std::vector<Pending> pending;

 private:
  tl::expected<CutResult, CutFailure> apply(const CutEnd& end, std::vector<StagedChange> staged,
                                             const std::set<std::string>& listed,
                                             const std::set<Id128>& removed) {
    if (fail_next_commit) {
      CutFailure failure = *fail_next_commit;
      fail_next_commit.reset();
      return tl::unexpected<CutFailure>(failure);
    }
    if (end.from && end.from != durable_cursor) {
      return tl::unexpected<CutFailure>({CutFailure::Kind::digest_mismatch,
                                         {ErrorCode::protocol, "not at our cursor", ""}, ""});
    }
    std::map<ResourceKey, Item> next = is_full(end) ? std::map<ResourceKey, Item>{} : items;
    std::erase_if(next, [&](const auto& item) {
      return listed.contains(item.first.type) || removed.contains(fingerprint(item.first));
    });
    for (const StagedChange& staged_change : staged) apply_one(next, staged_change);
    Digest sum;
    for (const auto& [key, item] : next) sum.add(fingerprint(key), item.hash);
    if (end.digest && *end.digest != sum) {
      return tl::unexpected<CutFailure>(
          {CutFailure::Kind::digest_mismatch, {ErrorCode::protocol, "digest differs", ""}, ""});
    }
    items = std::move(next);
    if (!end.from && end.complete) unconfirmed = false;
    durable_cursor = end.to;
    if (end.from != end.to) cuts.push_back(end);
    if (on_applied) on_applied();
    std::vector<Verdict> verdicts = std::exchange(next_verdicts, {});
    if (refuses) judge(staged, verdicts);
    return CutResult{end.to, std::move(verdicts)};
  }

  void judge(const std::vector<StagedChange>& staged, std::vector<Verdict>& verdicts) {
    for (const StagedChange& offered : staged) {
      const auto item = items.find(offered.change.key);
      if (item == items.end() || item->second.hash != offered.change.hash) continue;
      if (refuses(offered.change)) {
        rejects[offered.change.key] = offered.revision;
        verdicts.push_back(Verdict{offered.change.key, offered.revision, false,
                                   Reject{"refused", {}, {}, false}});
      } else if (rejects.erase(offered.change.key) > 0) {
        verdicts.push_back(Verdict{offered.change.key, offered.revision, true, {}});
      }
    }
    std::erase_if(rejects, [&](const auto& reject) {
      if (items.contains(reject.first)) return false;
      verdicts.push_back(Verdict{reject.first, durable_cursor->revision, true, {}});
      return true;
    });
  }

  void start_cut(const std::optional<Cursor>& from, const ViewId& view) {
    place_ = wire::Staged{Cursor{era_, Revision{}, view}, 0, !from.has_value(), floor_};
    place_from_ = from;
  }

  /// A key has one live class: an older entry of another class says nothing about it.
  static void apply_one(std::map<ResourceKey, Item>& next, const StagedChange& staged) {
    const Change& change = staged.change;
    if (change.kind == ChangeKind::leave && change.key.name.empty()) {  // a Drop
      std::erase_if(next, [&](const auto& item) { return item.second.cls == change.cls; });
      return;
    }
    const auto found = next.find(change.key);
    const bool other = found != next.end() && found->second.cls != change.cls;
    if (change.kind == ChangeKind::leave) {
      if (found != next.end() && !other) next.erase(found);
      return;
    }
    if (other && found->second.revision > staged.revision) return;
    next[change.key] = {staged.revision, change.hash, change.payload, change.cls};
  }

  EraId era_;
  Revision floor_;
  wire::Staged place_;                 // of what is staged; era zero = cannot be resumed
  std::optional<Cursor> place_from_;
  std::vector<StagedChange> staged_;
  std::set<std::string> listed_;
  std::set<Id128> removed_;
};

}  // namespace zonesync::testing

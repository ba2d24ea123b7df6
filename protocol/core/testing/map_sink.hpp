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

  void begin(const wire::Intent& intent) override {
    staged_.clear();
    listed_.clear();
    removed_.clear();
    intents.push_back(intent);
  }

  Status stage(StagedChange change) override {
    if (fail_stage) return fail(*fail_stage);
    staged_.push_back(std::move(change));
    return {};
  }

  /// Kept in line with the changes, as a leave without a name.
  Status drop(const Class& cls) override {
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
    std::erase_if(staged_, [&](const auto& staged) { return staged.change.key.type == type; });
    listed_.insert(type);
    return {};
  }

  void commit(const CutEnd& end, CommitToken token, CommitDone done) override {
    auto staged = std::exchange(staged_, {});
    auto listed = std::exchange(listed_, {});
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
    return CutResult{end.to, std::exchange(next_verdicts, {})};
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

  std::vector<StagedChange> staged_;
  std::set<std::string> listed_;
  std::set<Id128> removed_;
};

}  // namespace zonesync::testing

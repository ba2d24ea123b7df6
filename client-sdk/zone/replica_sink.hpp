// Down flow's apply side: checks a cut, runs validators, commits it to the replica store.
//
//   stage* ──► commit: digest? ──► mass delete? ──► validators ──► store (durable) ──► on_applied
//                       │              │                               │
//               digest_mismatch   hold mass_delete        hold disk_full | fatal
//
// A cut that is refused leaves no trace: the flow asks for it again. What a held or interrupted one
// staged stays where the sender can go on behind it (cut_staging.hpp).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "client-sdk/zone/applied_cut.hpp"
#include "client-sdk/zone/cut_staging.hpp"
#include "client-sdk/zone/list_stage.hpp"
#include "protocol/core/ports.hpp"
#include "storage/replica_store.hpp"

namespace zonesync {

/// nothing = accepted. Pure.
using ResourceValidator = std::function<std::optional<Reject>(const Resource&)>;

struct SinkCounters {
  std::uint64_t cuts = 0;  // that moved the cursor, durably
  std::uint64_t intents_none = 0, intents_changes = 0, intents_repair = 0, intents_full = 0;
};

/// Life cycle: one per store, outlives the sessions. Thread rule: the session's thread.
class ReplicaSink final : public CutSink {
 public:
  struct Options {
    CutStaging::Options staging;
    std::function<int(const std::string& type)> rank;    // apply order of a type; none = equal
  };

  /// `store` outlives the sink.
  ReplicaSink(ReplicaStore& store, Options options);

  void set_validator(std::string type, ResourceValidator validator);
  /// Which types the hub may list (v1); none = all.
  void set_carries(std::function<bool(const std::string& type)> carries) {
    carries_ = std::move(carries);
  }
  /// Called after a durable commit that moved the cursor.
  void set_on_applied(std::function<void(AppliedCut)> callback);
  /// While set, commits are held with reason "application": the application asked to wait.
  void set_application_hold(std::optional<std::string> why) { application_hold_ = std::move(why); }
  [[nodiscard]] bool application_held() const { return application_hold_.has_value(); }
  /// Lets the cut that the mass-delete guard holds pass. Nothing held = no effect: approval never
  /// waits for a removal that nobody has seen yet.
  void approve_mass_delete() { mass_delete_approved_ = mass_delete_held_; }

  /// Everything the application sees now, as its first cut.
  [[nodiscard]] AppliedCut initial_cut() const;
  /// Verdict on the version the replica holds of `key` at `revision`, given after the commit.
  /// Errors: not_found (no longer that version), storage_io.
  [[nodiscard]] Result<Verdict> refuse(const ResourceKey& key, Revision revision, Reject reject);
  /// Number and digest of open rejects, as Hello states them: (key fingerprint, offered hash).
  [[nodiscard]] std::pair<std::uint64_t, Digest> open_rejects() const;
  /// Every open reject, for a sender whose list may be gone.
  [[nodiscard]] std::vector<Verdict> open_verdicts() const;

  /// The sender confirmed or replaced the content since this object was made.
  [[nodiscard]] bool confirmed() const { return confirmed_; }
  [[nodiscard]] const SinkCounters& counters() const { return counters_; }
  [[nodiscard]] const CutStaging& staging() const { return staging_; }
  /// Before an orderly end of the process: what is staged goes where the next one finds it. No
  /// session is open. Errors: as CutStaging::flush; then the next start asks for it again.
  Status flush_staged() { return staging_.flush(); }

  // -- CutSink ------------------------------------------------------------------------------------
  [[nodiscard]] std::optional<Cursor> cursor() const override { return store_.state().cursor; }
  [[nodiscard]] bool holds_unconfirmed() const override {
    return store_.state().unconfirmed > 0;
  }
  [[nodiscard]] std::optional<wire::Staged> staged() const override { return staging_.staged(); }
  void begin(const wire::Intent& intent) override;
  Status stage(StagedChange change) override;
  Status drop(const Class& cls) override;
  Status list(const std::string& type) override;
  [[nodiscard]] std::optional<std::vector<Print>> prints() const override;
  Status stage_remove(const Id128& key_fingerprint) override;
  void commit(const CutEnd& end, CommitToken token, CommitDone done) override;
  [[nodiscard]] SharedBytes held(const ResourceKey& key, const Hash128& hash) const override;

 private:
  struct Plan {
    ReplicaBatch batch;
    std::vector<Verdict> verdicts;
  };
  /// What a repair means for entries that no change of its cut names.
  struct Repaired {
    std::vector<const ReplicaEntry*> gone;       // the sender does not have them
    std::vector<const ReplicaEntry*> confirmed;  // unconfirmed so far: it does
  };
  [[nodiscard]] Repaired repaired(const CutEnd& end, const ReplicaSnapshot& before) const;
  void plan_repair(const CutEnd& end, const Repaired& found, Plan& planned) const;
  [[nodiscard]] std::optional<CutFailure> refuse_cut(const CutEnd& end, const Digest& digest);
  [[nodiscard]] Digest digest_after(const CutEnd& end, const ReplicaSnapshot& before,
                                    const Repaired& found) const;
  /// How many resources it would remove; 0 = too few to ask somebody (FLOW-17).
  [[nodiscard]] std::size_t mass_delete(const CutEnd& end, const ReplicaSnapshot& before,
                                        const Repaired& found) const;
  [[nodiscard]] Plan plan(const CutEnd& end, const ReplicaSnapshot& before,
                          const Repaired& found) const;
  [[nodiscard]] std::optional<Reject> verdict_on(const CutEnd& end, const StagedChange& staged,
                                                 const ReplicaEntry* old) const;
  [[nodiscard]] std::optional<Reject> validate(const Change& change) const;
  [[nodiscard]] AppliedCut difference(const CutEnd& end, const ReplicaSnapshot& before,
                                      const Repaired& found) const;
  [[nodiscard]] int rank_of(const std::string& type) const;
  void stage_leaves(const CutEnd& end);
  void drop_staged();
  void keep_staged();
  void forget_cut();
  // replica_drop.cpp
  [[nodiscard]] bool is_outlived(const StagedChange& change) const;
  void for_each_dropped(const ReplicaSnapshot& before,
                        const std::function<void(const ReplicaEntry&)>& visit) const;

  ReplicaStore& store_;
  Options options_;
  std::map<std::string, ResourceValidator, std::less<>> validators_;
  CutStaging staging_;            // later entry of a key wins
  std::set<Class> dropped_;       // in the open cut
  std::unordered_set<Id128> removed_;  // of the open repair: the sender does not have them
  bool replacing_ = false;        // the open cut is a full one
  ListStage lists_;               // v1
  std::function<bool(const std::string&)> carries_;
  std::function<void(AppliedCut)> on_applied_;
  bool mass_delete_held_ = false;
  bool mass_delete_approved_ = false;
  bool confirmed_ = false;
  SinkCounters counters_;
  std::optional<std::string> application_hold_;
};

}  // namespace zonesync

// A zone's replica store: the memory replica, judged by the oracle after every durable step.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "conformance/simulator/environment.hpp"
#include "storage/memory/memory_replica.hpp"

namespace zonesync::sim {

/// Life cycle: outlives the processes of its node. Thread rule: one thread.
class SimReplica final : public ReplicaStore {
 public:
  /// `receiver`: unique name of this disk for the oracle.
  SimReplica(Environment& env, std::string receiver, std::string zone, bool durable);

  [[nodiscard]] ReplicaState state() const override {
    return replica_->state();
  }
  [[nodiscard]] std::shared_ptr<const ReplicaSnapshot> snapshot() const override {
    return replica_->snapshot();
  }
  Status commit(ReplicaBatch batch) override;
  Status set_verdict(const ResourceKey& key, Revision revision,
                     std::optional<Reject> reject) override {
    return replica_->set_verdict(key, revision, std::move(reject));
  }
  Status put_meta(std::string_view name, std::string value) override {
    return replica_->put_meta(name, std::move(value));
  }
  [[nodiscard]] std::optional<std::string> meta(std::string_view name) const override {
    return replica_->meta(name);
  }
  [[nodiscard]] bool durable() const override { return replica_->durable(); }

  /// The process is gone; everything was durable when its commit returned.
  void crash();
  void fail_next(Error error) { replica_->fail_next(std::move(error)); }
  /// An operator approved: one mass delete is no violation.
  void allow_mass_delete() { mass_delete_allowed_ = true; }
  /// The disk goes back by `steps` durable steps.
  void rewind(std::size_t steps);

 private:
  void put_in_defects(ReplicaBatch& batch);
  void judge(const ReplicaBatch& batch, std::uint64_t before);
  void take_accepted(const ReplicaBatch& batch);
  void check_accepted(const ReplicaSnapshot& snapshot) const;
  void judge_guard(const ReplicaBatch& batch, std::uint64_t before);

  Environment& env_;
  std::string receiver_;
  oracle::Sight sight_;
  bool keeps_places_;
  bool remembers_;                     // its steps, to go back by some
  bool is_durable_;
  bool mass_delete_allowed_ = false;
  std::unique_ptr<MemoryReplica> replica_;
  std::vector<ReplicaBatch> journal_;  // when it remembers
  std::uint64_t commits_ = 0;
  struct Known {
    bool poison = false;
    SharedBytes accepted;
  };
  std::unordered_map<ResourceKey, Known, oracle::KeyHash> known_;
};

}  // namespace zonesync::sim

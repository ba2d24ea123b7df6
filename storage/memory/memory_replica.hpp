// A replica store in memory: reference implementation, and what a client without a store
// directory uses (`durable()` false: a restart finds nothing).
#pragma once

#include "storage/replica_store.hpp"
#include "storage/replica_table.hpp"

namespace zonesync {

struct MemoryReplicaOptions {
  bool durable = false;  // what durable() answers; the simulator's disk says true
};

class MemoryReplica final : public ReplicaStore {
 public:
  explicit MemoryReplica(MemoryReplicaOptions options = {}) : options_(options) {}

  [[nodiscard]] ReplicaState state() const override { return table_.state(); }
  [[nodiscard]] std::shared_ptr<const ReplicaSnapshot> snapshot() const override {
    return table_.snapshot();
  }
  Status commit(ReplicaBatch batch) override;
  Status set_verdict(const ResourceKey& key, Revision revision,
                     std::optional<Reject> reject) override;
  Status put_meta(std::string_view name, std::string value) override;
  [[nodiscard]] std::optional<std::string> meta(std::string_view name) const override {
    return table_.meta(name);
  }
  [[nodiscard]] bool durable() const override { return options_.durable; }

  /// The next write answers with `error` and changes nothing.
  void fail_next(Error error) { failure_ = std::move(error); }

 private:
  [[nodiscard]] Status take_failure();

  MemoryReplicaOptions options_;
  ReplicaTable table_;
  std::optional<Error> failure_;
};

}  // namespace zonesync

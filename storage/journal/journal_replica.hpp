// ReplicaStore on replica.journal: the content is held in memory, every change of it is a durable
// group in the file. Part of JournalStore, which opens it and holds the lock.
//
// Thread rule: as in ReplicaStore.
#pragma once

#include <memory>

#include "storage/journal/journal_file.hpp"
#include "storage/journal/replica_records.hpp"
#include "storage/replica_table.hpp"

namespace zonesync::journal {

class JournalReplica final : public ReplicaStore {
 public:
  [[nodiscard]] static Result<std::unique_ptr<JournalReplica>> open(FileSystem& files,
                                                                    JournalFileOptions options);

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
  [[nodiscard]] bool durable() const override { return true; }

 private:
  JournalReplica() = default;
  [[nodiscard]] Status load_group(const std::vector<Record>& group);
  [[nodiscard]] Status load_snapshot(const std::vector<Record>& group);
  [[nodiscard]] Status load_batch(const std::vector<Record>& group);
  [[nodiscard]] Status load_single(const Record& record);
  [[nodiscard]] Status load_meta(const Record& record);
  void write_snapshot(GroupWriter& group) const;
  void compact();

  ReplicaTable table_;
  std::unique_ptr<JournalFile> file_;
};

}  // namespace zonesync::journal

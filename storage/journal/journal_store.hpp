// The SDK's store directory: the replica of the down flow and the outbox of the up flow.
//
//   auto store = JournalStore::open("/var/lib/agent/state", {});
//   (*store)->replica().commit(...);   (*store)->outbox().append(...);
//
// Files: `lock` (held while the object lives), `replica.journal`, `outbox.journal`, and
// `stage.journal`, what an unfinished cut of the down flow spilled; the directory
// is 0700, the files 0600. Everything answered as done survives a power cut.
// Thread rule: replica and outbox are independent; each follows its own contract.
#pragma once

#include <memory>
#include <string>

#include "storage/journal/journal_change_log.hpp"
#include "storage/journal/journal_replica.hpp"
#include "storage/journal/journal_stage.hpp"

namespace zonesync {

struct JournalStoreOptions {
  bool created_complete = false;              // a new outbox is complete from birth
  std::uint64_t compact_min_bytes = 4u << 20; // a file is rewritten at twice its content plus this
  journal::FileSystem* files = nullptr;       // not owned; nullptr = the operating system's
  IdSource ids = random_id;
};

class JournalStore {
 public:
  /// Makes the directory when it is missing (not its parents). Errors: unavailable (another
  /// process uses it), storage_corrupt (names file and offset), unsupported (format of another
  /// version), resource_exhausted, not_found (no parent directory), storage_io.
  [[nodiscard]] static Result<std::unique_ptr<JournalStore>> open(const std::string& directory,
                                                                  JournalStoreOptions options);

  [[nodiscard]] ReplicaStore& replica() { return *replica_; }
  [[nodiscard]] StageStore& stage() { return *stage_; }
  [[nodiscard]] ChangeLog& outbox() { return *outbox_; }

 private:
  JournalStore() = default;
  std::unique_ptr<journal::FileLock> lock_;
  std::unique_ptr<journal::JournalReplica> replica_;
  std::unique_ptr<journal::JournalStage> stage_;
  std::unique_ptr<journal::JournalChangeLog> outbox_;
};

}  // namespace zonesync

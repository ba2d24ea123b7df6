#include "client-sdk/src/zone_store.hpp"

#include <utility>

#include "storage/journal/journal_store.hpp"
#include "storage/memory/memory_change_log.hpp"
#include "storage/memory/memory_replica.hpp"

namespace zonesync::client {
namespace {

class MemoryZoneStore final : public ZoneStore {
 public:
  ReplicaStore& replica() override { return replica_; }
  ChangeLog& outbox() override { return outbox_; }
  StageStore* stage() override { return nullptr; }

 private:
  MemoryReplica replica_;
  MemoryChangeLog outbox_;
};

class JournalZoneStore final : public ZoneStore {
 public:
  explicit JournalZoneStore(std::unique_ptr<JournalStore> store) : store_(std::move(store)) {}
  ReplicaStore& replica() override { return store_->replica(); }
  ChangeLog& outbox() override { return store_->outbox(); }
  StageStore* stage() override { return &store_->stage(); }

 private:
  std::unique_ptr<JournalStore> store_;
};

}  // namespace

Result<std::unique_ptr<ZoneStore>> open_zone_store(const std::string& directory) {
  if (directory.empty()) return std::make_unique<MemoryZoneStore>();
  auto store = JournalStore::open(directory, {});
  if (!store) return fail(store.error());
  return std::make_unique<JournalZoneStore>(std::move(*store));
}

}  // namespace zonesync::client

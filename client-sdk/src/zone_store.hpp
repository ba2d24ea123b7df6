// The stores of one client: replica and outbox, in memory or in a directory.
#pragma once

#include <memory>
#include <string>

#include "protocol/model/result.hpp"
#include "storage/change_log.hpp"
#include "storage/replica_store.hpp"
#include "storage/stage_store.hpp"

namespace zonesync::client {

/// Life cycle: outlives everything that uses the two stores.
class ZoneStore {
 public:
  virtual ~ZoneStore() = default;
  [[nodiscard]] virtual ReplicaStore& replica() = 0;
  [[nodiscard]] virtual ChangeLog& outbox() = 0;
  /// Where an unfinished cut of the down flow spills to; null = it is staged in memory.
  [[nodiscard]] virtual StageStore* stage() = 0;
};

/// `directory` empty = memory. Errors: as JournalStore::open.
[[nodiscard]] Result<std::unique_ptr<ZoneStore>> open_zone_store(const std::string& directory);

}  // namespace zonesync::client

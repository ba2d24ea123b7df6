// What the operator hears about the log at a start: lost, restored, partial.
#pragma once

#include "protocol/runtime/logger.hpp"
#include "storage/rocksdb/rocksdb_change_log.hpp"

namespace zonesync {

/// One line each, with what it means and what to do: `storage.open.attention` (the open found
/// something), `hub.log.restored` (nothing was written since the restore), `hub.log.partial`
/// (unless the first said so already).
void log_what_was_opened(const RocksDbChangeLog& log, Logger& logger);

}  // namespace zonesync

// Re-encryption under the newest data key, in bounded steps that a crash between leaves whole.
#pragma once

#include <functional>

#include "storage/rocksdb/database.hpp"
#include "storage/sealing/key_ring.hpp"

namespace zonesync::rocksdb_store {

/// Whether a rekeying is under way. Errors: storage_io.
[[nodiscard]] Result<bool> reseal_pending(const Database& database);
using WriteResealed = std::function<Status(rocksdb::WriteBatch& batch, bool sync)>;
/// Looks at up to `max_visited` entries of the log. At the end of the log the class digests follow,
/// and the older data keys are dropped. True = nothing is left to do. Call it from the only writer,
/// who may write the batch itself.
/// Errors: storage_io, storage_corrupt, resource_exhausted, internal.
[[nodiscard]] Result<bool> reseal_some(Database& database, const sealing::KeyRing& keys,
                                       std::size_t max_visited,
                                       const WriteResealed& write = {});

}  // namespace zonesync::rocksdb_store

// What RocksDB itself does on this machine, with our options and nothing of ours around it: the
// yardstick for `store bench`.
#pragma once

#include <cstdint>
#include <string>

#include "protocol/model/result.hpp"

namespace zonesync::rocksdb_store {

struct RawRates {
  double write_seconds = 0;  // all values, in synced batches
  double scan_seconds = 0;   // all of them again, in order
};

/// Writes `count` values of `bytes` into a new database in `path` and reads them. `value` makes the
/// i-th. Errors: storage_io, resource_exhausted.
[[nodiscard]] Result<RawRates> raw_rates(const std::string& path, std::uint64_t count,
                                         std::uint64_t per_batch,
                                         std::string (*value)(std::uint64_t index,
                                                              std::size_t bytes),
                                         std::size_t bytes);

}  // namespace zonesync::rocksdb_store

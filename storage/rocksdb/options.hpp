// Every RocksDB option that matters, stated: nothing here is left to a version's defaults.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <rocksdb/db.h>

namespace zonesync::rocksdb_store {

inline constexpr const char* kLogFamily = "log";
inline constexpr const char* kLatestFamily = "latest";

[[nodiscard]] rocksdb::DBOptions database_options(bool create, rocksdb::Env* env,
                                                  std::shared_ptr<rocksdb::Logger> logger);
/// Default (meta), log, latest: in this order.
[[nodiscard]] std::vector<rocksdb::ColumnFamilyDescriptor> families();
[[nodiscard]] rocksdb::WriteOptions write_options(bool sync);
/// Verifies checksums; reads `snapshot` when given.
[[nodiscard]] rocksdb::ReadOptions read_options(const rocksdb::Snapshot* snapshot);

}  // namespace zonesync::rocksdb_store

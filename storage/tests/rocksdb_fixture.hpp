// A RocksDB log in a directory of its own, opened, closed and opened again.
#pragma once

#include "storage/rocksdb/rocksdb_change_log.hpp"
#include "storage/tests/log_samples.hpp"

namespace zonesync::test {

class RocksDbFixture : public ::testing::Test {
 protected:
  RocksDbFixture() {
    options_.create = true;
    options_.created_complete = true;
    options_.reserve_bytes = 0;
  }
  std::unique_ptr<RocksDbChangeLog> open() {
    auto log = RocksDbChangeLog::open(path_, options_);
    if (!log) ADD_FAILURE() << describe(log.error());
    return log ? std::move(*log) : nullptr;
  }
  /// Why it does not open: the store must be called corrupt.
  std::string refusal() {
    auto log = RocksDbChangeLog::open(path_, options_);
    if (log) return "it opens";
    EXPECT_EQ(log.error().code, ErrorCode::storage_corrupt);
    return describe(log.error());
  }

  TempDir directory_;
  std::string path_ = directory_.file("log");
  RocksDbOptions options_;
};

}  // namespace zonesync::test

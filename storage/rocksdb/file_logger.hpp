// RocksDB's messages from warnings upward, in one small bounded file.
//
// Why: librocksdb's own log writer asserts, and so aborts the process, when the disk is full. This
// one drops what it cannot write. Thread-safe.
#pragma once

#include <mutex>
#include <string>

#include <rocksdb/env.h>

namespace zonesync::rocksdb_store {

class FileLogger final : public rocksdb::Logger {
 public:
  static constexpr std::size_t kMaxBytes = 1u << 20;  // then the file starts over

  /// A file that cannot be opened (in-memory Env) means that messages are dropped.
  explicit FileLogger(const std::string& path);
  ~FileLogger() override;

  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override;

 private:
  std::mutex mutex_;
  int file_ = -1;
  std::size_t written_ = 0;
};

}  // namespace zonesync::rocksdb_store

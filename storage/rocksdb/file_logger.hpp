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

  /// A file that cannot be opened (in-memory Env), or an empty path: messages are not kept.
  explicit FileLogger(const std::string& path);
  ~FileLogger() override;

  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override;

  /// The last message about bytes that a recovery could not use: it names the file, which
  /// RocksDB's status does not. Empty = there was none.
  [[nodiscard]] std::string last_drop() const;

 private:
  mutable std::mutex mutex_;
  std::string last_drop_;
  int file_ = -1;
  std::size_t written_ = 0;
};

}  // namespace zonesync::rocksdb_store

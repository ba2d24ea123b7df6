// A file system for RocksDB in tests: fails the k-th write or sync, and can be full.
//
// Passes everything to the real one. Thread-safe: RocksDB calls from several threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <rocksdb/file_system.h>

namespace zonesync::rocksdb_store {

class FaultyRocksDbFiles final : public rocksdb::FileSystemWrapper {
 public:
  enum class Fault : std::uint8_t { none, no_space, write_error, short_write, sync_error };

  FaultyRocksDbFiles() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "FaultyRocksDbFiles"; }

  /// The `step`-th operation of that kind from now on fails, and all of its kind behind it.
  void fail_at(std::uint64_t step, Fault fault) {
    steps_ = step;
    fault_ = fault;
  }
  void heal() { fault_ = Fault::none; }
  [[nodiscard]] bool writes_short() const { return fault_ == Fault::short_write; }
  [[nodiscard]] bool hit() const { return fault_ != Fault::none && steps_ == 0; }

  /// The disk holds so many bytes more than now.
  void set_free(std::uint64_t bytes) { capacity_ = used_ + static_cast<std::int64_t>(bytes); }
  void set_unbounded() { capacity_ = kUnbounded; }
  /// How many appends found the disk full.
  [[nodiscard]] std::uint64_t met_the_end() const { return met_the_end_; }
  /// Table files find no space, everything else does.
  void set_tables_full(bool full) { tables_full_ = full; }
  /// Another disk, at `path`, with so much free.
  void set_free_at(std::string path, std::uint64_t bytes) {
    other_path_ = std::move(path);
    other_free_ = bytes;
  }

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetFreeSpace(const std::string& path, const rocksdb::IOOptions& options,
                                 std::uint64_t* free, rocksdb::IODebugContext* debug) override;

  // For its files.
  rocksdb::IOStatus before_append(std::size_t bytes, bool table);
  rocksdb::IOStatus before_sync();

 private:
  static constexpr std::int64_t kUnbounded = std::int64_t{1} << 50;
  [[nodiscard]] bool fails(Fault fault);

  std::atomic<Fault> fault_{Fault::none};
  std::atomic<std::uint64_t> steps_{0};
  std::atomic<std::int64_t> used_{0};
  std::atomic<std::int64_t> capacity_{kUnbounded};
  std::atomic<std::uint64_t> met_the_end_{0};
  std::atomic<bool> tables_full_{false};
  std::string other_path_;
  std::uint64_t other_free_ = 0;
};

}  // namespace zonesync::rocksdb_store

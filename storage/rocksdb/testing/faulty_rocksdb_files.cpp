#include "storage/rocksdb/testing/faulty_rocksdb_files.hpp"

#include <algorithm>
#include <utility>

namespace zonesync::rocksdb_store {
namespace {

using rocksdb::IOStatus;

class FaultyFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultyFile(std::unique_ptr<rocksdb::FSWritableFile> file, FaultyRocksDbFiles& files, bool table)
      : FSWritableFileOwnerWrapper(std::move(file)), files_(files), table_(table) {}

  IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                  rocksdb::IODebugContext* debug) override {
    const IOStatus status = files_.before_append(data.size(), table_);
    if (status.ok()) return FSWritableFileOwnerWrapper::Append(data, options, debug);
    return files_.writes_short() ? half(data, options, debug, status) : status;
  }
  IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                  const rocksdb::DataVerificationInfo& verification,
                  rocksdb::IODebugContext* debug) override {
    const IOStatus status = files_.before_append(data.size(), table_);
    if (status.ok()) {
      return FSWritableFileOwnerWrapper::Append(data, options, verification, debug);
    }
    return files_.writes_short() ? half(data, options, debug, status) : status;
  }
  IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    const IOStatus status = files_.before_sync();
    return status.ok() ? FSWritableFileOwnerWrapper::Sync(options, debug) : status;
  }
  IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    const IOStatus status = files_.before_sync();
    return status.ok() ? FSWritableFileOwnerWrapper::Fsync(options, debug) : status;
  }

 private:
  /// A write that was cut off: its first half is there, and the caller hears of the failure.
  IOStatus half(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                rocksdb::IODebugContext* debug, const IOStatus& failure) {
    const rocksdb::Slice first(data.data(), data.size() / 2);
    const IOStatus written = FSWritableFileOwnerWrapper::Append(first, options, debug);
    return written.ok() ? failure : written;
  }

  FaultyRocksDbFiles& files_;
  const bool table_;
};

}  // namespace

bool FaultyRocksDbFiles::fails(Fault fault) {
  if (fault_ != fault) return false;
  if (steps_ > 0) --steps_;
  return steps_ == 0;
}

IOStatus FaultyRocksDbFiles::before_append(std::size_t bytes, bool table) {
  if (table && tables_full_) return IOStatus::NoSpace("no space for tables");
  if (fails(Fault::write_error)) return IOStatus::IOError("injected write error");
  if (fails(Fault::short_write)) return IOStatus::IOError("injected short write");
  if (fails(Fault::no_space)) return IOStatus::NoSpace("injected");
  const auto size = static_cast<std::int64_t>(bytes);
  if (used_ + size > capacity_) {
    ++met_the_end_;
    return IOStatus::NoSpace("the disk of this test is full");
  }
  used_ += size;
  return IOStatus::OK();
}

IOStatus FaultyRocksDbFiles::before_sync() {
  return fails(Fault::sync_error) ? IOStatus::IOError("injected sync error") : IOStatus::OK();
}

IOStatus FaultyRocksDbFiles::NewWritableFile(const std::string& path,
                                             const rocksdb::FileOptions& options,
                                             std::unique_ptr<rocksdb::FSWritableFile>* file,
                                             rocksdb::IODebugContext* debug) {
  std::unique_ptr<rocksdb::FSWritableFile> real;
  const IOStatus status = FileSystemWrapper::NewWritableFile(path, options, &real, debug);
  const bool table = path.ends_with(".sst");
  if (status.ok()) *file = std::make_unique<FaultyFile>(std::move(real), *this, table);
  return status;
}

IOStatus FaultyRocksDbFiles::DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                                        rocksdb::IODebugContext* debug) {
  std::uint64_t size = 0;
  const IOStatus known = GetFileSize(path, options, &size, debug);
  const IOStatus status = FileSystemWrapper::DeleteFile(path, options, debug);
  if (status.ok() && known.ok()) used_ -= static_cast<std::int64_t>(size);
  return status;
}

IOStatus FaultyRocksDbFiles::GetFreeSpace(const std::string& path,
                                          const rocksdb::IOOptions& options, std::uint64_t* free,
                                          rocksdb::IODebugContext* debug) {
  if (!other_path_.empty() && path.starts_with(other_path_)) {
    *free = other_free_;
    return IOStatus::OK();
  }
  if (capacity_ == kUnbounded) return FileSystemWrapper::GetFreeSpace(path, options, free, debug);
  *free = static_cast<std::uint64_t>(std::max<std::int64_t>(capacity_ - used_, 0));
  return IOStatus::OK();
}

}  // namespace zonesync::rocksdb_store

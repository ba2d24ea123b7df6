// The few file operations that the journal needs, so that tests can fail each of them.
//
// Errors everywhere: resource_exhausted (disk or quota full), not_found, storage_io.
// Thread rule: a FileSystem may be used from any thread, a File from one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "protocol/model/bytes.hpp"
#include "protocol/model/result.hpp"

namespace zonesync::journal {

class File {
 public:
  virtual ~File() = default;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  /// Up to `size` bytes from `offset`; fewer only at the end of the file.
  [[nodiscard]] virtual Result<std::string> read(std::uint64_t offset, std::size_t size) const = 0;
  /// Writes at the end. After an error some of the bytes may be there: truncate.
  virtual Status append(ByteView bytes) = 0;
  virtual Status truncate(std::uint64_t size) = 0;
  /// Makes the content durable.
  virtual Status sync() = 0;
};

/// Held as long as the object lives.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  [[nodiscard]] virtual bool exists(const std::string& path) const = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<File>> open(const std::string& path) = 0;
  /// An empty file that only the owner may read, in place of one that may be there.
  [[nodiscard]] virtual Result<std::unique_ptr<File>> create(const std::string& path) = 0;
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& path) = 0;
  /// Makes creations and renames in a directory durable.
  virtual Status sync_directory(const std::string& path) = 0;
  /// A directory that only the owner may enter; fine when it is there already.
  virtual Status make_directory(const std::string& path) = 0;
  /// Errors also: unavailable (someone else holds it).
  [[nodiscard]] virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
};

/// The operating system's files.
[[nodiscard]] FileSystem& posix_file_system();

}  // namespace zonesync::journal

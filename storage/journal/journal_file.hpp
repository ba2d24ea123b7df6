// An append-only file of checksummed records in atomic, durable groups.
//
// A group becomes durable as a whole (one fsync) or is dropped at the next open. Groups are
// numbered: a damaged record with a later group behind it was durable once, so the file is
// corrupt; without one it is a torn tail, which is cut off.
//
// `rewrite` replaces the content (compaction): new file, fsync, rename, fsync of the directory.
// A disk that is full before anything became visible leaves the file as it was and is reported as
// resource_exhausted; any other write error stops the file: nobody knows what the disk holds.
// Thread rule: one thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "storage/journal/file_system.hpp"
#include "storage/journal/record.hpp"

namespace zonesync::journal {

/// Collects the records of one group and writes them in pieces.
class GroupWriter {
 public:
  GroupWriter(File& file, std::uint64_t group) : file_(file), group_(group) {}
  /// Errors show in finish().
  void add(std::uint8_t type, std::string payload);
  /// Writes the last record, marked as the group's end. Not yet durable. Errors: invalid_argument
  /// (no record), too_large (a record over kRecordMaxBytes), and those of File::append.
  [[nodiscard]] Status finish();

 private:
  void write_pending(std::uint8_t flags);
  void flush();

  File& file_;
  std::uint64_t group_;
  std::optional<Record> pending_;  // held back: only the last one carries the end mark
  std::string buffer_;
  Status status_;
};

struct JournalFileOptions {
  std::string path;
  std::string kind;                        // what the file holds; checked at open
  std::uint64_t compact_min_bytes = 4u << 20;
};

class JournalFile {
 public:
  using Fill = std::function<void(GroupWriter&)>;
  /// Sees every durable group in order; an error means that the content makes no sense.
  using OnGroup = std::function<Status(const std::vector<Record>&)>;

  /// Opens the file, or makes it with the content of `initial`. Errors: storage_corrupt (message
  /// with offset), unsupported (other format version), resource_exhausted, storage_io.
  [[nodiscard]] static Result<std::unique_ptr<JournalFile>> open(FileSystem& files,
                                                                 JournalFileOptions options,
                                                                 const Fill& initial,
                                                                 const OnGroup& on_group);

  /// Atomic and durable on return.
  Status append(const Fill& fill);
  /// Reads every record of the durable groups again, in order, one at a time. Errors: those of
  /// `visit`, storage_io, storage_corrupt.
  [[nodiscard]] Status each_record(const std::function<Status(const Record&)>& visit) const;
  /// Whether enough was appended since the last rewrite to make one worthwhile.
  [[nodiscard]] bool wants_rewrite() const;
  /// Errors leave the old content in place, unless stopped() says that nobody knows.
  Status rewrite(const Fill& fill);
  [[nodiscard]] bool stopped() const { return stopped_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  JournalFile(FileSystem& files, JournalFileOptions options)
      : files_(files), options_(std::move(options)) {}

  [[nodiscard]] Status load(const OnGroup& on_group);
  [[nodiscard]] Status check_header(const std::vector<Record>& group) const;
  [[nodiscard]] Result<std::optional<std::pair<RecordHeader, Record>>> read_record(
      std::uint64_t offset) const;
  [[nodiscard]] Status cut_tail(std::uint64_t damaged);
  [[nodiscard]] Result<bool> later_group_behind(std::uint64_t offset) const;
  [[nodiscard]] Status write_new(const std::string& path, const Fill& fill,
                                 std::unique_ptr<File>& file) const;
  [[nodiscard]] Error corrupt(const std::string& what, std::uint64_t offset) const;
  [[nodiscard]] Status stop(Error error);

  FileSystem& files_;
  JournalFileOptions options_;
  std::unique_ptr<File> file_;
  std::uint64_t size_ = 0;        // end of the last durable group
  std::uint64_t base_ = 0;        // end of the first group: the content at the last rewrite
  std::uint64_t next_group_ = 1;
  std::uint64_t rewrite_at_ = 0;  // not before that size, after a rewrite that failed
  bool stopped_ = false;
};

}  // namespace zonesync::journal

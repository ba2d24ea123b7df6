// ChangeLog on outbox.journal: a zone's own resources, waiting for the hub. The newest entry of
// every (class, key), leaves included, stays for ever; a compaction drops what it superseded and
// raises trim_floor to the head. Part of JournalStore, which opens it and holds the lock.
//
// Appends are answered inline. Thread rule: as in ChangeLog.
#pragma once

#include <memory>

#include "storage/change_log.hpp"
#include "storage/journal/journal_file.hpp"
#include "storage/log_table.hpp"
#include "storage/random_id.hpp"

namespace zonesync::journal {

class JournalChangeLog final : public ChangeLog {
 public:
  /// Opening appends an era durably.
  [[nodiscard]] static Result<std::unique_ptr<JournalChangeLog>> open(FileSystem& files,
                                                                      JournalFileOptions options,
                                                                      bool created_complete,
                                                                      const IdSource& ids);

  [[nodiscard]] LogState state() const override { return table_->state(); }
  void append(Segment segment, AppendDone done) override;
  Status declare_complete() override;
  /// The content is in memory, so that one call does everything; the file shrinks when it is
  /// rewritten, and what it still holds is trimmed again when it is read.
  [[nodiscard]] Result<TrimProgress> trim(const TrimRequest& request) override;
  [[nodiscard]] Result<ScanPage> scan(Position after, const ScanOptions& options) const override {
    return table_->scan(after, options);
  }
  [[nodiscard]] Result<std::optional<LatestEntry>> latest(const ResourceKey& key) const override {
    return table_->latest(key);
  }
  [[nodiscard]] Result<LogEntry> read(Position position) const override {
    return table_->read(position);
  }
  [[nodiscard]] Result<std::vector<LogEntry>> history(const ResourceKey& key,
                                                      std::size_t limit) const override {
    return table_->history(key, limit);
  }
  [[nodiscard]] Result<std::optional<LogEntry>> entry_at(const ResourceKey& key,
                                                         Revision revision) const override {
    return table_->entry_at(key, revision);
  }
  [[nodiscard]] Result<ListPage> list(const ListFilter& filter,
                                      const std::optional<ResourceKey>& after,
                                      std::size_t limit) const override {
    return table_->list(filter, after, limit);
  }
  [[nodiscard]] DigestsAt digests() const override { return table_->digests(); }

 private:
  JournalChangeLog() = default;
  [[nodiscard]] Status write(Segment segment);
  [[nodiscard]] Status load_group(const std::vector<Record>& group);
  [[nodiscard]] Status load_record(const Record& record, std::vector<LogEntry>& entries);
  void write_snapshot(GroupWriter& group) const;
  void compact();

  std::unique_ptr<LogTable> table_;
  std::unique_ptr<JournalFile> file_;
};

}  // namespace zonesync::journal

// StageStore on stage.journal. Part of JournalStore, which opens it and holds the lock.
//
// The file holds nothing that could not be asked for again, so a damaged one is replaced, not
// reported. Thread rule: as in StageStore.
#pragma once

#include <memory>

#include "storage/journal/journal_file.hpp"
#include "storage/stage_store.hpp"

namespace zonesync::journal {

class JournalStage final : public StageStore {
 public:
  /// Errors: resource_exhausted, storage_io.
  [[nodiscard]] static Result<std::unique_ptr<JournalStage>> open(FileSystem& files,
                                                                  JournalFileOptions options);

  [[nodiscard]] std::optional<StagePlace> place() const override { return place_; }
  Status append(const std::vector<StagedItem>& items, const StagePlace& place) override;
  [[nodiscard]] Status each(const std::function<Status(StagedItem)>& visit) const override;
  Status clear() override;
  [[nodiscard]] std::uint64_t bytes() const override { return place_ ? file_->size() : 0; }
  [[nodiscard]] bool durable() const override { return true; }

 private:
  JournalStage() = default;
  [[nodiscard]] Status load_group(const std::vector<Record>& group);

  std::unique_ptr<JournalFile> file_;
  std::optional<StagePlace> place_;
};

}  // namespace zonesync::journal

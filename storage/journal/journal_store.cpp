#include "storage/journal/journal_store.hpp"

#include <filesystem>
#include <utility>

namespace zonesync {
namespace {

std::string parent_of(const std::string& directory) {
  std::filesystem::path path(directory);
  if (!path.has_filename()) path = path.parent_path();  // "state/" names the same as "state"
  path = path.parent_path();
  return path.empty() ? "." : path.string();
}

}  // namespace

Result<std::unique_ptr<JournalStore>> JournalStore::open(const std::string& directory,
                                                         JournalStoreOptions options) {
  journal::FileSystem& files =
      options.files != nullptr ? *options.files : journal::posix_file_system();
  if (!files.exists(directory)) {
    Status status = files.make_directory(directory);
    if (status) status = files.sync_directory(parent_of(directory));
    if (!status) return fail(std::move(status.error()));
  }
  std::unique_ptr<JournalStore> store(new JournalStore());
  auto lock = files.lock(directory + "/lock");
  if (!lock) return fail(std::move(lock.error()));
  store->lock_ = std::move(*lock);

  auto replica = journal::JournalReplica::open(
      files, {directory + "/replica.journal", "replica", options.compact_min_bytes});
  if (!replica) return fail(std::move(replica.error()));
  store->replica_ = std::move(*replica);

  auto stage = journal::JournalStage::open(files, {directory + "/stage.journal", "stage"});
  if (!stage) return fail(std::move(stage.error()));
  store->stage_ = std::move(*stage);

  auto outbox = journal::JournalChangeLog::open(
      files, {directory + "/outbox.journal", "outbox", options.compact_min_bytes},
      options.created_complete, options.ids);
  if (!outbox) return fail(std::move(outbox.error()));
  store->outbox_ = std::move(*outbox);
  return store;
}

}  // namespace zonesync

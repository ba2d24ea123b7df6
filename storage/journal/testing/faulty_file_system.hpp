// A file system in memory that fails where a test says, and forgets what was not synced.
//
// A file's content is durable after its sync(), a creation or rename after sync_directory(). Every
// operation that changes something is a step; steps count from 1.
// Thread rule: one thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "storage/journal/file_system.hpp"

namespace zonesync::journal {

class FaultyFileSystem final : public FileSystem {
 public:
  struct Fault {
    std::uint64_t at_step = 0;                    // 0 = none
    ErrorCode code = ErrorCode::storage_io;
    bool dead_afterwards = false;                 // every later step fails too: the process died
  };

  void set_fault(Fault fault) { fault_ = fault; }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  /// What a power cut leaves of that which was not durable.
  struct Luck {
    unsigned kept_percent;  // of the bytes appended to each file and not synced, from the front
    bool names_kept;        // creations and renames without sync_directory
  };
  /// Power cut. Clears the fault, the step count and all locks; close all files before.
  void crash() { crash(Luck{0, false}); }
  void crash(Luck luck);
  /// Content of a file, to damage it. The file must exist.
  [[nodiscard]] std::string& content(const std::string& path);

  [[nodiscard]] bool exists(const std::string& path) const override;
  [[nodiscard]] Result<std::unique_ptr<File>> open(const std::string& path) override;
  [[nodiscard]] Result<std::unique_ptr<File>> create(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Status make_directory(const std::string& path) override;
  [[nodiscard]] Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;

 private:
  friend class FaultyFile;
  friend class FaultyLock;
  struct Content {
    std::string now;
    std::string durable;
  };
  using Names = std::map<std::string, std::shared_ptr<Content>>;

  /// Counts a step; an error when it is to fail.
  [[nodiscard]] Status step(const char* doing, const std::string& path);

  Fault fault_;
  std::uint64_t steps_ = 0;
  Names now_;
  Names durable_;
  std::set<std::string> directories_;
  std::set<std::string> locks_;
};

}  // namespace zonesync::journal

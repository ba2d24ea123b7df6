// What was published from the directory, remembered across restarts.
//
// File: one JSON line per fact, appended and synced after each round; a torn last line is dropped.
// A crash between a publication and its line costs nothing: the outbox then answers "unchanged".
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "protocol/model/ids.hpp"
#include "protocol/model/result.hpp"

namespace zonesync::agent {

/// A document of a file, as it was last understood.
struct RememberedDocument {
  int line = 1;
  ResourceKey key;
  Hash128 hash;  // of its canonical JSON
  friend bool operator==(const RememberedDocument&, const RememberedDocument&) = default;
};

struct PublishTotals {
  std::uint64_t published = 0;  // versions
  std::uint64_t unchanged = 0;  // versions that were live already
  std::uint64_t removed = 0;
};

using Versions = std::vector<Hash128>;  // of one key, in the order they were published

/// Life cycle: load() once; changes are in memory until flush(). Thread rule: one thread.
class PublishMemory {
 public:
  /// `file` empty = only in memory. A file of another zone or one that does not read is moved aside
  /// as `*.bad` and reported in `moved_aside()`: nothing is then remembered, so nothing is removed.
  /// Errors: storage_io.
  [[nodiscard]] static Result<PublishMemory> load(std::filesystem::path file, std::string zone);

  /// Live keys; the last version of each is what the outbox holds.
  [[nodiscard]] const std::map<ResourceKey, Versions>& keys() const { return keys_; }
  [[nodiscard]] const std::map<std::string, std::vector<RememberedDocument>>& files() const {
    return files_;
  }
  [[nodiscard]] const PublishTotals& totals() const { return totals_; }
  [[nodiscard]] const std::string& moved_aside() const { return moved_aside_; }

  /// `versions` empty = the key left. `more` is added to the totals.
  void set_versions(const ResourceKey& key, Versions versions, const PublishTotals& more);
  void set_file(const std::string& path, std::vector<RememberedDocument> documents);
  void forget_file(const std::string& path);
  /// Makes everything durable; on error it stays waiting. Errors: storage_io.
  [[nodiscard]] Status flush();

 private:
  bool read_line(const std::string& line);
  [[nodiscard]] std::string header() const;
  [[nodiscard]] std::string line_of(const ResourceKey& key, const Versions& versions,
                                    const PublishTotals& more) const;
  [[nodiscard]] std::string line_of(const std::string& path,
                                    const std::vector<RememberedDocument>& documents) const;
  [[nodiscard]] std::string whole() const;

  std::filesystem::path file_;
  std::string zone_;
  std::map<ResourceKey, Versions> keys_;
  std::map<std::string, std::vector<RememberedDocument>> files_;
  PublishTotals totals_;
  std::string waiting_;        // lines not on disk yet
  std::size_t lines_ = 0;      // on disk
  bool rewrite_ = true;        // the file must be written anew: missing, torn or mostly outdated
  std::string moved_aside_;
};

}  // namespace zonesync::agent

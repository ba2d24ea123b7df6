// Short words for changes, transactions and segments in the tests of this folder.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "storage/change_log.hpp"

namespace zonesync::test {

inline ResourceKey key(std::string name, std::string type = "MeshTimeout",
                       std::string origin = std::string(kGlobalOrigin)) {
  return ResourceKey{std::move(type), "default", std::move(origin), std::move(name)};
}

inline Class class_of_key(const ResourceKey& key, std::string tag = {}) {
  return Class{key.type, key.mesh, key.origin, std::move(tag)};
}

inline Change upsert(const ResourceKey& key, const std::string& payload, std::string tag = {}) {
  return Change{ChangeKind::upsert, class_of_key(key, std::move(tag)), key, hash_bytes(payload),
                SharedBytes(payload)};
}

inline Change leave(const ResourceKey& key, std::string tag = {}) {
  return Change{ChangeKind::leave, class_of_key(key, std::move(tag)), key, Hash128{},
                SharedBytes()};
}

inline Change put(const std::string& name, const std::string& payload) {
  return upsert(key(name), payload);
}

/// Appends one segment; each inner list is a transaction.
inline Status append(ChangeLog& log, std::vector<std::vector<Change>> transactions) {
  Segment segment;
  Revision revision = log.state().head;
  for (auto& changes : transactions) {
    revision = revision.next();
    segment.transactions.push_back(Transaction{revision, std::move(changes)});
  }
  Status answer = fail(ErrorCode::internal, "append did not answer");
  log.append(std::move(segment), [&](Status status) { answer = std::move(status); });
  return answer;
}

inline Status append_raw(ChangeLog& log, Segment segment) {
  Status answer = fail(ErrorCode::internal, "append did not answer");
  log.append(std::move(segment), [&](Status status) { answer = std::move(status); });
  return answer;
}

/// All pages of a scan.
inline std::vector<LogEntry> scan_all(const ChangeLog& log, Position after = Position::start(),
                                      ScanOptions options = {}) {
  std::vector<LogEntry> entries;
  for (;;) {
    auto page = log.scan(after, options);
    if (!page) {
      ADD_FAILURE() << describe(page.error());
      return entries;
    }
    entries.insert(entries.end(), page->entries.begin(), page->entries.end());
    if (page->at_head) return entries;
    if (page->next <= after) {
      ADD_FAILURE() << "scan makes no progress";
      return entries;
    }
    after = page->next;
  }
}

/// What the digests must be, from the listing.
inline ClassDigests recompute(const ChangeLog& log) {
  ClassDigests digests;
  ListFilter all;
  all.all_types = true;
  const auto page = log.list(all, std::nullopt, 1'000'000);
  EXPECT_TRUE(page.has_value());
  if (!page) return digests;
  for (const LogEntry& entry : page->entries) {
    digests[entry.change.cls].add(fingerprint(entry.change.key), entry.change.hash);
  }
  return digests;
}

/// A directory of its own that goes away with the test.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "zonesync-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace zonesync::test

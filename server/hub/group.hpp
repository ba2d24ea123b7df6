// The group commit in progress: the log as it will be once the group is durable.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "storage/change_log.hpp"

namespace zonesync::hub {

/// Overlay over the log while one segment is built. Life cycle: one per group; `take` ends it.
/// Thread rule: the writer thread.
class Group {
 public:
  Group(const ChangeLog& log, Revision head) : log_(log), head_(head) {}

  /// The newest entry of `key`, this group included. Errors: storage_io, storage_corrupt.
  [[nodiscard]] Result<std::optional<LatestEntry>> latest(const ResourceKey& key) const;
  /// The same, nothing when the newest entry is a leave.
  [[nodiscard]] Result<std::optional<LatestEntry>> live(const ResourceKey& key) const;
  /// Every live resource of an origin in key order, this group included. Errors: storage_io.
  [[nodiscard]] Result<std::vector<LatestEntry>> live_of(const std::string& origin) const;

  /// Whether the log stores entries of `type`. Errors: forbidden (a sensitive type, no encryption).
  [[nodiscard]] Status admits(std::string_view type) const { return log_.admits(type); }

  /// Head of the log once this group is durable.
  [[nodiscard]] Revision head() const { return head_; }
  /// Adds one transaction; `changes` not empty, at most one per (class, key), a leave of an old
  /// class before the upsert of the new one. Returns its revision.
  Revision add(std::vector<Change> changes);

  [[nodiscard]] bool empty() const { return segment_.transactions.empty(); }
  [[nodiscard]] std::size_t changes() const { return changes_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] Segment take() { return std::move(segment_); }

 private:
  const ChangeLog& log_;
  Revision head_;
  Segment segment_;
  std::map<ResourceKey, LatestEntry> overlay_;
  std::size_t changes_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace zonesync::hub

// A replica's content in memory: what a batch does to it. The memory and the journal replica are
// this plus their idea of durability.
//
// Life cycle of a commit: `prepare` computes the next content without changing anything; once the
// caller has made it durable, `publish` makes it visible at once.
// Thread rule: one writer; state(), snapshot() and meta() from any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "storage/replica_store.hpp"

namespace zonesync {

inline constexpr std::size_t kMetaValueMaxBytes = 64u << 10;
inline constexpr std::size_t kMetaNameMaxBytes = 128;
inline constexpr std::size_t kMetaNamesMax = 1'024;

class ReplicaTable {
 public:
  /// Content and counters that belong together.
  struct Content {
    std::shared_ptr<const ReplicaSnapshot> snapshot;
    ReplicaState state;
  };

  ReplicaTable();

  [[nodiscard]] ReplicaState state() const;
  [[nodiscard]] std::shared_ptr<const ReplicaSnapshot> snapshot() const;
  [[nodiscard]] std::optional<std::string> meta(std::string_view name) const;
  [[nodiscard]] std::map<std::string, std::string, std::less<>> all_meta() const;

  /// Errors: invalid_argument (an upsert that is a leave, or both full modes at once).
  [[nodiscard]] Result<Content> prepare(const ReplicaBatch& batch) const;
  /// Errors: not_found (another version is offered now).
  [[nodiscard]] Result<Content> prepare_verdict(const ResourceKey& key, Revision revision,
                                                std::optional<Reject> reject) const;
  /// Recovery: the content of exactly these entries.
  [[nodiscard]] static Content content_of(std::vector<ReplicaEntry> entries,
                                          std::optional<Cursor> cursor, Id128 source_log);
  void publish(Content content);

  /// Errors: too_large (value, name), resource_exhausted (too many names).
  [[nodiscard]] Status check_meta(std::string_view name, const std::string& value) const;
  void set_meta(std::string_view name, std::string value);

 private:
  [[nodiscard]] Content content() const;

  mutable std::mutex mutex_;
  Content content_;
  std::map<std::string, std::string, std::less<>> meta_;
};

}  // namespace zonesync

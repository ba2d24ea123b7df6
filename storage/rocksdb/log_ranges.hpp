// The two ranges of the log family, read as one log: what zones may view, and what none of them
// does (AsideRule), each in log order.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include <rocksdb/write_batch.h>

#include "storage/change_log.hpp"
#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/key_codec.hpp"

namespace zonesync::rocksdb_store {

enum class Ranges : std::uint8_t { viewed, both };

/// Entries after `after`, up to revision `last` (nothing = all), in log order until `visit` answers
/// false. Errors: storage_corrupt (a key is unreadable), storage_io.
[[nodiscard]] Status visit_entries(
    const Database& database, Ranges ranges, Position after, const std::optional<Revision>& last,
    const rocksdb::Snapshot* snapshot,
    const std::function<bool(const LogKey& key, std::string_view value)>& visit);

/// The stored bytes of one entry, whichever range it lies in; nothing when it is in neither.
[[nodiscard]] Result<std::optional<std::string>> get_entry(const Database& database,
                                                           Position position,
                                                           const rocksdb::Snapshot* snapshot);

/// Which patterns of classes ever went to the second range, since when.
///
/// A value; an open log publishes immutable ones. Thread rule: const functions from any thread.
class AsideMarks {
 public:
  /// Errors: storage_corrupt, storage_io.
  [[nodiscard]] static Result<AsideMarks> load(const Database& database);

  /// The range for a new change; puts a new or changed mark into `batch`, durable with it.
  /// `head` = the log's before the segment.
  [[nodiscard]] LogRange range_for(const Class& cls, const AsideRule& rule, Revision head,
                                   const Database& database, rocksdb::WriteBatch& batch);
  /// Removes an entry that a later one of the same class and key replaced.
  void erase_previous(const Class& cls, Position previous, const Database& database,
                      rocksdb::WriteBatch& batch) const;
  /// Whether the second range may hold what the rule now calls viewed: nobody may leave it out.
  [[nodiscard]] bool holds_viewed(const AsideRule& rule) const;

  friend bool operator==(const AsideMarks&, const AsideMarks&) = default;

 private:
  std::unordered_map<Class, AsideMark> marks_;  // by aside_pattern
};

}  // namespace zonesync::rocksdb_store

// Answers to requests that carried an idempotency key: bounded, and in the log so that they survive
// a restart.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "protocol/model/limits.hpp"
#include "server/hub/system_entries.hpp"
#include "storage/change_log.hpp"

namespace zonesync::hub {

/// Thread rule: the writer thread.
class IdempotencyTable {
 public:
  explicit IdempotencyTable(std::size_t max = limits::kIdempotencyKeysMax) : max_(max) {}

  /// Forgets what it knows and reads the log. Errors: storage_io, storage_corrupt.
  Status load(const ChangeLog& log);
  [[nodiscard]] const IdempotencyRecord* find(const std::string& key) const;
  /// Remembers a result that took a revision: appends its entry to `changes`, with leaves for the
  /// oldest ones over the bound.
  void remember(IdempotencyRecord record, std::vector<Change>& changes);
  /// Remembers a result that logged nothing: until a restart, within the same bound.
  void remember_unlogged(IdempotencyRecord record);
  [[nodiscard]] std::size_t size() const { return records_.size(); }

 private:
  struct Known {
    IdempotencyRecord record;
    bool logged = false;
  };
  std::size_t max_;
  std::map<std::string, Known> records_;
  std::deque<std::string> order_;  // oldest first
};

}  // namespace zonesync::hub

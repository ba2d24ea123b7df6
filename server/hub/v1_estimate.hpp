// What v1 (complete lists per changed type) would have sent: an estimate for status and demo.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "protocol/model/scope.hpp"
#include "storage/change_log.hpp"

namespace zonesync::hub {

/// Running packet bytes per type and origin of everything that some zone may see. Ignores that a
/// zone may narrow its view. Thread rule: the writer thread.
class V1Estimate {
 public:
  explicit V1Estimate(std::shared_ptr<const TypeRegistry> registry);

  /// Begins to read what is there; load_some does it. Until it is done the estimate is too low.
  void begin(const ChangeLog& log);
  /// Reads on, at most `max_visited` entries in log order: a hub of a million resources must not
  /// wait for an estimate. False = nothing is left. Errors: storage_io, storage_corrupt.
  Result<bool> load_some(const ChangeLog& log, std::size_t max_visited);
  /// Takes a durable segment in; `cost_of` speaks about it until the next one.
  void on_segment(const Segment& segment);
  /// Bytes of the lists that v1 would send `zone` for the last segment.
  [[nodiscard]] std::uint64_t cost_of(const std::string& zone) const;
  /// Bytes of all lists: what v1 sends on every reconnect.
  [[nodiscard]] std::uint64_t cost_of_reconnect(const std::string& zone) const;

 private:
  struct TypeBytes {
    std::uint64_t total = 0;
    std::map<std::string, std::uint64_t> by_origin;
  };
  struct Touched {
    std::string only_origin;   // when `several` is false
    bool several = false;
  };
  void apply(const Change& change);
  void set_size(const Change& change);
  [[nodiscard]] std::uint64_t list_bytes(const TypeBytes& type, const std::string& zone) const;

  View everyone_;              // of a zone that owns nothing
  std::map<std::string, TypeBytes> types_;
  std::unordered_map<Id128, std::uint32_t> sizes_;
  std::optional<Position> reading_;          // what was there at the start: read up to here
  Revision until_;
  std::unordered_set<Id128> newer_;          // changed since: what is read of them is old
  std::map<std::string, Touched> touched_;
};

}  // namespace zonesync::hub

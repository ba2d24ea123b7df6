// A realistic mesh for the demo, and its endless, seeded stream of changes.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "protocol/model/resource.hpp"

namespace zonesync::demo {

/// Deterministic: the same seed and calls give the same resources. Thread rule: one thread.
class Generator {
 public:
  /// `resources` = how many global resources initial() makes in all (at least a mesh and one policy
  /// per service); `zones` publish their own dataplanes and services.
  Generator(std::uint64_t seed, std::size_t resources, std::vector<std::string> zones);

  /// What the global control plane owns at the start, in apply order.
  [[nodiscard]] std::vector<Resource> initial() const;
  /// What one zone publishes at the start (origin = zone).
  [[nodiscard]] std::vector<Resource> zone_initial(const std::string& zone) const;

  struct Step {
    bool remove = false;
    Resource resource;  // with `remove` only the key counts
  };
  /// Next change of a global resource: mostly updates, sometimes a create or a removal.
  [[nodiscard]] Step next();
  /// Next version of one of the zone's dataplanes.
  [[nodiscard]] Resource next_of_zone(const std::string& zone);

 private:
  [[nodiscard]] std::uint64_t pick(std::uint64_t below);
  [[nodiscard]] Resource policy(std::size_t number, std::uint64_t version) const;
  [[nodiscard]] Resource dataplane(const std::string& zone, std::size_t number,
                                   std::uint64_t version) const;

  std::mt19937_64 random_;
  std::size_t policies_;
  std::vector<std::string> zones_;
  std::uint64_t version_ = 1;
  std::vector<std::size_t> extra_;     // policies beyond the initial set that exist now
  std::size_t next_extra_;
};

}  // namespace zonesync::demo

// A generated ZoneIngress as large zones have them: hundreds of services, tags that do not repeat.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "protocol/model/resource.hpp"

namespace zonesync::testing {

struct ZoneIngressShape {
  std::string origin = "west";
  std::size_t services = 1'000;
  std::uint64_t seed = 1;
};

/// Deterministic. 1,000 services take at least 140 kB; every service has tags of its own, so that
/// one version alone compresses badly.
[[nodiscard]] Resource zone_ingress(const ZoneIngressShape& shape);
/// The same with another number of instances and another version tag of service `index`.
[[nodiscard]] Resource with_service_changed(const ZoneIngressShape& shape, std::size_t index);

}  // namespace zonesync::testing

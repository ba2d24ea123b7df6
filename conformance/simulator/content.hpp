// What the writers of a run invent: few keys, many collisions, classes that change.
#pragma once

#include <string>
#include <vector>

#include "client-sdk/zone/outbox.hpp"
#include "conformance/simulator/environment.hpp"
#include "server/hub/write.hpp"
#include "server/hub/zone_scope.hpp"

namespace zonesync::sim {

/// One transaction of the hub's API, as a function of `draw` only.
[[nodiscard]] hub::WriteRequest invent_write(Environment& env, std::uint64_t draw);
/// Over a hundred resources at once: what the mass-delete guards look at.
/// What a zone may see: everything, some types, or one side of the scope label.
[[nodiscard]] hub::ZoneScope invent_scope(std::uint64_t draw);
[[nodiscard]] hub::WriteRequest invent_mass_write(std::uint64_t draw);
[[nodiscard]] std::vector<OutboxOp> invent_mass_publication(const std::string& zone,
                                                            std::uint64_t draw);
/// One publication of a zone.
[[nodiscard]] std::vector<OutboxOp> invent_publication(Environment& env, const std::string& zone,
                                                       std::uint64_t draw);

/// Whether a validator of the zones refuses the resource.
[[nodiscard]] bool is_poison(const Resource& resource);

}  // namespace zonesync::sim

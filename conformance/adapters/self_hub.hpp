// The product's hub core as a subject, over memory, in virtual time.
#pragma once

#include <memory>

#include "conformance/suite/subject.hpp"

namespace zonesync::conform {

/// A fresh hub that holds nothing. Deterministic for a seed. `types` null = the default ones.
[[nodiscard]] std::shared_ptr<HubSubject> make_self_hub(
    std::uint64_t seed, std::shared_ptr<const TypeRegistry> types = nullptr);
/// A client core with an empty store.
[[nodiscard]] std::shared_ptr<ZoneSubject> make_self_zone(
    std::uint64_t seed, std::shared_ptr<const TypeRegistry> types = nullptr);
/// Both.
[[nodiscard]] std::unique_ptr<SubjectFactory> make_self_factory();

}  // namespace zonesync::conform

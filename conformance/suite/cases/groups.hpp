// The groups of the catalogue; each file of this folder defines one or two.
#pragma once

#include <span>

#include "conformance/suite/test.hpp"

namespace zonesync::conform::cases {

using Group = std::span<const Case>;

/// The cases of an optional feature: each needs it, but for those of a session without it
/// (`...-not-negotiated`).
[[nodiscard]] std::vector<Case> of_feature(std::string_view feature, std::vector<Case> cases);

Group session_hub();
Group session_zone();
Group cursor_hub();
Group cursor_zone();
Group cut_hub();
Group cut_zone();
Group credit_hub();
Group credit_zone();
Group hostile_hub();
Group hostile_zone();
Group hostile_limits();
Group up_hub();
Group up_zone();
Group view_and_rest();
Group v1_hub();
Group v1_zone();
Group repair_hub();
Group repair_zone();
Group zip_hub();
Group zip_zone();
Group patch_hub();
Group patch_zone();
Group switching_zone();
Group edges_hub();
Group edges_zone();
Group stage_hub();
Group stage_zone();
Group view_moves();

}  // namespace zonesync::conform::cases

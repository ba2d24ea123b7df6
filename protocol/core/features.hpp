// Optional parts of the protocol, agreed on in the handshake (SES-04).
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace zonesync::feature {

/// Repair by fingerprints (REP-*); without it `full` is the answer.
inline constexpr std::string_view kRepair = "repair";

/// What this version offers.
[[nodiscard]] inline std::vector<std::string> supported() { return {std::string(kRepair)}; }

[[nodiscard]] inline bool among(const std::vector<std::string>& features,
                                std::string_view feature) {
  return std::find(features.begin(), features.end(), feature) != features.end();
}

/// Those of `offered` that `own` knows too, in the order of `own`.
[[nodiscard]] inline std::vector<std::string> common(const std::vector<std::string>& own,
                                                     const std::vector<std::string>& offered) {
  std::vector<std::string> both;
  for (const std::string& feature : own) {
    if (among(offered, feature)) both.push_back(feature);
  }
  return both;
}

}  // namespace zonesync::feature

// Plots as inline SVG, for reports that are one file without scripts.
#pragma once

#include <string>
#include <vector>

namespace zonesync::conform {

/// Two bars on a logarithmic axis.
struct BarPair {
  std::string name;
  double delta = 0;
  double v1 = 0;
};

/// `unit` is written behind the values.
[[nodiscard]] std::string bars(const std::string& title, const std::string& unit,
                               const std::vector<BarPair>& pairs);

/// A dot per value over its number, on a logarithmic axis: two series of the same length.
[[nodiscard]] std::string dots(const std::string& title, const std::string& unit,
                               const std::vector<double>& delta, const std::vector<double>& v1);

}  // namespace zonesync::conform

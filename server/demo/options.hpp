// What `zonesync-hub demo` was asked to do.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace zonesync::demo {

struct DemoOptions {
  bool headless = false;                    // JSON lines instead of the live table
  std::chrono::milliseconds exit_after{0};  // from all zones connected; 0 = until a signal
  std::string ready_file;                   // empty = none
  std::size_t zones = 3;                    // east, west, edge, zone-4, ...
  std::size_t resources = 300;              // global ones, besides what zones publish
  double rate = 5.0;                        // changes a second; 0 = none
  std::uint64_t seed = 1;
  std::string program_dir;                  // where zonesync-hub and zonesync-agent are
};

inline constexpr std::size_t kDemoZonesMax = 50;
inline constexpr std::size_t kDemoResourcesMax = 100'000;
inline constexpr double kDemoRateMax = 1'000.0;

/// east, west, edge, zone-4, zone-5, ...
[[nodiscard]] std::vector<std::string> zone_names(std::size_t count);
/// `edge` runs in v1, beside the others in delta.
[[nodiscard]] std::string zone_mode(const std::string& zone);

}  // namespace zonesync::demo

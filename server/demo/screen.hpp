// What a demo prints: the live table for people, JSON lines for programs.
#pragma once

#include <chrono>
#include <string>

#include "server/demo/world.hpp"

namespace zonesync::demo {

/// {"event":"status","t_ms":…,"head":…,"zones":[…]}; with `ok` given, the last line (event "end").
[[nodiscard]] std::string status_line(const Overview& overview, std::chrono::milliseconds since);
[[nodiscard]] std::string end_line(const Overview& overview, bool ok);
/// Addresses and what to type next.
[[nodiscard]] std::string banner(const World& world);
/// Aligned columns, one line a zone.
[[nodiscard]] std::string table(const Overview& overview);
/// "61.2 KiB"
[[nodiscard]] std::string human_bytes(std::uint64_t bytes);

}  // namespace zonesync::demo

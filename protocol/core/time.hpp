// Time is an argument everywhere in the sans-IO core; nobody here reads a clock.
#pragma once

#include <chrono>

namespace zonesync {

using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

}  // namespace zonesync

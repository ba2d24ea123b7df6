// Randomness of a run: splitmix64, split into named streams so that a draw added in one place does
// not shift what another place draws.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/core/time.hpp"
#include "protocol/model/ids.hpp"

namespace zonesync::sim {

/// Thread rule: one thread. Cheap to copy; a copy repeats the same draws.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ull;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  /// Uniform in [0, bound); 0 for bound 0.
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
  /// Uniform in [low, high].
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  bool chance(unsigned percent) { return below(100) < percent; }
  /// Uniform in [0, 1).
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  /// Uniform in [0, max], whole microseconds.
  Duration up_to(Duration max) {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(max).count();
    return std::chrono::microseconds(below(static_cast<std::uint64_t>(us) + 1));
  }
  Id128 id() {
    Id128 id;
    for (auto& byte : id.bytes) byte = static_cast<std::uint8_t>(next());
    id.bytes[0] |= 1;  // never zero
    return id;
  }
  [[nodiscard]] Rng stream(std::string_view name) const {
    std::uint64_t seed = state_ ^ 0xcbf29ce484222325ull;
    for (const char c : name) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
    return Rng(seed);
  }

 private:
  std::uint64_t state_;
};

}  // namespace zonesync::sim

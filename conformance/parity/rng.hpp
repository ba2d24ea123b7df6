// Randomness of a parity run: the simulator's generator, and words from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "conformance/simulator/rng.hpp"

namespace zonesync::conform::parity {

using sim::Rng;

/// Lower-case letters and digits.
[[nodiscard]] inline std::string word(Rng& rng, std::size_t length) {
  static constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz234567";
  std::string text;
  while (text.size() < length) {
    std::uint64_t bits = rng.next();
    for (int at = 0; at < 12 && text.size() < length; ++at, bits >>= 5) {
      text += kLetters[bits & 31];
    }
  }
  return text;
}

}  // namespace zonesync::conform::parity

// Randomness of a parity run: splitmix64.
#pragma once

#include <cstdint>
#include <string>

namespace zonesync::conform::parity {

/// Thread rule: one thread. The same draws for the same seed.
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
  bool chance(unsigned percent) { return below(100) < percent; }
  /// Lower-case letters and digits.
  std::string word(std::size_t length) {
    static constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz234567";
    std::string text;
    while (text.size() < length) {
      std::uint64_t bits = next();
      for (int at = 0; at < 12 && text.size() < length; ++at, bits >>= 5) {
        text += kLetters[bits & 31];
      }
    }
    return text;
  }

 private:
  std::uint64_t state_;
};

}  // namespace zonesync::conform::parity

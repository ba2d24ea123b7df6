// How long to wait before the next connect attempt.
#pragma once

#include <cstdint>

#include "protocol/core/time.hpp"
#include "protocol/model/limits.hpp"

namespace zonesync {

/// Full jitter: random(0, min(max, base * 2^attempt)), so that zones that lost one hub together do
/// not come back together. Pure: randomness is an argument.
class Backoff {
 public:
  struct Options {
    Duration base = limits::kBackoffBase;
    Duration max = limits::kBackoffMax;
    Duration auth = limits::kBackoffAuth;  // slow regime: the credential was refused
  };
  explicit Backoff(Options options) : options_(options) {}

  /// `random` in [0, 1). Counts the attempt.
  [[nodiscard]] Duration next(double random);
  /// Slow regime: between 3/4 and 5/4 of `auth`; the attempt is not counted.
  [[nodiscard]] Duration next_auth(double random) const;
  /// The peer named a time: never earlier than it, at most a tenth (and at least `base`) later.
  [[nodiscard]] Duration after(Duration retry_after, double random) const;
  void reset() { attempt_ = 0; }
  [[nodiscard]] std::uint32_t attempt() const { return attempt_; }

 private:
  Options options_;
  std::uint32_t attempt_ = 0;
};

}  // namespace zonesync

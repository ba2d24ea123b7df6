#include "client-sdk/zone/backoff.hpp"

#include <algorithm>

namespace zonesync {
namespace {

Duration scale(Duration duration, double factor) {
  return std::chrono::duration_cast<Duration>(duration * factor);
}

}  // namespace

Duration Backoff::next(double random) {
  constexpr std::uint32_t kDoublingsMax = 20;  // beyond that every base exceeds every max
  const std::uint32_t doublings = std::min(attempt_, kDoublingsMax);
  ++attempt_;
  const Duration cap = std::min(options_.max, options_.base * (std::int64_t{1} << doublings));
  return scale(cap, random);
}

Duration Backoff::next_auth(double random) const {
  return scale(options_.auth, 0.75 + 0.5 * random);
}

Duration Backoff::after(Duration retry_after, double random) const {
  return retry_after + scale(std::max(options_.base, retry_after / 10), random);
}

}  // namespace zonesync

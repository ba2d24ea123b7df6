#include "client-sdk/zone/mode_policy.hpp"

#include <algorithm>
#include <utility>

namespace zonesync {
namespace {

constexpr Duration kFallbackMax = std::chrono::hours(24);

}  // namespace

bool ModePolicy::falling_back(TimePoint now) const {
  return fallback_until_ && now < *fallback_until_;
}

std::vector<SyncMode> ModePolicy::offers(TimePoint now) const {
  if (!delta_enabled_ || falling_back(now)) return {SyncMode::v1};
  return {SyncMode::delta, SyncMode::v1};
}

void ModePolicy::fall_back(Duration ttl, TimePoint now) {
  if (ttl <= Duration::zero()) return;
  fallback_until_ = now + std::min(ttl, kFallbackMax);
}

void ModePolicy::opened(SyncMode mode, TimePoint now) {
  mode_ = mode;
  if (mode == SyncMode::delta) {
    reason_ = "default";
  } else if (!delta_enabled_) {
    reason_ = "config";
  } else {
    reason_ = falling_back(now) ? "fallback" : "hub";
  }
}

bool ModePolicy::expire(TimePoint now) {
  if (!fallback_until_ || now < *fallback_until_) return false;
  fallback_until_.reset();
  return delta_enabled_ && mode_ == SyncMode::v1;
}

}  // namespace zonesync

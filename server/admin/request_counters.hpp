// How often each route answered what, for /metrics.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>

namespace zonesync::admin {

/// Bounded by the route table times the statuses in use: never a name out of a request.
/// Thread rule: any thread.
class RequestCounters {
 public:
  /// Route pattern, method, status.
  using Key = std::tuple<std::string, std::string, unsigned>;

  void count(std::string_view route, std::string_view method, unsigned status) {
    const std::lock_guard lock(mutex_);
    ++counts_[Key(route, method, status)];
  }
  [[nodiscard]] std::map<Key, std::uint64_t> counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<Key, std::uint64_t> counts_;
};

}  // namespace zonesync::admin

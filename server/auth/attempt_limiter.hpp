// Slows down guessing: too many refused credentials from one address earn a penalty.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace zonesync::auth {

/// The address without its port: "10.0.0.1" of "10.0.0.1:443", "[::1]" of "[::1]:443".
[[nodiscard]] std::string_view host_of(std::string_view peer);

/// Counts refused credentials per address. IPv6 addresses count per /64, since one host owns as
/// many. The table is bounded: when full, the address that failed longest ago is forgotten.
/// Usage: ask blocked() before looking at a credential, then report failed() or succeeded().
/// Thread rule: any thread. Time is an argument: any monotonic clock, the same in every call.
class AttemptLimiter {
 public:
  struct Options {
    std::uint32_t max_failures = 5;  // 0 = never block
    std::chrono::milliseconds window{60'000};
    std::chrono::milliseconds penalty{60'000};
    std::size_t max_addresses = 10'000;
  };
  using Time = std::chrono::milliseconds;

  AttemptLimiter();
  explicit AttemptLimiter(Options options);

  /// Time left until the address may try again; zero = may try now.
  [[nodiscard]] std::chrono::milliseconds blocked_for(std::string_view address, Time now) const;
  [[nodiscard]] bool blocked(std::string_view address, Time now) const;
  /// Counts one refusal; returns true if it started a penalty (worth one log line).
  bool failed(std::string_view address, Time now);
  /// Forgets the failures, so that a fixed client starts clean; a running penalty stays.
  void succeeded(std::string_view address, Time now);
  [[nodiscard]] std::size_t tracked() const;

 private:
  struct Entry {
    std::string address;
    Time window_start{};
    std::uint32_t failures = 0;
    Time blocked_until{};
    bool in_penalty = false;
  };
  using Entries = std::list<Entry>;  // front = failed most recently

  Options options_;
  mutable std::mutex mutex_;
  Entries entries_;
  std::unordered_map<std::string, Entries::iterator> by_address_;
};

}  // namespace zonesync::auth

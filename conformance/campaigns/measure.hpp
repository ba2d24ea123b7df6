// What campaigns measure: delays, memory, and content that does not shrink on the wire.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <boost/json/object.hpp>

namespace zonesync::campaigns {

/// Milliseconds of many events. Thread rule: one thread.
class Delays {
 public:
  void add(double ms) { ms_.push_back(ms); }
  [[nodiscard]] std::size_t count() const { return ms_.size(); }
  /// The smallest that `share` (0 to 1) of them do not exceed; 0 without any.
  [[nodiscard]] double at(double share) const;
  /// {"count", "p50", "p99", "max"}, rounded to hundredths.
  [[nodiscard]] boost::json::object to_json() const;

 private:
  std::vector<double> ms_;
};

/// Resident memory of a process in KiB; 0 when it is gone.
[[nodiscard]] std::size_t resident_kib(pid_t pid);

/// Looks at the memory of a process again and again. Life cycle: from the constructor to stop().
class MemoryWatch {
 public:
  explicit MemoryWatch(pid_t pid);
  ~MemoryWatch() { stop(); }
  MemoryWatch(const MemoryWatch&) = delete;
  MemoryWatch& operator=(const MemoryWatch&) = delete;

  void stop();
  [[nodiscard]] std::size_t before_kib() const { return before_kib_; }
  [[nodiscard]] std::size_t most_kib() const { return most_kib_; }
  [[nodiscard]] std::size_t growth_kib() const { return most_kib_ - before_kib_; }

 private:
  std::size_t before_kib_;
  std::atomic<std::size_t> most_kib_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

/// Random letters and digits, harmless in JSON.
[[nodiscard]] std::string noise(std::mt19937_64& random, std::size_t bytes);

}  // namespace zonesync::campaigns

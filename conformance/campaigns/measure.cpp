#include "conformance/campaigns/measure.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>

namespace zonesync::campaigns {

double Delays::at(double share) const {
  if (ms_.empty()) return 0;
  std::vector<double> sorted = ms_;
  std::sort(sorted.begin(), sorted.end());
  const auto rank = std::ceil(share * static_cast<double>(sorted.size()));
  return sorted[std::clamp<std::size_t>(static_cast<std::size_t>(rank), 1, sorted.size()) - 1];
}

boost::json::object Delays::to_json() const {
  const auto rounded = [](double ms) { return std::round(ms * 100) / 100; };
  return {{"count", count()}, {"p50", rounded(at(0.5))}, {"p99", rounded(at(0.99))},
          {"max", rounded(at(1))}};
}

std::size_t resident_kib(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / 1'024;
}

MemoryWatch::MemoryWatch(pid_t pid) : before_kib_(resident_kib(pid)), most_kib_(before_kib_) {
  thread_ = std::thread([this, pid] {
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, std::chrono::milliseconds(5), [this] { return stopping_; })) {
      most_kib_ = std::max(most_kib_.load(), resident_kib(pid));
    }
  });
}

void MemoryWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::string noise(std::mt19937_64& random, std::size_t bytes) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text(bytes, '\0');
  for (char& letter : text) letter = kLetters[random() % kLetters.size()];
  return text;
}

}  // namespace zonesync::campaigns

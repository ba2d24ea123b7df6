#include "server/auth/attempt_limiter.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <arpa/inet.h>

namespace zonesync::auth {
namespace {

/// The table's key for an address: IPv6 counts per /64, IPv4-mapped IPv6 as the IPv4 address.
std::string table_key(std::string_view address) {
  if (address.starts_with('[')) address = address.substr(1, address.find(']') - 1);
  std::string text(address.substr(0, address.find('%')));  // without an IPv6 zone index
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return text;
  static constexpr std::array<unsigned char, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  char out[INET6_ADDRSTRLEN] = {};
  if (std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) {
    ::inet_ntop(AF_INET, bytes.data() + kMapped.size(), out, sizeof out);
    return out;
  }
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  ::inet_ntop(AF_INET6, bytes.data(), out, sizeof out);
  return std::string(out) + "/64";
}

}  // namespace

std::string_view host_of(std::string_view peer) { return peer.substr(0, peer.rfind(':')); }

AttemptLimiter::AttemptLimiter() : AttemptLimiter(Options()) {}

AttemptLimiter::AttemptLimiter(Options options) : options_(options) {
  options_.max_addresses = std::max<std::size_t>(options_.max_addresses, 1);
}

std::chrono::milliseconds AttemptLimiter::blocked_for(std::string_view address, Time now) const {
  const std::string key = table_key(address);
  const std::lock_guard lock(mutex_);
  const auto found = by_address_.find(key);
  if (found == by_address_.end() || !found->second->in_penalty) return Time::zero();
  return std::max(Time::zero(), found->second->blocked_until - now);
}

bool AttemptLimiter::blocked(std::string_view address, Time now) const {
  return blocked_for(address, now) > Time::zero();
}

bool AttemptLimiter::failed(std::string_view address, Time now) {
  if (options_.max_failures == 0) return false;
  std::string key = table_key(address);
  const std::lock_guard lock(mutex_);
  auto found = by_address_.find(key);
  if (found == by_address_.end()) {
    if (entries_.size() >= options_.max_addresses) {
      by_address_.erase(entries_.back().address);
      entries_.pop_back();
    }
    entries_.push_front(Entry{key, now});
    found = by_address_.emplace(std::move(key), entries_.begin()).first;
  } else {
    entries_.splice(entries_.begin(), entries_, found->second);
  }
  Entry& entry = *found->second;
  if (entry.in_penalty && now < entry.blocked_until) return false;
  if (entry.in_penalty || now - entry.window_start >= options_.window) {
    entry.in_penalty = false;
    entry.failures = 0;
    entry.window_start = now;
  }
  if (++entry.failures < options_.max_failures) return false;
  entry.in_penalty = true;
  entry.blocked_until = now + options_.penalty;
  return true;
}

void AttemptLimiter::succeeded(std::string_view address, Time now) {
  const std::string key = table_key(address);
  const std::lock_guard lock(mutex_);
  const auto found = by_address_.find(key);
  if (found == by_address_.end()) return;
  if (found->second->in_penalty && now < found->second->blocked_until) return;
  entries_.erase(found->second);
  by_address_.erase(found);
}

std::size_t AttemptLimiter::tracked() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace zonesync::auth

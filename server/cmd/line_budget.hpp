// How many log lines a peer may cause in a while.
#pragma once

#include <cstdint>
#include <utility>

namespace zonesync {

/// Lines that a peer can repeat at will take from here. Life cycle: one per session. Thread rule:
/// one thread.
class LineBudget {
 public:
  explicit LineBudget(unsigned per_refill) : per_refill_(per_refill), left_(per_refill) {}

  /// Whether one more line may be written now.
  [[nodiscard]] bool take() {
    if (left_ > 0) {
      --left_;
      return true;
    }
    ++suppressed_;
    return false;
  }
  /// A new while begins. Answers how many lines were not written in the last one.
  [[nodiscard]] std::uint64_t refill() {
    left_ = per_refill_;
    return std::exchange(suppressed_, 0);
  }

 private:
  unsigned per_refill_;
  unsigned left_;
  std::uint64_t suppressed_ = 0;
};

}  // namespace zonesync

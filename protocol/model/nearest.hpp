// "Did you mean": the nearest of a set of known words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace zonesync {

/// Collects candidates and keeps the one nearest to `wanted` by edit distance, ignoring case.
/// Only candidates within a third of the word's length (at least 1) count as near.
/// Life cycle: one object per question. Not thread-safe.
class Nearest {
 public:
  explicit Nearest(std::string_view wanted);
  /// Offers `candidate`; when it is nearest so far, the answer becomes `answer`. Ties keep the
  /// first.
  void offer(std::string_view candidate, std::string_view answer);
  /// Empty when nothing is near.
  [[nodiscard]] const std::string& best() const { return best_; }

 private:
  std::string wanted_;
  std::size_t best_distance_;
  std::string best_;
};

/// " (did you mean 'x'?)" or an empty string: appended to error messages.
[[nodiscard]] std::string did_you_mean(const std::string& nearest);

}  // namespace zonesync

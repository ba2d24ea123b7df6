#include "protocol/model/nearest.hpp"

#include <algorithm>
#include <vector>

namespace zonesync {
namespace {

constexpr std::size_t kWordMaxBytes = 128;  // longer words are not typing mistakes

std::string lower(std::string_view text) {
  std::string result(text.substr(0, kWordMaxBytes));
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

/// Damerau-Levenshtein with adjacent transpositions ("meshtiemout" is one step away).
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before(b.size() + 1), previous(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({previous[j] + 1, row[j - 1] + 1, previous[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(previous);
    previous.swap(row);
  }
  return previous[b.size()];
}

}  // namespace

Nearest::Nearest(std::string_view wanted)
    : wanted_(lower(wanted)), best_distance_(std::max<std::size_t>(1, wanted_.size() / 3) + 1) {}

void Nearest::offer(std::string_view candidate, std::string_view answer) {
  const std::size_t steps = distance(wanted_, lower(candidate));
  if (steps >= best_distance_) return;
  best_distance_ = steps;
  best_ = answer;
}

std::string did_you_mean(const std::string& nearest) {
  return nearest.empty() ? std::string() : " (did you mean '" + nearest + "'?)";
}

}  // namespace zonesync

#include "protocol/wire/features.hpp"

#include <algorithm>
#include <string_view>

namespace zonesync::wire {
namespace {

constexpr std::string_view kRepair = "repair";
constexpr std::string_view kZstd = "zstd";
constexpr std::string_view kPatch = "patch";
constexpr std::string_view kResume = "resume";

}  // namespace

std::vector<std::string> words_of(const Features& features) {
  std::vector<std::string> words;
  if (features.repair) words.emplace_back(kRepair);
  if (features.zstd) words.emplace_back(kZstd);
  if (features.patch) words.emplace_back(kPatch);
  if (features.resume) words.emplace_back(kResume);
  return words;
}

Features features_of(const std::vector<std::string>& words) {
  const auto has = [&](std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  return Features{.repair = has(kRepair),
                  .zstd = has(kZstd),
                  .patch = has(kPatch),
                  .resume = has(kResume)};
}

Features common(const Features& ours, const Features& theirs) {
  return Features{.repair = ours.repair && theirs.repair,
                  .zstd = ours.zstd && theirs.zstd,
                  .patch = ours.patch && theirs.patch,
                  .resume = ours.resume && theirs.resume};
}

}  // namespace zonesync::wire

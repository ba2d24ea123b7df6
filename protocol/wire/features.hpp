// Optional parts of the protocol: offered in Hello, granted in Welcome (docs/protocol.md SES-04).
#pragma once

#include <string>
#include <vector>

namespace zonesync::wire {

struct Features {
  bool repair = false;  // by fingerprints (REP-*); without it `full` is the answer
  bool zstd = false;    // packets may be compressed (ZIP-01 to ZIP-05)
  bool patch = false;   // upserts may be patches (ZIP-11 to ZIP-17)
  bool resume = false;  // an interrupted cut goes on where it was staged (STG-*)
  friend bool operator==(const Features&, const Features&) = default;
};

/// Everything that this version can do. The word `views` is the application's (VIEW-08).
inline constexpr Features kAllFeatures{
    .repair = true, .zstd = true, .patch = true, .resume = true};

/// The words as Hello and Welcome carry them, in a fixed order.
[[nodiscard]] std::vector<std::string> words_of(const Features& features);
/// Words of other versions are ignored.
[[nodiscard]] Features features_of(const std::vector<std::string>& words);
/// What both have.
[[nodiscard]] Features common(const Features& ours, const Features& theirs);

}  // namespace zonesync::wire

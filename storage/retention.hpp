// How much history a log keeps: what may be trimmed, from limits, time and the zones' cursors.
//
// Pure: time is an argument. Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage/change_log.hpp"

namespace zonesync {

/// 0 = no limit. With several limits the one that keeps least wins.
struct RetentionLimits {
  std::uint64_t revisions = 0;      // superseded versions of the newest so many revisions stay
  std::int64_t age_ms = 0;          // ... replaced at most so long ago
  std::uint64_t bytes = 0;          // ... of the newest so many payload bytes
  std::int64_t tombstones_ms = 0;  // leaves stay so long for zones that may need them; 0 = for ever
  [[nodiscard]] bool trims() const { return revisions != 0 || age_ms != 0 || bytes != 0; }
};

/// What a log keeps. A type that is named is judged by its own limits alone: `bytes` are its own
/// then, `revisions` and time those of the whole log. Leaves have one limit, the default's.
struct RetentionPolicy {
  RetentionLimits rest;
  std::map<std::string, RetentionLimits, std::less<>> types;
  [[nodiscard]] bool trims() const;
};

/// Where a registered zone stands.
struct ZoneCursor {
  bool durable = true;              // keeps a store: it may come back with a cursor
  std::optional<Revision> acked;    // nothing = not known (not seen since the hub started)
};

/// When revisions and bytes became durable, coarsely, since this process started. What was there
/// before counts as written at the first sample: it is kept longer, never shorter.
class RetentionClock {
 public:
  using TypeBytes = std::map<std::string, std::uint64_t, std::less<>>;
  /// `bytes` = payload appended since the start, not counting what was there before; `type_bytes`
  /// the same of the types that have a limit of their own.
  void sample(Revision head, std::uint64_t bytes, std::int64_t now_ms, TypeBytes type_bytes = {});
  /// The newest revision known to be durable at `at_ms`.
  [[nodiscard]] Revision at(std::int64_t at_ms) const;
  /// The newest revision with at least `bytes` behind it, of all types or of one.
  [[nodiscard]] Revision with_bytes_behind(std::uint64_t bytes,
                                           const std::string& type = {}) const;

 private:
  static constexpr std::size_t kSamplesMax = 4'096;
  struct Sample {
    Revision head;
    std::uint64_t bytes = 0;
    std::int64_t at_ms = 0;
    TypeBytes type_bytes;
    [[nodiscard]] std::uint64_t bytes_of(const std::string& type) const;
  };
  std::deque<Sample> samples_;      // none of it ever decreases
};

/// What may go now; nothing when nothing is limited. Floors may be lower than the log's: those
/// never sink. Only leaves wait for zones: an old cursor below a trim floor still resumes by
/// changes.
[[nodiscard]] std::optional<TrimRequest> plan_trim(const RetentionPolicy& policy,
                                                   const LogState& log,
                                                   const RetentionClock& clock,
                                                   const std::vector<ZoneCursor>& zones,
                                                   std::int64_t now_ms);

}  // namespace zonesync

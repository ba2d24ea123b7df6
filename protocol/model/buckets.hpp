// Fingerprints of content and their bucket sums: what two sides compare instead of names
// (docs/protocol.md §6 and REP-*).
#pragma once

#include <cstdint>
#include <vector>

#include "protocol/model/log.hpp"

namespace zonesync {

/// One resource as a repair names it: fingerprint of its key, hash of the offered version. A zero
/// hash equals nothing: "send that one again" (REP-03).
struct Print {
  Id128 key;
  Hash128 hash;
  friend bool operator==(const Print&, const Print&) = default;
};

inline constexpr unsigned kBucketBitsMax = 10;

/// The first `bits` bits of a fingerprint; sorted prints are sorted by bucket.
[[nodiscard]] std::size_t bucket_of(const Id128& fingerprint, unsigned bits);
/// Few prints need few buckets: about 16 prints in one, at most 2^kBucketBitsMax buckets.
[[nodiscard]] unsigned bucket_bits_for(std::size_t prints);

/// Low halves of the digests of every bucket (REP-03): order-free sums.
class BucketSums {
 public:
  /// `bits` <= kBucketBitsMax.
  explicit BucketSums(unsigned bits);
  void add(const Print& print);
  [[nodiscard]] unsigned bits() const { return bits_; }
  [[nodiscard]] const std::vector<std::uint64_t>& sums() const { return sums_; }

 private:
  unsigned bits_;
  std::vector<std::uint64_t> sums_;
};

/// The live resources of a log at one revision, sorted by fingerprint: what the sender of a repair
/// knows without any name. Immutable and shared by all sessions of a log.
struct FingerprintTable {
  struct Entry {
    Print print;
    Position position;          // of the live version
    std::uint32_t cls = 0;      // index into `classes`
  };
  Revision at;                  // end of a segment, not below any floor of the scan
  std::vector<Class> classes;
  std::vector<Entry> entries;
};

}  // namespace zonesync

#include "protocol/model/buckets.hpp"

#include "protocol/model/assert.hpp"
#include "protocol/model/digest.hpp"

namespace zonesync {

std::size_t bucket_of(const Id128& fingerprint, unsigned bits) {
  const std::size_t first = (std::size_t{fingerprint.bytes[0]} << 8) | fingerprint.bytes[1];
  return first >> (16 - bits);
}

unsigned bucket_bits_for(std::size_t prints) {
  constexpr std::size_t kPrintsPerBucket = 16;
  unsigned bits = 0;
  while (bits < kBucketBitsMax && (kPrintsPerBucket << bits) < prints) ++bits;
  return bits;
}

BucketSums::BucketSums(unsigned bits) : bits_(bits), sums_(std::size_t{1} << bits) {
  ZS_ASSERT(bits <= kBucketBitsMax);
}

void BucketSums::add(const Print& print) {
  Digest item;
  item.add(print.key, print.hash);
  sums_[bucket_of(print.key, bits_)] += item.low;
}

}  // namespace zonesync

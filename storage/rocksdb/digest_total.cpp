#include "storage/rocksdb/digest_total.hpp"

#include "storage/byte_codec.hpp"

namespace zonesync::rocksdb_store {

Hash128 DigestTotal::print_of(std::string_view key, std::string_view value) {
  ByteWriter record;
  record.text(key);
  record.text(value);
  return hash_bytes(record.bytes());
}

void DigestTotal::Sum::add(const Hash128& print, bool negative) {
  ByteWriter bytes;
  bytes.id(print.id);
  ByteReader halves(bytes.bytes());
  const std::uint64_t upper = halves.u64(), lower = halves.u64();
  high = negative ? high - upper : high + upper;
  low = negative ? low - lower : low + lower;
}

DigestTotal::Sum DigestTotal::sum_with(const Changes& changes) const {
  Sum sum = sum_;
  for (const auto& [key, print] : changes) {
    if (const auto old = prints_.find(key); old != prints_.end()) sum.add(old->second, true);
    if (print) sum.add(*print, false);
  }
  return sum;
}

void DigestTotal::apply(const Changes& changes) {
  sum_ = sum_with(changes);
  for (const auto& [key, print] : changes) {
    if (print) {
      prints_.insert_or_assign(key, *print);
    } else {
      prints_.erase(key);
    }
  }
}

std::string DigestTotal::value_with(const Changes& changes) const {
  const Sum sum = sum_with(changes);
  ByteWriter out;
  out.u64(sum.high);
  out.u64(sum.low);
  return out.take();
}

}  // namespace zonesync::rocksdb_store

#include "protocol/model/digest.hpp"

#include <cstring>

namespace zonesync {
namespace {

struct Pair {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
};

Pair item(const Id128& key_fingerprint, const Hash128& record) {
  char bytes[32];
  std::memcpy(bytes, key_fingerprint.bytes.data(), 16);
  std::memcpy(bytes + 16, record.id.bytes.data(), 16);
  const Hash128 hash = hash_bytes(std::string_view(bytes, sizeof bytes));
  Pair pair;
  for (int i = 0; i < 8; ++i) pair.high = (pair.high << 8) | hash.id.bytes[i];
  for (int i = 8; i < 16; ++i) pair.low = (pair.low << 8) | hash.id.bytes[i];
  return pair;
}

void add_wide(Digest& digest, std::uint64_t high, std::uint64_t low) {
  const std::uint64_t before = digest.low;
  digest.low += low;
  digest.high += high + (digest.low < before ? 1 : 0);
}

void subtract_wide(Digest& digest, std::uint64_t high, std::uint64_t low) {
  const bool borrow = digest.low < low;
  digest.low -= low;
  digest.high -= high + (borrow ? 1 : 0);
}

}  // namespace

void Digest::add(const Id128& key_fingerprint, const Hash128& record) {
  const Pair pair = item(key_fingerprint, record);
  add_wide(*this, pair.high, pair.low);
  ++count;
}

void Digest::remove(const Id128& key_fingerprint, const Hash128& record) {
  const Pair pair = item(key_fingerprint, record);
  subtract_wide(*this, pair.high, pair.low);
  --count;
}

Digest& Digest::operator+=(const Digest& other) {
  add_wide(*this, other.high, other.low);
  count += other.count;
  return *this;
}

Digest& Digest::operator-=(const Digest& other) {
  subtract_wide(*this, other.high, other.low);
  count -= other.count;
  return *this;
}

std::string to_string(const Digest& digest) {
  Id128 id;
  for (int i = 0; i < 8; ++i) {
    id.bytes[static_cast<std::size_t>(i)] =
        static_cast<std::uint8_t>(digest.high >> (56 - 8 * i));
    id.bytes[static_cast<std::size_t>(i + 8)] =
        static_cast<std::uint8_t>(digest.low >> (56 - 8 * i));
  }
  return std::to_string(digest.count) + ':' + to_hex(id);
}

}  // namespace zonesync

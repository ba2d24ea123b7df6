// Additive set digests (protocol.md §4.6): order-free, updated in O(1) per change, subtractable.
#pragma once

#include <cstdint>

#include "protocol/model/ids.hpp"

namespace zonesync {

/// Sum modulo 2^128 of one item hash per present resource, with the number of items. Two replicas
/// of equal content have equal digests; the converse holds but for accidents (not adversaries).
struct Digest {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::uint64_t count = 0;

  /// Adds the item (key fingerprint, record hash).
  void add(const Id128& key_fingerprint, const Hash128& record);
  /// Removes an item that was added before.
  void remove(const Id128& key_fingerprint, const Hash128& record);

  Digest& operator+=(const Digest& other);
  Digest& operator-=(const Digest& other);
  friend bool operator==(const Digest&, const Digest&) = default;
};
/// `count:hex` for logs and status.
[[nodiscard]] std::string to_string(const Digest& digest);

}  // namespace zonesync

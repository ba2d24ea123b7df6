// One number over all stored class digests, written with every segment.
//
// Why: a store that lost a part in the middle (a write-ahead log, a table) is consistent in every
// class that was not touched since; its newest segment still says what all digests had come to.
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/model/ids.hpp"

namespace zonesync::rocksdb_store {

class DigestTotal {
 public:
  /// By key of the default family; nothing = the digest is gone.
  using Changes = std::map<std::string, std::optional<Hash128>, std::less<>>;

  [[nodiscard]] static Hash128 print_of(std::string_view key, std::string_view value);

  void add(std::string_view key, std::string_view value) {
    apply({{std::string(key), print_of(key, value)}});
  }
  void apply(const Changes& changes);
  /// What is stored once `changes` are.
  [[nodiscard]] std::string value_with(const Changes& changes) const;
  [[nodiscard]] std::string value() const { return value_with({}); }

 private:
  /// Sum of the two halves of every print, each modulo 2^64: order does not matter.
  struct Sum {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    void add(const Hash128& print, bool negative);
  };
  [[nodiscard]] Sum sum_with(const Changes& changes) const;

  std::map<std::string, Hash128, std::less<>> prints_;
  Sum sum_;
};

}  // namespace zonesync::rocksdb_store

// AES-256-GCM over bytes, and the keys for it.
//
// Thread rule: functions from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/model/result.hpp"

namespace zonesync::sealing {

/// 32 secret bytes, wiped when destroyed. Not printable, so that it is not printed by accident.
class Key {
 public:
  static constexpr std::size_t kBytes = 32;

  Key() = default;
  /// `bytes` must be kBytes long.
  explicit Key(std::string_view bytes);
  Key(const Key&) = default;
  Key& operator=(const Key&) = default;
  ~Key();
  [[nodiscard]] std::string_view expose() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::array<char, kBytes> bytes_{};
};

/// Errors: internal (the random source fails).
[[nodiscard]] Result<std::string> random_bytes(std::size_t size);
[[nodiscard]] Result<Key> random_key();
/// Overwrites and empties.
void wipe(std::string& bytes);

/// nonce (12 random bytes) | ciphertext | tag (16 bytes). `bound` is authenticated, not stored: the
/// same bytes must be given to open. Errors: internal.
[[nodiscard]] Result<std::string> aead_seal(const Key& key, std::string_view bound,
                                            std::string_view plain);
/// Errors: storage_corrupt (another key, other bound bytes, or changed since).
[[nodiscard]] Result<std::string> aead_open(const Key& key, std::string_view bound,
                                            std::string_view sealed);

}  // namespace zonesync::sealing

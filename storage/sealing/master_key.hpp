// The key that the operator keeps, in a file of its own: it wraps the data keys of a log.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "storage/sealing/aead.hpp"

namespace zonesync::sealing {

/// Immutable. `id` tells keys apart in errors and in the log; it says nothing about the key.
struct MasterKey {
  std::string id;  // 16 hex digits
  Key key;
};
using MasterKeyPtr = std::shared_ptr<const MasterKey>;

inline constexpr std::size_t kMasterKeyFileMaxBytes = 4'096;

/// Errors: internal (the random source fails).
[[nodiscard]] Result<MasterKeyPtr> generate_master_key();
/// One line: "zonesync-master-key-1 ID KEY". Secret: for a file of mode 0600.
[[nodiscard]] std::string to_text(const MasterKey& key);
/// Errors: invalid_argument with `where` as field; never with a part of the text.
[[nodiscard]] Result<MasterKeyPtr> parse_master_key(std::string_view text,
                                                    const std::string& where);

}  // namespace zonesync::sealing

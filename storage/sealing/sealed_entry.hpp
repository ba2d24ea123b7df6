// Log entries whose content is sealed.
//
// Readable stay position, kind, key, class and what is replaced; sealed are payload, its hash and
// the hash of what it replaced, since the hash of a short secret gives it away. In the place
// of the hash stands the *shown hash*: over the plaintext with a random salt inside. It survives
// re-encryption, so that links between entries and the running hash of the log stay what they are.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/model/digest.hpp"
#include "storage/entry_codec.hpp"
#include "storage/sealing/key_ring.hpp"

namespace zonesync::sealing {

struct StoredEntry {
  std::string bytes;
  Hash128 shown;  // what readers of the stored form see as the hash; also in `latest`
  bool sealed = true;
};

/// `shown_previous` = the shown hash of what the entry replaces (its hash, if that is not sealed).
/// Errors: internal.
[[nodiscard]] Result<StoredEntry> seal_entry(const LogEntry& entry,
                                             const std::optional<Hash128>& shown_previous,
                                             const KeyRing& keys);
/// Both forms. Errors: storage_corrupt (cannot be opened, or is not what was sealed); forbidden
/// (sealed, and `keys` is null).
[[nodiscard]] Result<LogEntry> open_entry(const EntryView& view, Position position,
                                          const KeyRing* keys);
/// The same entry under the newest key; nothing when it is not sealed or has that key already.
/// Errors: as open_entry.
[[nodiscard]] Result<std::optional<std::string>> reseal_entry(const EntryView& view,
                                                              Position position,
                                                              const KeyRing& keys);

/// A class digest: count readable, sums sealed. Errors: internal.
[[nodiscard]] Result<std::string> seal_digest(const Class& cls, const Digest& digest,
                                              const KeyRing& keys);
/// Errors: storage_corrupt.
[[nodiscard]] Result<Digest> open_digest(const Class& cls, std::string_view stored,
                                         const KeyRing& keys);

}  // namespace zonesync::sealing

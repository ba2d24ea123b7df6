// The stored form of a log entry, without its position (that is the key, or stands beside it).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/model/log.hpp"
#include "storage/byte_codec.hpp"

namespace zonesync {

/// A stored entry, not yet copied: views into the stored bytes.
struct EntryView {
  ChangeKind kind = ChangeKind::upsert;
  Hash128 hash;
  std::optional<Previous> previous;
  std::string_view type, mesh, origin, name, tag;
  std::string_view payload;

  [[nodiscard]] Class cls() const;
  [[nodiscard]] LogEntry entry(Position position) const;  // copies
};

[[nodiscard]] std::string encode_entry(const LogEntry& entry);
/// Nothing when the bytes are not an entry.
[[nodiscard]] std::optional<EntryView> decode_entry(std::string_view bytes);

// Parts of it, shared with the journal's other records.
void write_key(ByteWriter& out, const ResourceKey& key);
[[nodiscard]] ResourceKey read_key(ByteReader& in);
void write_position(ByteWriter& out, Position position);
[[nodiscard]] Position read_position(ByteReader& in);
[[nodiscard]] bool is_kind(std::uint8_t value);

}  // namespace zonesync

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
  bool sealed = false;      // then `hash` is the shown hash and `payload` is sealed bytes
  Hash128 hash;
  std::optional<Previous> previous;
  std::string_view type, mesh, origin, name, tag;
  std::string_view payload;
  std::string_view header;  // everything before the payload

  [[nodiscard]] Class cls() const;
  [[nodiscard]] LogEntry entry(Position position) const;  // copies
};

[[nodiscard]] std::string encode_entry(const LogEntry& entry);
/// Everything before the payload.
[[nodiscard]] std::string encode_entry_header(const LogEntry& entry, bool sealed);
/// Nothing when the bytes are not an entry, or a sealed one.
[[nodiscard]] std::optional<EntryView> decode_entry(std::string_view bytes);
/// The same, sealed or not (storage/sealing).
[[nodiscard]] std::optional<EntryView> decode_stored_entry(std::string_view bytes);
/// What the running hash of a log covers: all of it, or the header of a sealed entry, whose shown
/// hash covers the rest.
[[nodiscard]] std::string_view chained_part(std::string_view stored, const EntryView& view);

// Parts of it, shared with the journal's other records.
void write_key(ByteWriter& out, const ResourceKey& key);
[[nodiscard]] ResourceKey read_key(ByteReader& in);
void write_position(ByteWriter& out, Position position);
[[nodiscard]] Position read_position(ByteReader& in);
[[nodiscard]] bool is_kind(std::uint8_t value);

}  // namespace zonesync

// Parts that the records of the replica and of the stage share (docs/storage-format.md).
#pragma once

#include "protocol/model/log.hpp"
#include "storage/byte_codec.hpp"

namespace zonesync::journal {

/// Key, tag, hash and payload; the kind stands elsewhere, where there is more than one.
void write_change(ByteWriter& out, const Change& change);
/// An upsert. Underruns are remembered by `in`.
[[nodiscard]] Change read_change(ByteReader& in);
void write_cursor(ByteWriter& out, const Cursor& cursor);
[[nodiscard]] Cursor read_cursor(ByteReader& in);
/// No bytes for an empty text: the empty value.
[[nodiscard]] SharedBytes shared(std::string_view bytes);

}  // namespace zonesync::journal

#include "storage/journal/record_fields.hpp"

#include <string>

#include "storage/entry_codec.hpp"

namespace zonesync::journal {

SharedBytes shared(std::string_view bytes) {
  return bytes.empty() ? SharedBytes() : SharedBytes(std::string(bytes));
}

void write_change(ByteWriter& out, const Change& change) {
  write_key(out, change.key);
  out.text(change.cls.tag);
  out.id(change.hash.id);
  out.text(change.payload.view());
}

Change read_change(ByteReader& in) {
  Change change;
  change.kind = ChangeKind::upsert;
  change.key = read_key(in);
  change.cls = Class{change.key.type, change.key.mesh, change.key.origin, std::string(in.text())};
  change.hash.id = in.id();
  change.payload = shared(in.text());
  return change;
}

void write_cursor(ByteWriter& out, const Cursor& cursor) {
  out.id(cursor.era.id);
  out.u64(cursor.revision.value);
  out.id(cursor.view.id);
}

Cursor read_cursor(ByteReader& in) {
  Cursor cursor;
  cursor.era.id = in.id();
  cursor.revision.value = in.u64();
  cursor.view.id = in.id();
  return cursor;
}

}  // namespace zonesync::journal

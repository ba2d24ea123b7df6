#include "storage/entry_codec.hpp"

namespace zonesync {
namespace {

constexpr std::uint8_t kNoPrevious = 0;
constexpr std::uint8_t kHasPrevious = 1;
constexpr std::uint8_t kSealed = 0x80;  // in the byte of the kind

}  // namespace

Class EntryView::cls() const {
  return Class{std::string(type), std::string(mesh), std::string(origin), std::string(tag)};
}

LogEntry EntryView::entry(Position position) const {
  LogEntry entry;
  entry.position = position;
  entry.change.kind = kind;
  entry.change.cls = cls();
  entry.change.key =
      ResourceKey{std::string(type), std::string(mesh), std::string(origin), std::string(name)};
  entry.change.hash = hash;
  if (!payload.empty()) entry.change.payload = SharedBytes(std::string(payload));
  entry.previous = previous;
  return entry;
}

bool is_kind(std::uint8_t value) {
  return value == static_cast<std::uint8_t>(ChangeKind::upsert) ||
         value == static_cast<std::uint8_t>(ChangeKind::leave);
}

void write_key(ByteWriter& out, const ResourceKey& key) {
  out.text(key.type);
  out.text(key.mesh);
  out.text(key.origin);
  out.text(key.name);
}

ResourceKey read_key(ByteReader& in) {
  ResourceKey key;
  key.type = in.text();
  key.mesh = in.text();
  key.origin = in.text();
  key.name = in.text();
  return key;
}

void write_position(ByteWriter& out, Position position) {
  out.u64(position.revision.value);
  out.u32(position.index);
}

Position read_position(ByteReader& in) {
  Position position;
  position.revision.value = in.u64();
  position.index = in.u32();
  return position;
}

std::string encode_entry(const LogEntry& entry) {
  ByteWriter out;
  out.raw(encode_entry_header(entry, false));
  out.text(entry.change.payload.view());
  return out.take();
}

std::string encode_entry_header(const LogEntry& entry, bool sealed) {
  const Change& change = entry.change;
  ByteWriter out;
  out.u8(static_cast<std::uint8_t>(change.kind) | (sealed ? kSealed : 0));
  out.id(change.hash.id);
  out.u8(entry.previous ? kHasPrevious : kNoPrevious);
  if (entry.previous) {
    write_position(out, entry.previous->position);
    out.u8(static_cast<std::uint8_t>(entry.previous->kind));
    out.id(entry.previous->hash.id);
  }
  write_key(out, change.key);
  out.text(change.cls.tag);
  return out.take();
}

std::optional<EntryView> decode_entry(std::string_view bytes) {
  auto view = decode_stored_entry(bytes);
  if (view && view->sealed) return std::nullopt;
  return view;
}

std::string_view chained_part(std::string_view stored, const EntryView& view) {
  return view.sealed ? view.header : stored;
}

std::optional<EntryView> decode_stored_entry(std::string_view bytes) {
  ByteReader in(bytes);
  EntryView view;
  const std::uint8_t first = in.u8();
  const std::uint8_t kind = first & ~kSealed;
  view.sealed = (first & kSealed) != 0;
  view.kind = static_cast<ChangeKind>(kind);
  view.hash.id = in.id();
  const std::uint8_t has_previous = in.u8();
  if (!is_kind(kind) || has_previous > kHasPrevious) return std::nullopt;
  if (has_previous == kHasPrevious) {
    Previous previous;
    previous.position = read_position(in);
    const std::uint8_t previous_kind = in.u8();
    previous.kind = static_cast<ChangeKind>(previous_kind);
    previous.hash.id = in.id();
    if (!is_kind(previous_kind)) return std::nullopt;
    view.previous = previous;
  }
  view.type = in.text();
  view.mesh = in.text();
  view.origin = in.text();
  view.name = in.text();
  view.tag = in.text();
  view.payload = in.text();
  if (!in.done()) return std::nullopt;
  view.header = bytes.substr(0, bytes.size() - view.payload.size() - sizeof(std::uint32_t));
  return view;
}

}  // namespace zonesync

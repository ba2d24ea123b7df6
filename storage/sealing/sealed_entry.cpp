#include "storage/sealing/sealed_entry.hpp"

namespace zonesync::sealing {
namespace {

constexpr std::string_view kEntryDomain = "zonesync entry 1";
constexpr std::string_view kDigestDomain = "zonesync digest 1";
constexpr std::size_t kSaltBytes = 16;

std::string bound_of(Position position, std::string_view header) {
  ByteWriter out;
  out.raw(kEntryDomain);
  write_position(out, position);
  out.raw(header);
  return out.take();
}

std::string bound_of(const Class& cls, std::uint64_t count) {
  ByteWriter out;
  out.raw(kDigestDomain);
  for (const std::string* part : {&cls.type, &cls.mesh, &cls.origin, &cls.tag}) out.text(*part);
  out.u64(count);
  return out.take();
}

Error changed(Position position) {
  return Error{ErrorCode::storage_corrupt,
               "the sealed entry at revision " + std::to_string(position.revision.value) +
                   ", index " + std::to_string(position.index) + " is not what was sealed", ""};
}

}  // namespace

Result<StoredEntry> seal_entry(const LogEntry& entry, const std::optional<Hash128>& shown_previous,
                               const KeyRing& keys) {
  auto salt = random_bytes(kSaltBytes);
  if (!salt) return fail(std::move(salt.error()));
  ByteWriter plain;
  plain.raw(*salt);
  plain.id(entry.change.hash.id);
  plain.id(entry.previous ? entry.previous->hash.id : Id128{});
  plain.raw(entry.change.payload.view());

  LogEntry shown = entry;
  shown.change.payload = SharedBytes();
  shown.change.hash = hash_bytes(plain.bytes());
  if (shown.previous) shown.previous->hash = shown_previous.value_or(Hash128{});
  const std::string header = encode_entry_header(shown, true);
  std::string secret = plain.take();
  auto blob = keys.seal(bound_of(entry.position, header), secret);
  wipe(secret);
  if (!blob) return fail(std::move(blob.error()));
  ByteWriter out;
  out.raw(header);
  out.text(*blob);
  return StoredEntry{out.take(), shown.change.hash, true};
}

Result<LogEntry> open_entry(const EntryView& view, Position position, const KeyRing* keys) {
  LogEntry entry = view.entry(position);
  if (!view.sealed) return entry;
  if (keys == nullptr) {
    return fail(ErrorCode::forbidden, "the entry is sealed and there is no key to open it");
  }
  auto plain = keys->open(bound_of(position, view.header), view.payload);
  if (!plain) {
    plain.error().field = "revision " + std::to_string(position.revision.value) + ", index " +
                          std::to_string(position.index);
    return fail(std::move(plain.error()));
  }
  const bool intact = plain->size() >= kSaltBytes && hash_bytes(*plain) == view.hash;
  ByteReader in(*plain);
  static_cast<void>(in.id());  // the salt
  entry.change.hash.id = in.id();
  const Hash128 previous{in.id()};
  const std::string_view payload = in.rest();
  if (!intact || !in.done()) return fail(changed(position));
  if (entry.previous) entry.previous->hash = previous;
  entry.change.payload = payload.empty() ? SharedBytes() : SharedBytes(std::string(payload));
  wipe(*plain);
  return entry;
}

Result<std::optional<std::string>> reseal_entry(const EntryView& view, Position position,
                                                const KeyRing& keys) {
  if (!view.sealed || KeyRing::key_of(view.payload) == keys.active()) return std::nullopt;
  const std::string bound = bound_of(position, view.header);
  auto plain = keys.open(bound, view.payload);
  if (!plain) return fail(std::move(plain.error()));
  if (hash_bytes(*plain) != view.hash) return fail(changed(position));
  auto blob = keys.seal(bound, *plain);
  wipe(*plain);
  if (!blob) return fail(std::move(blob.error()));
  ByteWriter out;
  out.raw(view.header);
  out.text(*blob);
  return out.take();
}

Result<std::string> seal_digest(const Class& cls, const Digest& digest, const KeyRing& keys) {
  ByteWriter sums;
  sums.u64(digest.high);
  sums.u64(digest.low);
  auto blob = keys.seal(bound_of(cls, digest.count), sums.bytes());
  if (!blob) return blob;
  ByteWriter out;
  out.u64(digest.count);
  out.raw(*blob);
  return out.take();
}

Result<Digest> open_digest(const Class& cls, std::string_view stored, const KeyRing& keys) {
  ByteReader in(stored);
  Digest digest;
  digest.count = in.u64();
  auto sums = keys.open(bound_of(cls, digest.count), in.rest());
  if (!sums) return fail(std::move(sums.error()));
  ByteReader inner(*sums);
  digest.high = inner.u64();
  digest.low = inner.u64();
  if (!in.ok() || !inner.done()) {
    return fail(ErrorCode::storage_corrupt, "a sealed class digest is unreadable");
  }
  return digest;
}

}  // namespace zonesync::sealing

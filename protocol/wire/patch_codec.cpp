// Patch: an upsert as a difference (docs/protocol.md ZIP-11 to ZIP-17).
#include "protocol/schema/patch_generated.h"
#include "protocol/wire/codec.hpp"
#include "protocol/wire/flat.hpp"

namespace zonesync::wire {

std::string encode_patch(const Patch& message) {
  flatbuffers::FlatBufferBuilder builder(message.frame.size() + 512);
  const auto type = detail::put_string(builder, message.key.type);
  const auto mesh = detail::put_optional(builder, message.key.mesh);
  const auto origin = detail::put_string(builder, message.key.origin);
  const auto name = detail::put_string(builder, message.key.name);
  const fb::Id128 base = detail::to_flat(message.base.id);
  const fb::Id128 hash = detail::to_flat(message.hash.id);
  const auto frame = builder.CreateVector(
      reinterpret_cast<const std::uint8_t*>(message.frame.data()), message.frame.size());
  builder.Finish(fb::CreatePatch(builder, type, mesh, origin, name, &base, &hash, message.size,
                                 frame));
  return std::string(detail::finished(builder));
}

Result<Patch> decode_patch(ByteView payload) {
  auto flat = detail::Verified<fb::Patch>::open(payload, limits::kMessageMaxBytes, "patch");
  if (!flat) return fail(std::move(flat.error()));
  const fb::Patch& root = *flat->operator->();
  detail::FieldReader reader("patch");
  Patch patch;
  patch.key.type = reader.type_name(root.type(), "type");
  patch.key.mesh = reader.mesh(root.mesh());
  patch.key.origin = reader.origin(root.origin());
  patch.key.name = reader.resource_name(root.name(), "name");
  patch.base = Hash128{detail::from_flat(*root.base())};
  patch.hash = Hash128{detail::from_flat(*root.hash())};
  patch.size = root.size();
  reader.limit(patch.size, limits::kChangeMaxBytes, "size");
  patch.frame = reader.bytes(root.frame());
  return reader.finish(std::move(patch));
}

}  // namespace zonesync::wire

// Packets from raw bytes: read, decoded, described. The first byte chooses the features.
#include <cstdint>
#include <string>

#include "protocol/model/assert.hpp"
#include "protocol/wire/describe.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace zonesync;
  if (size == 0) return 0;
  wire::Features features;
  features.repair = (data[0] & 1) == 0;
  features.zstd = (data[0] & 2) == 0;
  features.patch = (data[0] & 4) == 0;
  std::string message(reinterpret_cast<const char*>(data + 1), size - 1);
  message.reserve(64);  // on the heap, and so aligned
  wire::PacketReader reader(message, features);
  while (true) {
    const auto packet = reader.next();
    if (!packet || !*packet) break;
    const std::string line = wire::describe(**packet);
    for (const char c : line) ZS_ASSERT(static_cast<unsigned char>(c) >= 0x20);
    ZS_ASSERT(!wire::describe_json(**packet, {.content = true}).empty());
    if ((*packet)->header.kind != wire::PacketKind::change) continue;
    const auto change = wire::decode_change(SharedBytes(std::string((*packet)->payload)));
    if (!change || change->kind != ChangeKind::upsert) continue;
    // What was accepted once is accepted again, with the same hash.
    ZS_ASSERT(wire::resource_of(change->payload).has_value());
    ZS_ASSERT(change->hash == hash_bytes(change->payload.view()));
  }
  return 0;
}

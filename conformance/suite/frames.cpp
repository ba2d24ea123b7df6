#include "conformance/suite/frames.hpp"

#include "conformance/suite/case.hpp"
#include "protocol/wire/codec.hpp"

namespace zonesync::conform {
namespace {

constexpr std::size_t kBlockMaxBytes = 128u << 10;
constexpr unsigned kRaw = 0;
constexpr unsigned kRunLength = 1;

void append_little(std::string& out, std::uint32_t value, int bytes) {
  for (int at = 0; at < bytes; ++at) out += static_cast<char>(value >> (8 * at));
}

void append_block(std::string& out, bool last, unsigned type, std::size_t size) {
  append_little(out, static_cast<std::uint32_t>(last ? 1u : 0u) | type << 1 |
                         static_cast<std::uint32_t>(size) << 3, 3);
}

}  // namespace

std::string raw_frame(ByteView payload, const FrameShape& shape) {
  constexpr std::uint32_t kMagic = 0xFD2FB528u;
  constexpr unsigned kFourByteSize = 2u << 6;
  constexpr unsigned kOneByteDictionary = 1;
  std::string out;
  append_little(out, kMagic, 4);
  out += static_cast<char>((shape.states_size ? kFourByteSize : 0u) |
                           (shape.dictionary_id ? kOneByteDictionary : 0u));
  out += static_cast<char>((shape.window_log - 10) << 3);
  if (shape.dictionary_id) out += '\x07';
  const std::size_t size = shape.zeros > 0 ? shape.zeros : payload.size();
  if (shape.states_size) {
    append_little(out, shape.size.value_or(static_cast<std::uint32_t>(size)), 4);
  }
  std::size_t from = 0;
  do {
    const std::size_t length = std::min(kBlockMaxBytes, size - from);
    append_block(out, from + length == size, shape.zeros > 0 ? kRunLength : kRaw, length);
    if (shape.zeros > 0) out += '\0';
    else out += payload.substr(from, length);
    from += length;
  } while (from < size);
  out.resize(out.size() - shape.cut);
  return out + shape.behind;
}

std::string zipped(const std::string& packet, const FrameShape& shape) {
  wire::PacketReader reader(packet);
  const auto read = reader.next();
  require(read.has_value() && *read, "suite: no packet to compress");
  wire::PacketHeader header = (*read)->header;
  header.zstd = true;
  std::string out;
  wire::append_packet(out, header, raw_frame((*read)->payload, shape));
  return out;
}

std::string patch_packet_of(const wire::Patch& patch, wire::FlowId flow, Revision revision) {
  wire::PacketHeader header;
  header.kind = wire::PacketKind::patch;
  header.flow = flow;
  header.revision = revision;
  std::string out;
  wire::append_packet(out, header, wire::encode_patch(patch));
  return out;
}

std::string noise(std::size_t bytes, unsigned seed) {
  std::string text;
  std::uint32_t state = seed * 2654435761u + 1;
  while (text.size() < bytes) {
    state = state * 1664525u + 1013904223u;
    text.push_back(static_cast<char>('a' + (state >> 24) % 26));
  }
  return text;
}

}  // namespace zonesync::conform

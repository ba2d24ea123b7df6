#include "storage/journal/record.hpp"

#include "storage/byte_codec.hpp"

namespace zonesync::journal {
namespace {

constexpr std::size_t kCoveredFrom = 4 + 8;  // behind magic and checksum

std::uint64_t checksum_of(std::string_view covered) {
  const Hash128 hash = hash_bytes(covered);
  std::uint64_t checksum = 0;
  for (int i = 0; i < 8; ++i) checksum = (checksum << 8) | hash.id.bytes[i];
  return checksum;
}

}  // namespace

std::string encode_record(std::uint64_t group, std::uint8_t flags, std::uint8_t type,
                          std::string_view payload) {
  ByteWriter covered;
  covered.u32(static_cast<std::uint32_t>(payload.size()));
  covered.u64(group);
  covered.u8(flags);
  covered.u8(type);
  covered.raw(payload);
  ByteWriter out;
  out.raw(kRecordMagic);
  out.u64(checksum_of(covered.bytes()));
  out.raw(covered.bytes());
  return out.take();
}

std::optional<RecordHeader> decode_header(std::string_view bytes) {
  if (bytes.size() < kRecordHeaderBytes) return std::nullopt;
  if (bytes.substr(0, kRecordMagic.size()) != kRecordMagic) return std::nullopt;
  ByteReader in(bytes.substr(kRecordMagic.size()));
  RecordHeader header;
  header.checksum = in.u64();
  header.length = in.u32();
  header.group = in.u64();
  header.flags = in.u8();
  header.type = in.u8();
  if (header.length > kRecordMaxBytes || header.flags > kEndOfGroup) return std::nullopt;
  return header;
}

bool verify_record(const RecordHeader& header, std::string_view bytes) {
  return bytes.size() == kRecordHeaderBytes + header.length &&
         checksum_of(bytes.substr(kCoveredFrom)) == header.checksum;
}

}  // namespace zonesync::journal

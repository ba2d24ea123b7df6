// One checksummed record of a journal file (docs/storage-format.md).
//
//   magic u32 | checksum u64 | length u32 | group u64 | flags u8 | type u8 | payload
//
// The checksum covers everything behind it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace zonesync::journal {

inline constexpr std::string_view kRecordMagic = "ZSR1";
inline constexpr std::size_t kRecordHeaderBytes = 4 + 8 + 4 + 8 + 1 + 1;
/// An offered and an accepted version of the largest resource fit.
inline constexpr std::size_t kRecordMaxBytes = 32u << 20;
inline constexpr std::uint8_t kEndOfGroup = 1;

struct RecordHeader {
  std::uint64_t checksum = 0;
  std::uint32_t length = 0;  // of the payload
  std::uint64_t group = 0;
  std::uint8_t flags = 0;
  std::uint8_t type = 0;
};

struct Record {
  std::uint8_t type = 0;
  std::string payload;
};

[[nodiscard]] std::string encode_record(std::uint64_t group, std::uint8_t flags, std::uint8_t type,
                                        std::string_view payload);
/// From the first kRecordHeaderBytes; nothing when they cannot be a header.
[[nodiscard]] std::optional<RecordHeader> decode_header(std::string_view bytes);
/// Whether `bytes`, header and payload, are what was written.
[[nodiscard]] bool verify_record(const RecordHeader& header, std::string_view bytes);

}  // namespace zonesync::journal

// Sample messages for the wire tests and the conformance vectors: every kind, full and minimal.
#pragma once

#include <string>
#include <vector>

#include "protocol/wire/codec.hpp"

namespace zonesync::wire::samples {

/// `first, first+1, ...`: readable in a hex dump.
[[nodiscard]] Id128 id_of(std::uint8_t first);
[[nodiscard]] Cursor cursor_at(std::uint64_t revision);
[[nodiscard]] Resource timeout_resource();
[[nodiscard]] Class class_of_timeout();

[[nodiscard]] Hello full_hello();
[[nodiscard]] Hello minimal_hello();
[[nodiscard]] Welcome full_welcome();
[[nodiscard]] Welcome minimal_welcome();
[[nodiscard]] Ack full_ack();

/// One encoded packet with what it means.
struct Sample {
  std::string name;     // "hello_full"; what stands before the first '_' is the packet kind
  std::string meaning;
  std::string bytes;
};
[[nodiscard]] std::vector<Sample> all();
/// Packets as all() has them, compressed: what one holds is in the sample of the same name without
/// the prefix `compressed_`.
[[nodiscard]] std::vector<Sample> compressed();
/// Messages that every receiver must refuse, whatever was negotiated.
[[nodiscard]] std::vector<Sample> refused();
/// A zstd frame that stores `content` (256 to 65,791 bytes) as it is: the same with every zstd.
[[nodiscard]] std::string stored_frame(ByteView content);

/// Every packet in a row as one message.
[[nodiscard]] std::string all_in_one_message();

/// Runs the decoder of the packet's kind: the outcome without the value.
[[nodiscard]] Status decode_any(const Packet& packet);
/// Walks a message and decodes every packet. Copies it to the heap, so that it starts aligned and
/// a sanitizer sees its end.
[[nodiscard]] Status decode_message(ByteView message, Features features = kAllFeatures);

}  // namespace zonesync::wire::samples

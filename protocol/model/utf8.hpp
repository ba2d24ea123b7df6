// UTF-8 validation, shared by names, labels and resource text.
#pragma once

#include <cstddef>
#include <string_view>

namespace zonesync {

/// Length in bytes of the UTF-8 sequence at `text[0]` and its code point, or length 0 when it is
/// malformed (overlong, surrogate, out of range, truncated). `text` must not be empty.
struct Utf8Sequence {
  std::size_t length = 0;
  char32_t point = 0;
};
[[nodiscard]] Utf8Sequence utf8_sequence(std::string_view text);

/// Offset of the first byte that is not part of valid UTF-8, or npos when all of it is valid.
[[nodiscard]] std::size_t find_invalid_utf8(std::string_view text);

}  // namespace zonesync

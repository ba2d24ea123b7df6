#include "protocol/model/utf8.hpp"

namespace zonesync {

Utf8Sequence utf8_sequence(std::string_view text) {
  static constexpr char32_t kMinimum[] = {0, 0, 0x80, 0x800, 0x10000};
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {1, lead};
  Utf8Sequence sequence;
  if ((lead & 0xe0) == 0xc0) {
    sequence = {2, lead & 0x1fu};
  } else if ((lead & 0xf0) == 0xe0) {
    sequence = {3, lead & 0x0fu};
  } else if ((lead & 0xf8) == 0xf0) {
    sequence = {4, lead & 0x07u};
  } else {
    return {};
  }
  if (text.size() < sequence.length) return {};
  for (std::size_t i = 1; i < sequence.length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xc0) != 0x80) return {};
    sequence.point = (sequence.point << 6) | (byte & 0x3fu);
  }
  const bool surrogate = sequence.point >= 0xd800 && sequence.point <= 0xdfff;
  if (sequence.point < kMinimum[sequence.length] || sequence.point > 0x10ffff || surrogate) {
    return {};
  }
  return sequence;
}

std::size_t find_invalid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_sequence(text.substr(i)).length;
    if (length == 0) return i;
    i += length;
  }
  return std::string_view::npos;
}

}  // namespace zonesync

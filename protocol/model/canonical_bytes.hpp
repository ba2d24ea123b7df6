// Length-prefixed serialisation for fingerprints: no two field sequences run together.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace zonesync {

/// Appends a little-endian u32 length and the bytes.
inline void append_field(std::string& out, std::string_view field) {
  const auto size = static_cast<std::uint32_t>(field.size());
  for (int shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<char>((size >> shift) & 0xff));
  }
  out.append(field);
}

}  // namespace zonesync

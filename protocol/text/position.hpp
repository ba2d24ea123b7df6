// Places in a text, counted from 1 as editors do.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace zonesync::text {

struct Position {
  int line = 1;
  int column = 1;  // in bytes
};

[[nodiscard]] inline Position position_of(std::string_view text, std::size_t offset) {
  Position position;
  for (std::size_t i = 0; i < offset && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++position.line;
      position.column = 1;
    } else {
      ++position.column;
    }
  }
  return position;
}

/// `line:column`.
[[nodiscard]] inline std::string to_string(const Position& position) {
  return std::to_string(position.line) + ':' + std::to_string(position.column);
}

}  // namespace zonesync::text

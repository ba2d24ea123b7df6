// Everything that was said in one case, for the report of a failure.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace zonesync::conform {

/// Bounded: keeps the newest lines. Thread rule: one thread.
class Transcript {
 public:
  /// One line per packet of a message; never the content of a resource.
  void message(std::string_view who, std::string_view direction, std::string_view bytes);
  void note(std::string line);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t messages() const { return messages_; }

 private:
  std::deque<std::string> lines_;
  std::uint64_t dropped_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t messages_ = 0;
};

}  // namespace zonesync::conform

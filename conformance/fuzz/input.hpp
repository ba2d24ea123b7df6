// Reads small decisions from the bytes that a fuzzer gives. At the end every answer is zero.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace zonesync::fuzz {

/// Thread rule: one thread.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return first;
  }
  bool flag() { return (byte() & 1) != 0; }
  /// 0 .. below - 1; `below` at most 256.
  std::size_t pick(std::size_t below) { return byte() % below; }
  /// Mostly small, sometimes at the edges where arithmetic overflows.
  std::uint64_t number() {
    const std::uint8_t first = byte();
    if (first < 250) return first;
    if (first < 253) return (std::uint64_t{byte()} << 8) | byte();
    return ~std::uint64_t{0} - (first - 253);
  }
  /// A length of two bytes, then so many bytes as there are.
  std::string bytes() {
    const std::size_t wanted = (std::size_t{byte()} << 8) | byte();
    const std::size_t size = std::min(wanted, rest_.size());
    std::string taken(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return taken;
  }

 private:
  std::string_view rest_;
};

}  // namespace zonesync::fuzz

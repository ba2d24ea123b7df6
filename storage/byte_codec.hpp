// Fixed-width big-endian fields and length-prefixed texts of the on-disk formats
// (docs/storage-format.md). Big-endian numbers sort like the numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/model/ids.hpp"

namespace zonesync {

class ByteWriter {
 public:
  void u8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void u32(std::uint32_t value) { number(value, 4); }
  void u64(std::uint64_t value) { number(value, 8); }
  void id(const Id128& id) {
    out_.append(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size());
  }
  /// u32 length, then the bytes.
  void text(std::string_view bytes) {
    u32(static_cast<std::uint32_t>(bytes.size()));
    out_.append(bytes);
  }
  void raw(std::string_view bytes) { out_.append(bytes); }
  [[nodiscard]] const std::string& bytes() const { return out_; }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void number(std::uint64_t value, int width) {
    for (int shift = 8 * (width - 1); shift >= 0; shift -= 8) {
      out_.push_back(static_cast<char>(value >> shift));
    }
  }
  std::string out_;
};

/// Reads what ByteWriter wrote. An underrun answers zeros and is remembered: check `ok()` at the
/// end. Views point into the input.
class ByteReader {
 public:
  explicit ByteReader(std::string_view in) : in_(in) {}
  [[nodiscard]] std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  [[nodiscard]] std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  [[nodiscard]] std::uint64_t u64() { return number(8); }
  [[nodiscard]] Id128 id() {
    Id128 id;
    const std::string_view bytes = raw(id.bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      id.bytes[i] = static_cast<std::uint8_t>(bytes[i]);
    }
    return id;
  }
  [[nodiscard]] std::string_view text() { return raw(u32()); }
  [[nodiscard]] std::string_view rest() { return raw(in_.size()); }
  [[nodiscard]] bool ok() const { return ok_; }
  /// Everything was read, and nothing was missing.
  [[nodiscard]] bool done() const { return ok_ && in_.empty(); }

 private:
  [[nodiscard]] std::string_view raw(std::size_t size) {
    if (!ok_ || size > in_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view taken = in_.substr(0, size);
    in_.remove_prefix(size);
    return taken;
  }
  [[nodiscard]] std::uint64_t number(std::size_t width) {
    std::uint64_t value = 0;
    for (const char byte : raw(width)) value = (value << 8) | static_cast<std::uint8_t>(byte);
    return value;
  }
  std::string_view in_;
  bool ok_ = true;
};

}  // namespace zonesync

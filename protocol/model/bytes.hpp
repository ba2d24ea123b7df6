// Byte containers. `std::string` holds bytes throughout: RocksDB, Boost.JSON and Beast all take it
// without a copy, and its heap storage is 16-byte aligned, which FlatBuffers verification needs.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace zonesync {

using ByteView = std::string_view;

/// Immutable, reference-counted bytes: encoded once, sent to many. Copying copies a pointer.
/// Thread rule: safe to share between threads; the bytes never change.
class SharedBytes {
 public:
  SharedBytes() = default;
  explicit SharedBytes(std::string bytes)
      : bytes_(std::make_shared<const std::string>(std::move(bytes))) {}

  [[nodiscard]] ByteView view() const { return bytes_ ? ByteView(*bytes_) : ByteView(); }
  [[nodiscard]] std::size_t size() const { return bytes_ ? bytes_->size() : 0; }
  [[nodiscard]] bool empty() const { return size() == 0; }

  friend bool operator==(const SharedBytes& a, const SharedBytes& b) {
    return a.bytes_ == b.bytes_ || a.view() == b.view();
  }

 private:
  std::shared_ptr<const std::string> bytes_;
};

}  // namespace zonesync

// Reads single values out of JSON text by pointer; what is absent is empty, zero or false.
#pragma once

#include <cstdint>
#include <string>

#include <boost/json.hpp>

namespace zonesync::demo {

class JsonAccess {
 public:
  explicit JsonAccess(const std::string& text) {
    boost::system::error_code failed;
    value_ = boost::json::parse(text, failed);
    if (failed) value_ = nullptr;
  }
  [[nodiscard]] bool has(const std::string& pointer) const { return find(pointer) != nullptr; }
  [[nodiscard]] std::string text(const std::string& pointer) const {
    const auto* found = find(pointer);
    return found != nullptr && found->is_string() ? std::string(found->as_string()) : "";
  }
  [[nodiscard]] std::uint64_t number(const std::string& pointer) const {
    const auto* found = find(pointer);
    boost::system::error_code failed;
    return found != nullptr && found->is_number() ? found->to_number<std::uint64_t>(failed) : 0;
  }
  [[nodiscard]] bool flag(const std::string& pointer) const {
    const auto* found = find(pointer);
    return found != nullptr && found->is_bool() && found->as_bool();
  }

 private:
  [[nodiscard]] const boost::json::value* find(const std::string& pointer) const {
    boost::system::error_code failed;
    return value_.find_pointer(pointer, failed);
  }
  boost::json::value value_;
};

}  // namespace zonesync::demo

// A flat list of named values, written as a JSON object or as one log line. Private to the module.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zonesync::wire::detail {

/// A JSON string literal; control characters escaped, malformed UTF-8 as "hex:<digits>".
[[nodiscard]] std::string json_string(std::string_view text);
/// `[a,b]` of already written values.
[[nodiscard]] std::string json_array(const std::vector<std::string>& values);
[[nodiscard]] std::string json_strings(const std::vector<std::string>& texts);

class JsonFields {
 public:
  JsonFields& text(std::string_view name, std::string_view value);
  JsonFields& number(std::string_view name, std::uint64_t value);
  JsonFields& flag(std::string_view name, bool value);
  /// `json` is a written JSON value.
  JsonFields& raw(std::string_view name, std::string json);
  /// Leaves the field out when the text is empty.
  JsonFields& text_if(std::string_view name, std::string_view value);

  /// `{"a":1,"b":"x"}`
  [[nodiscard]] std::string json() const;
  /// `a=1 b="x"`
  [[nodiscard]] std::string line() const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace zonesync::wire::detail

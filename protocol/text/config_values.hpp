// What a configuration came out as: one typed value per key of the table, with its origin.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/model/result.hpp"
#include "protocol/text/config_table.hpp"

namespace zonesync::text {

/// Immutable once read. Getters are for keys of the table with the matching type; anything else is
/// a bug of the caller and asserts. Thread-safe to read.
class ConfigValues {
 public:
  using Value = std::variant<std::string, bool, std::int64_t, std::vector<std::string>,
                             std::vector<ConfigValues>>;
  struct Entry {
    Value value;
    std::string origin;  // "default", "hub.yaml:3:9", "environment NAME", "--set path"
  };

  [[nodiscard]] const std::string& text(std::string_view path) const;  // string, choice
  [[nodiscard]] bool flag(std::string_view path) const;
  [[nodiscard]] std::int64_t number(std::string_view path) const;
  [[nodiscard]] std::chrono::milliseconds duration(std::string_view path) const;
  [[nodiscard]] std::uint64_t bytes(std::string_view path) const;
  [[nodiscard]] const std::vector<std::string>& list(std::string_view path) const;
  [[nodiscard]] const std::vector<ConfigValues>& records(std::string_view path) const;

  [[nodiscard]] const Entry& entry(std::string_view path) const;
  [[nodiscard]] bool has(std::string_view path) const { return entries_.contains(path); }
  void set(std::string_view path, Value value, std::string origin);

  /// Things that deserve a word in the log but stop nothing.
  std::vector<std::string> warnings;

 private:
  std::map<std::string, Entry, std::less<>> entries_;
};

/// Reads one setting from the text form of the environment and of `--set`. Errors:
/// invalid_argument with what is expected; `field` is empty.
[[nodiscard]] Result<ConfigValues::Value> config_value_from_text(const ConfigKey& key,
                                                                 std::string_view text);

/// "500ms", "10s", "5m", "1h", "7d", "0" -> milliseconds. Errors: invalid_argument.
[[nodiscard]] Result<std::int64_t> parse_duration_ms(std::string_view text);
/// "10MiB", "64KiB", "1GiB", "512B", "512" -> bytes. Errors: invalid_argument.
[[nodiscard]] Result<std::int64_t> parse_size_bytes(std::string_view text);
/// The shortest exact text that the two functions above read back.
[[nodiscard]] std::string duration_to_text(std::int64_t milliseconds);
[[nodiscard]] std::string size_to_text(std::int64_t bytes);

}  // namespace zonesync::text

// How answers are shown: tables for people, JSON and YAML for programs.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "server/cli/outcome.hpp"

namespace zonesync::cli {

enum class Format : std::uint8_t { table, wide, json, yaml };

[[nodiscard]] inline bool for_people(Format format) {
  return format == Format::table || format == Format::wide;
}

/// Left-aligned columns two blanks apart, as wide as their widest cell; no trailing blanks. Cells
/// pass through one_line().
class Table {
 public:
  explicit Table(std::vector<std::string> header) { rows_.push_back(std::move(header)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// Canonical JSON in one line, or YAML. Any other format prints JSON.
void print_value(std::ostream& out, Format format, const boost::json::value& value);

/// A resource as people write it: fields ordered type, mesh, name, labels, spec, status.
[[nodiscard]] std::string resource_yaml(const boost::json::value& resource);

/// `error:` and `hint:` lines; with JSON output also the hub's problem+json on `out`.
void print_failure(std::ostream& out, std::ostream& err, Format format, const Failure& failure);

/// "3m 12s", "-" for nothing.
[[nodiscard]] std::string ago_text(std::int64_t now_ms, std::int64_t then_ms);
/// "1.5 MiB".
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);
/// "2026-01-31T12:00:00Z" of a UNIX time in milliseconds.
[[nodiscard]] std::string time_text(std::int64_t unix_ms);

}  // namespace zonesync::cli

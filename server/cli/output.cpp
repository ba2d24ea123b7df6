#include "server/cli/output.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <ostream>

#include "protocol/text/json_value.hpp"
#include "protocol/text/yaml_writer.hpp"

namespace zonesync::cli {
namespace {

namespace json = boost::json;

/// Code points: good enough for names; wide glyphs only shift a column.
std::size_t width_of(std::string_view text) {
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins));
}

}  // namespace

std::string Table::text() const {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    auto& shown = rows.emplace_back();
    for (std::size_t i = 0; i < widths.size(); ++i) {
      shown.push_back(i < row.size() && !row[i].empty() ? one_line(row[i]) : "-");
      widths[i] = std::max(widths[i], width_of(shown.back()));
    }
  }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out.append(widths[i] - width_of(row[i]) + 2, ' ');
    }
    out += '\n';
  }
  return out;
}

void print_value(std::ostream& out, Format format, const json::value& value) {
  if (format == Format::yaml) {
    out << text::write_yaml(value);
  } else {
    out << text::write_canonical(value) << '\n';
  }
}

std::string resource_yaml(const json::value& resource) {
  if (!resource.is_object()) return text::write_yaml(resource);
  json::object ordered;
  for (const std::string_view field : {"type", "mesh", "name", "labels", "spec", "status"}) {
    if (const json::value* found = resource.get_object().if_contains(field)) {
      ordered.emplace(field, *found);
    }
  }
  for (const auto& field : resource.get_object()) ordered.emplace(field.key(), field.value());
  return text::write_yaml(json::value(std::move(ordered)));
}

void print_failure(std::ostream& out, std::ostream& err, Format format, const Failure& failure) {
  if (format == Format::json && !failure.problem.empty()) {
    if (const auto problem = text::parse_json(failure.problem)) print_value(out, format, *problem);
  }
  out.flush();
  err << "error: " << one_line(failure.message) << '\n';
  if (!failure.hint.empty()) err << "hint: " << one_line(failure.hint) << '\n';
  err.flush();
}

std::string ago_text(std::int64_t now_ms, std::int64_t then_ms) {
  if (then_ms <= 0) return "-";
  const std::int64_t seconds = std::max<std::int64_t>((now_ms - then_ms) / 1'000, 0);
  const auto pair = [](std::int64_t big, const char* unit, std::int64_t small, const char* rest) {
    return std::to_string(big) + unit + ' ' + std::to_string(small) + rest;
  };
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3'600) return pair(seconds / 60, "m", seconds % 60, "s");
  if (seconds < 86'400) return pair(seconds / 3'600, "h", seconds / 60 % 60, "m");
  return pair(seconds / 86'400, "d", seconds / 3'600 % 24, "h");
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1'024) return std::to_string(bytes) + " B";
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1'024 && unit + 1 < kUnits.size()) {
    value /= 1'024;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", value, kUnits[unit]);
  return text.data();
}

std::string time_text(std::int64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1'000);
  std::tm parts{};
  std::array<char, 32> text{};
  if (unix_ms <= 0 || gmtime_r(&seconds, &parts) == nullptr ||
      std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) {
    return "-";
  }
  return text.data();
}

}  // namespace zonesync::cli

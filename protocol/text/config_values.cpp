#include "protocol/text/config_values.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "protocol/model/assert.hpp"
#include "protocol/model/nearest.hpp"

namespace zonesync::text {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
constexpr std::array<Unit, 5> kDurations = {
    Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000},
    Unit{"ms", 1}};
constexpr std::array<Unit, 4> kSizes = {Unit{"GiB", 1 << 30}, Unit{"MiB", 1 << 20},
                                        Unit{"KiB", 1 << 10}, Unit{"B", 1}};

tl::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::invalid_argument, std::move(message));
}

std::string quote(std::string_view text) {
  return "'" + std::string(text.substr(0, 60)) + (text.size() > 60 ? "...'" : "'");
}

bool read_integer(std::string_view text, std::int64_t& number) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end && !text.empty();
}

template <std::size_t N>
bool read_with_unit(std::string_view text, const std::array<Unit, N>& units,
                    std::int64_t& result) {
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  std::int64_t number = 0;
  if (!read_integer(text.substr(0, digits), number)) return false;
  const auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& candidate) {
    return candidate.name == text.substr(digits);
  });
  if (unit == units.end() || number > std::numeric_limits<std::int64_t>::max() / unit->factor) {
    return false;
  }
  result = number * unit->factor;
  return true;
}

template <std::size_t N>
std::string with_unit(std::int64_t number, const std::array<Unit, N>& units) {
  for (const Unit& unit : units) {
    if (number % unit.factor == 0) {
      return std::to_string(number / unit.factor) + std::string(unit.name);
    }
  }
  return std::to_string(number);
}

std::string show(const ConfigKey& key, std::int64_t number) {
  if (key.type == ConfigType::duration) return duration_to_text(number);
  if (key.type == ConfigType::size) return size_to_text(number);
  return std::to_string(number);
}

Result<ConfigValues::Value> bounded(const ConfigKey& key, std::int64_t number) {
  if (number < key.min) {
    return refuse("is at least " + show(key, key.min) + ", got " + show(key, number));
  }
  if (number > key.max) {
    return refuse("is at most " + show(key, key.max) + ", got " + show(key, number));
  }
  return ConfigValues::Value(number);
}

Result<ConfigValues::Value> read_choice(const ConfigKey& key, std::string_view text) {
  if (std::find(key.choices.begin(), key.choices.end(), text) != key.choices.end()) {
    return ConfigValues::Value(std::string(text));
  }
  std::string names;
  Nearest search(text);
  for (const std::string& choice : key.choices) {
    names += (names.empty() ? "" : ", ") + choice;
    search.offer(choice, choice);
  }
  return refuse("is one of " + names + ", got " + quote(text) + did_you_mean(search.best()));
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    std::string_view item = text.substr(0, end);
    const std::size_t first = item.find_first_not_of(' ');
    if (first != item.npos) {
      item = item.substr(first, item.find_last_not_of(' ') - first + 1);
      items.emplace_back(item);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return items;
}

}  // namespace

const ConfigValues::Entry& ConfigValues::entry(std::string_view path) const {
  const auto found = entries_.find(path);
  ZS_ASSERT(found != entries_.end());
  return found->second;
}

void ConfigValues::set(std::string_view path, Value value, std::string origin) {
  entries_.insert_or_assign(std::string(path), Entry{std::move(value), std::move(origin)});
}

const std::string& ConfigValues::text(std::string_view path) const {
  const auto* value = std::get_if<std::string>(&entry(path).value);
  ZS_ASSERT(value != nullptr);
  return *value;
}
bool ConfigValues::flag(std::string_view path) const {
  const auto* value = std::get_if<bool>(&entry(path).value);
  ZS_ASSERT(value != nullptr);
  return *value;
}
std::int64_t ConfigValues::number(std::string_view path) const {
  const auto* value = std::get_if<std::int64_t>(&entry(path).value);
  ZS_ASSERT(value != nullptr);
  return *value;
}
std::chrono::milliseconds ConfigValues::duration(std::string_view path) const {
  return std::chrono::milliseconds(number(path));
}
std::uint64_t ConfigValues::bytes(std::string_view path) const {
  return static_cast<std::uint64_t>(number(path));
}
const std::vector<std::string>& ConfigValues::list(std::string_view path) const {
  const auto* value = std::get_if<std::vector<std::string>>(&entry(path).value);
  ZS_ASSERT(value != nullptr);
  return *value;
}
const std::vector<ConfigValues>& ConfigValues::records(std::string_view path) const {
  const auto* value = std::get_if<std::vector<ConfigValues>>(&entry(path).value);
  ZS_ASSERT(value != nullptr);
  return *value;
}

Result<std::int64_t> parse_duration_ms(std::string_view text) {
  std::int64_t number = 0;
  if (text == "0" || read_with_unit(text, kDurations, number)) return number;
  return refuse("is a duration like 500ms, 10s, 5m, 1h or 7d, got " + quote(text));
}

Result<std::int64_t> parse_size_bytes(std::string_view text) {
  std::int64_t number = 0;
  if (read_with_unit(text, kSizes, number)) return number;
  if (read_integer(text, number) && number >= 0) return number;
  return refuse("is a size like 64KiB, 10MiB, 1GiB or a number of bytes, got " + quote(text));
}

std::string duration_to_text(std::int64_t milliseconds) {
  return milliseconds == 0 ? "0" : with_unit(milliseconds, kDurations);
}
std::string size_to_text(std::int64_t bytes) {
  return bytes == 0 ? "0" : with_unit(bytes, kSizes);
}

Result<ConfigValues::Value> config_value_from_text(const ConfigKey& key, std::string_view text) {
  if (key.required && text.empty()) return refuse("must not be empty");
  switch (key.type) {
    case ConfigType::string: return ConfigValues::Value(std::string(text));
    case ConfigType::boolean:
      if (text == "true") return ConfigValues::Value(true);
      if (text == "false") return ConfigValues::Value(false);
      return refuse("is true or false, got " + quote(text));
    case ConfigType::integer: {
      std::int64_t number = 0;
      if (!read_integer(text, number)) return refuse("is a whole number, got " + quote(text));
      return bounded(key, number);
    }
    case ConfigType::duration: {
      const Result<std::int64_t> number = parse_duration_ms(text);
      if (!number) return fail(number.error());
      return bounded(key, *number);
    }
    case ConfigType::size: {
      const Result<std::int64_t> number = parse_size_bytes(text);
      if (!number) return fail(number.error());
      return bounded(key, *number);
    }
    case ConfigType::choice: return read_choice(key, text);
    case ConfigType::string_list: return ConfigValues::Value(split_list(text));
    case ConfigType::records:
      if (text.empty()) return ConfigValues::Value(std::vector<ConfigValues>());
      return refuse("can be set in the file only");
  }
  return refuse("has a type this build does not know");
}

}  // namespace zonesync::text

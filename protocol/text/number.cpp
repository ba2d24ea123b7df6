#include "protocol/text/number.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>

#include "protocol/model/assert.hpp"

namespace zonesync::text {
namespace {

bool is_integer(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

template <class T>
std::optional<T> read(std::string_view text) {
  T number{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

tl::unexpected<Error> overflow(std::string_view text) {
  std::string shown(text.substr(0, 40));
  if (shown.size() < text.size()) shown += "...";
  return fail(ErrorCode::invalid_argument,
              "number " + shown + " does not fit 64 bits; quote it to keep it as text");
}

}  // namespace

Result<boost::json::value> number_from_text(std::string_view text) {
  const std::string_view shown = text;
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  if (is_integer(text)) {
    if (const auto number = read<std::int64_t>(text)) return boost::json::value(*number);
    if (const auto number = read<std::uint64_t>(text)) return boost::json::value(*number);
    // Canonical text writes doubles below 1e21 without exponent: such text must read back.
    const auto number = read<double>(text);
    if (number && std::isfinite(*number) && number_to_text(*number) == text) {
      return boost::json::value(*number);
    }
    return overflow(shown);
  }
  if (const auto number = read<double>(text)) {
    if (std::isfinite(*number)) return boost::json::value(*number);
    return overflow(shown);
  }
  const auto wide = read<long double>(text);
  if (wide && std::fabs(*wide) < 1.0L) return boost::json::value(0.0);  // underflow
  return overflow(shown);
}

std::string number_to_text(double number) {
  ZS_ASSERT(std::isfinite(number));
  if (number == 0) return "0";
  char buffer[64];
  const auto written = std::to_chars(buffer, buffer + sizeof buffer, std::fabs(number),
                                     std::chars_format::scientific);
  const std::string_view scientific(buffer, static_cast<std::size_t>(written.ptr - buffer));
  const std::size_t mark = scientific.find('e');
  std::string digits(scientific.substr(0, mark));
  std::erase(digits, '.');
  std::string_view exponent_text = scientific.substr(mark + 1);
  if (exponent_text.front() == '+') exponent_text.remove_prefix(1);
  // The value is 0.digits * 10^point.
  const int point = read<int>(exponent_text).value() + 1;
  const int count = static_cast<int>(digits.size());
  std::string text = number < 0 ? "-" : "";
  if (count <= point && point <= 21) {
    text += digits;
    text.append(static_cast<std::size_t>(point - count), '0');
  } else if (0 < point && point <= 21) {
    text += digits.substr(0, static_cast<std::size_t>(point));
    text += '.';
    text += digits.substr(static_cast<std::size_t>(point));
  } else if (-6 < point && point <= 0) {
    text += "0.";
    text.append(static_cast<std::size_t>(-point), '0');
    text += digits;
  } else {
    text += digits.front();
    if (count > 1) text += '.' + digits.substr(1);
    text += point - 1 < 0 ? "e-" : "e+";
    text += std::to_string(std::abs(point - 1));
  }
  return text;
}

}  // namespace zonesync::text

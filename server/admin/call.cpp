#include "server/admin/call.hpp"

#include <charconv>

#include "protocol/model/assert.hpp"

namespace zonesync::admin {

const std::string& Call::param(std::string_view name) const {
  const auto found = path.find(name);
  ZS_ASSERT(found != path.end());
  return found->second;
}

std::optional<std::string> Call::query(std::string_view name) const {
  const auto found = http.query.find(std::string(name));
  if (found == http.query.end()) return std::nullopt;
  return found->second;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return number;
}

Result<bool> query_flag(const Call& call, std::string_view name) {
  const std::optional<std::string> text = call.query(name);
  if (!text || *text == "false") return false;
  if (*text == "true" || text->empty()) return true;
  return fail(ErrorCode::invalid_argument, "must be true or false", std::string(name));
}

Result<std::optional<std::uint64_t>> query_number(const Call& call, std::string_view name,
                                                  std::uint64_t min, std::uint64_t max) {
  const std::optional<std::string> text = call.query(name);
  if (!text) return std::nullopt;
  const std::optional<std::uint64_t> number = parse_number(*text);
  if (!number || *number < min || *number > max) {
    return fail(ErrorCode::invalid_argument,
                "must be a whole number from " + std::to_string(min) + " to " +
                    std::to_string(max), std::string(name));
  }
  return number;
}

Result<std::optional<std::chrono::milliseconds>> query_duration(const Call& call,
                                                                std::string_view name,
                                                                std::chrono::milliseconds max) {
  const std::optional<std::string> text = call.query(name);
  if (!text) return std::nullopt;
  const std::size_t unit_at = text->find_first_not_of("0123456789");
  const std::string_view unit =
      unit_at == std::string::npos ? std::string_view() : std::string_view(*text).substr(unit_at);
  const std::uint64_t factor = unit == "ms" ? 1 : unit == "s" ? 1'000 : unit == "m" ? 60'000 : 0;
  const std::optional<std::uint64_t> number =
      parse_number(std::string_view(*text).substr(0, unit_at));
  const auto max_ms = static_cast<std::uint64_t>(max.count());
  if (factor == 0 || !number || *number > max_ms / factor) {
    return fail(ErrorCode::invalid_argument,
                "must be a number with unit ms, s or m, at most " + std::to_string(max_ms) + "ms",
                std::string(name));
  }
  return std::chrono::milliseconds(*number * factor);
}

}  // namespace zonesync::admin

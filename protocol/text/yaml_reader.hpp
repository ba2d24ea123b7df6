// YAML 1.2 (core schema) as JSON values, one document at a time.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "protocol/model/result.hpp"
#include "protocol/text/position.hpp"

namespace zonesync::text {

/// Where each value of a document stands, by JSON pointer.
using Marks = std::map<std::string, Position>;

/// One document of a stream: its text and the line it starts on (1-based).
struct YamlChunk {
  std::string_view text;
  int line = 1;
};

/// Cuts a stream at its document markers (`---`, `...`), so that a syntax error stays in its own
/// document. Chunks without content (only comments) are left out.
[[nodiscard]] std::vector<YamlChunk> split_yaml(std::string_view text);

/// Reads one document. Plain scalars follow the YAML 1.2 core schema (no yes/no, no 1.1 octal),
/// quoted ones are strings. Refused: duplicate keys, keys that are not scalars, NaN and infinity,
/// numbers beyond 64 bits, unknown tags, merge keys, invalid UTF-8, anything over limits.hpp with
/// aliases expanded. `marks`, when given, receives the places of values down to `mark_depth`.
/// Errors: invalid_argument, too_large; `field` is `line:column` in the whole stream.
[[nodiscard]] Result<boost::json::value> parse_yaml(const YamlChunk& chunk, Marks* marks = nullptr,
                                                    std::size_t mark_depth = 64);

}  // namespace zonesync::text

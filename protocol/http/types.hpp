// HTTP requests and responses as plain values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/transport/byte_stream.hpp"

namespace zonesync {

/// Header fields in order; names compare without case.
class HttpHeaders {
 public:
  HttpHeaders() = default;
  HttpHeaders(std::initializer_list<std::pair<std::string, std::string>> fields)
      : fields_(fields) {}

  void add(std::string name, std::string value);
  /// Replaces every field of that name.
  void set(std::string_view name, std::string value);
  /// The first value; empty when there is none.
  [[nodiscard]] std::string_view get(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& fields() const {
    return fields_;
  }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct HttpRequest {
  std::string method;  // "GET"
  std::string target;  // as sent: "/meshes/default/x%20y?dryRun=true"
  std::string path;    // as sent, without the query; split_path() decodes
  std::map<std::string, std::string> query;  // decoded; the last of a repeated key wins
  HttpHeaders headers;
  std::string body;
  PeerInfo peer;

  /// Path segments, percent-decoded one by one, so "%2F" stays inside its segment.
  [[nodiscard]] std::vector<std::string> split_path() const;
  /// Token of `Authorization: Bearer`; empty = none. A secret.
  [[nodiscard]] std::string_view bearer_token() const;
};

struct HttpResponse {
  unsigned status = 200;
  HttpHeaders headers;
  std::string body;
};

/// "%41" → "A", in queries also "+" → " "; nullopt for a broken escape or a NUL.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);
/// Everything but unreserved characters (RFC 3986) escaped.
[[nodiscard]] std::string percent_encode(std::string_view text);
/// "a=1&b" → map. nullopt for a broken escape.
[[nodiscard]] std::optional<std::map<std::string, std::string>> parse_query(std::string_view text);

}  // namespace zonesync

// Which handler answers a request.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/admin/call.hpp"

namespace zonesync::admin {

enum class Port { api, metrics };

struct Route {
  Port port = Port::api;
  std::string method;                    // "GET"
  std::string pattern;                   // "/zones/{zone}"
  auth::Role role = auth::Role::viewer;  // needed; ignored on the metrics port
  std::vector<std::string> query;        // parameters it takes
  Handler handler = nullptr;
};

/// Immutable after construction. Thread rule: any thread.
class Router {
 public:
  explicit Router(std::vector<Route> routes);

  struct Match {
    const Route* route = nullptr;
    std::map<std::string, std::string, std::less<>> path;  // parameters
  };
  /// Fixed segments win over parameters, earlier ones over later ones. Problems: not_found, 405
  /// with Allow, 400 for a query parameter that the route does not take.
  [[nodiscard]] tl::expected<Match, Problem> match(const HttpRequest& request) const;

 private:
  struct Pattern {
    std::string text;
    std::vector<std::string> segments;
    std::map<std::string, Route> methods;
  };
  std::vector<Pattern> patterns_;  // most fixed segments first
};

/// Every route of both ports.
[[nodiscard]] const std::vector<Route>& route_table();

}  // namespace zonesync::admin

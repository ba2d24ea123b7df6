#include "server/admin/router.hpp"

#include <algorithm>
#include <utility>

#include "protocol/model/nearest.hpp"

namespace zonesync::admin {
namespace {

using PathParameters = std::map<std::string, std::string, std::less<>>;

std::vector<std::string> split(std::string_view pattern) {
  std::vector<std::string> segments;
  while (!pattern.empty()) {
    pattern.remove_prefix(1);  // '/'
    const std::size_t end = std::min(pattern.find('/'), pattern.size());
    if (end > 0) segments.emplace_back(pattern.substr(0, end));
    pattern.remove_prefix(end);
  }
  return segments;
}

bool is_parameter(std::string_view segment) { return segment.starts_with('{'); }

/// Sort key: false = fixed sorts first; the number of fixed segments decides before their places.
std::pair<std::ptrdiff_t, std::vector<bool>> rank(const std::vector<std::string>& segments) {
  std::vector<bool> parameters;
  for (const std::string& segment : segments) parameters.push_back(is_parameter(segment));
  return {std::count(parameters.begin(), parameters.end(), true), parameters};
}

bool fits(const std::vector<std::string>& pattern, const std::vector<std::string>& path,
          PathParameters& parameters) {
  if (pattern.size() != path.size()) return false;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (is_parameter(pattern[i])) {
      if (path[i].empty()) return false;
      parameters.insert_or_assign(pattern[i].substr(1, pattern[i].size() - 2), path[i]);
    } else if (pattern[i] != path[i]) {
      return false;
    }
  }
  return true;
}

Status check_query(const Route& route, const HttpRequest& request) {
  for (const auto& [name, value] : request.query) {
    if (std::find(route.query.begin(), route.query.end(), name) != route.query.end()) continue;
    Nearest nearest(name);
    for (const std::string& known : route.query) nearest.offer(known, known);
    return fail(ErrorCode::invalid_argument,
                "this operation does not take that query parameter" + did_you_mean(nearest.best()),
                name);
  }
  return {};
}

}  // namespace

Router::Router(std::vector<Route> routes) {
  for (Route& route : routes) {
    auto found = std::find_if(patterns_.begin(), patterns_.end(),
                              [&](const Pattern& p) { return p.text == route.pattern; });
    if (found == patterns_.end()) {
      patterns_.push_back({route.pattern, split(route.pattern), {}});
      found = std::prev(patterns_.end());
    }
    found->methods.insert_or_assign(route.method, std::move(route));
  }
  std::stable_sort(patterns_.begin(), patterns_.end(), [](const Pattern& a, const Pattern& b) {
    return rank(a.segments) < rank(b.segments);
  });
}

tl::expected<Router::Match, Problem> Router::match(const HttpRequest& request) const {
  const std::vector<std::string> path = request.split_path();
  for (const Pattern& pattern : patterns_) {
    Match match;
    if (!fits(pattern.segments, path, match.path)) continue;
    const auto found = pattern.methods.find(request.method);
    if (found == pattern.methods.end()) {
      std::string allowed;
      for (const auto& [method, route] : pattern.methods) {
        allowed += (allowed.empty() ? "" : ", ") + method;
      }
      Problem problem{405, "method_not_allowed", pattern.text + " takes " + allowed};
      problem.headers.set("Allow", allowed);
      return refuse(std::move(problem));
    }
    if (Status query = check_query(found->second, request); !query) return refuse(query.error());
    match.route = &found->second;
    return match;
  }
  return refuse(ErrorCode::not_found, "no such path; docs/openapi.yaml lists them");
}

}  // namespace zonesync::admin

#include "server/admin/value_diff.hpp"

#include <set>
#include <string>

#include <boost/json/object.hpp>

namespace zonesync::admin {
namespace {

namespace json = boost::json;

std::string pointer(const std::string& base, std::string_view name) {
  std::string path = base + '/';
  for (const char c : name) {
    if (c == '~') {
      path += "~0";
    } else if (c == '/') {
      path += "~1";
    } else {
      path += c;
    }
  }
  return path;
}

void compare(json::array& out, const std::string& path, const json::value* before,
             const json::value* after);

void compare_objects(json::array& out, const std::string& path, const json::object& before,
                     const json::object& after) {
  std::set<std::string_view> names;
  for (const auto& member : before) names.insert({member.key().data(), member.key().size()});
  for (const auto& member : after) names.insert({member.key().data(), member.key().size()});
  for (const std::string_view name : names) {
    compare(out, pointer(path, name), before.if_contains(name), after.if_contains(name));
  }
}

void compare(json::array& out, const std::string& path, const json::value* before,
             const json::value* after) {
  if (before != nullptr && after != nullptr) {
    if (*before == *after) return;
    if (before->is_object() && after->is_object()) {
      return compare_objects(out, path, before->get_object(), after->get_object());
    }
    if (before->is_array() && after->is_array() &&
        before->get_array().size() == after->get_array().size()) {
      for (std::size_t i = 0; i < before->get_array().size(); ++i) {
        compare(out, pointer(path, std::to_string(i)), &before->get_array()[i],
                &after->get_array()[i]);
      }
      return;
    }
  }
  json::object item;
  item["path"] = path;
  if (before != nullptr) item["before"] = *before;
  if (after != nullptr) item["after"] = *after;
  out.push_back(std::move(item));
}

}  // namespace

json::array value_differences(const json::value& before, const json::value& after) {
  json::array out;
  compare(out, "", &before, &after);
  return out;
}

}  // namespace zonesync::admin

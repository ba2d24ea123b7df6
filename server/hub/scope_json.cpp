#include "server/hub/scope_json.hpp"

namespace zonesync::hub {

namespace json = boost::json;

json::array names_to_json(const std::set<std::string>& names) {
  json::array out;
  for (const std::string& name : names) out.emplace_back(name);
  return out;
}

std::set<std::string> names_from_json(const json::value& names) {
  std::set<std::string> out;
  for (const json::value& name : names.as_array()) out.emplace(name.as_string());
  return out;
}

json::object scope_to_json(const ZoneScope& scope) {
  json::object labels;
  for (const auto& [label, values] : scope.labels) labels[label] = names_to_json(values);
  return {{"types", names_to_json(scope.types)},
          {"meshes", names_to_json(scope.meshes)},
          {"labels", std::move(labels)}};
}

ZoneScope scope_from_json(const json::object& body) {
  ZoneScope scope;
  if (const auto* types = body.if_contains("types")) scope.types = names_from_json(*types);
  if (const auto* meshes = body.if_contains("meshes")) scope.meshes = names_from_json(*meshes);
  if (const auto* labels = body.if_contains("labels")) {
    for (const auto& item : labels->as_object()) {
      scope.labels.emplace(item.key(), names_from_json(item.value()));
    }
  }
  return scope;
}

}  // namespace zonesync::hub

#include "conformance/adapters/resource_json.hpp"

namespace zonesync::conform {

namespace json = boost::json;

json::object to_json(const Resource& resource) {
  json::object labels;
  for (const auto& [key, value] : resource.labels) labels[key] = value;
  json::object object;
  object["type"] = resource.key.type;
  object["mesh"] = resource.key.mesh;
  object["origin"] = resource.key.origin;
  object["name"] = resource.key.name;
  object["labels"] = std::move(labels);
  object["spec"] = resource.spec;
  object["status"] = resource.status;
  return object;
}

json::array to_json(const std::vector<ControlOp>& ops) {
  json::array all;
  for (const ControlOp& op : ops) {
    json::object each;
    each["op"] = op.remove ? "remove" : "put";
    each["resource"] = to_json(op.resource);
    all.push_back(std::move(each));
  }
  return all;
}

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::uint64_t number_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  boost::system::error_code failed;
  if (value == nullptr || !value->is_number()) return 0;
  const auto number = value->to_number<std::uint64_t>(failed);
  return failed ? 0 : number;
}

bool flag_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::vector<std::string> texts_at(const json::object& object, std::string_view name) {
  std::vector<std::string> texts;
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_array()) return texts;
  for (const json::value& each : value->get_array()) {
    if (each.is_string()) texts.emplace_back(each.get_string());
  }
  return texts;
}

Result<Resource> resource_of(const json::value& value) {
  if (!value.is_object()) {
    return fail(ErrorCode::invalid_argument, "a resource must be an object");
  }
  const json::object& object = value.get_object();
  Resource resource;
  resource.key = {text_at(object, "type"), text_at(object, "mesh"), text_at(object, "origin"),
                  text_at(object, "name")};
  if (resource.key.type.empty() || resource.key.name.empty()) {
    return fail(ErrorCode::invalid_argument, "a resource needs type and name");
  }
  resource.spec = text_at(object, "spec");
  resource.status = text_at(object, "status");
  if (const json::value* labels = object.if_contains("labels"); labels && labels->is_object()) {
    for (const auto& member : labels->get_object()) {
      if (!member.value().is_string()) continue;
      const std::string key(member.key().data(), member.key().size());
      resource.labels[key] = std::string(member.value().get_string());
    }
  }
  return resource;
}

Result<std::vector<Resource>> resources_of(const json::object& answer) {
  std::vector<Resource> all;
  const json::value* list = answer.if_contains("resources");
  if (list == nullptr || !list->is_array()) {
    return fail(ErrorCode::invalid_argument, "the answer has no list 'resources'");
  }
  for (const json::value& each : list->get_array()) {
    auto resource = resource_of(each);
    if (!resource) return fail(resource.error());
    all.push_back(std::move(*resource));
  }
  return all;
}

Result<std::vector<ControlOp>> ops_of(const json::object& request) {
  std::vector<ControlOp> all;
  const json::value* list = request.if_contains("ops");
  if (list == nullptr || !list->is_array()) {
    return fail(ErrorCode::invalid_argument, "the request has no list 'ops'");
  }
  for (const json::value& each : list->get_array()) {
    if (!each.is_object()) return fail(ErrorCode::invalid_argument, "an op must be an object");
    const json::value* inner = each.get_object().if_contains("resource");
    if (inner == nullptr) return fail(ErrorCode::invalid_argument, "an op needs a resource");
    auto resource = resource_of(*inner);
    if (!resource) return fail(resource.error());
    all.push_back({text_at(each.get_object(), "op") == "remove", std::move(*resource)});
  }
  return all;
}

}  // namespace zonesync::conform

#include "protocol/text/resource_fields.hpp"

#include <algorithm>
#include <array>

#include "protocol/model/nearest.hpp"
#include "protocol/model/scope.hpp"
#include "protocol/text/json_value.hpp"
#include "protocol/text/value_builder.hpp"

namespace zonesync::text {
namespace {

namespace json = boost::json;

// Kuma prints these; they are facts about a store, not content.
constexpr std::array<std::string_view, 3> kDropped = {"creationTime", "kri", "modificationTime"};
constexpr std::array<std::string_view, 6> kCommon = {"labels", "mesh",   "name",
                                                     "spec",   "status", "type"};
constexpr std::string_view kDefaultMesh = "default";

tl::unexpected<Error> refuse(std::string message, std::string pointer) {
  return fail(ErrorCode::invalid_argument, std::move(message), std::move(pointer));
}

std::string_view kind_name(const json::value& value) {
  if (value.is_null()) return "null";
  if (value.is_bool()) return "a boolean";
  if (value.is_number()) return "a number";
  if (value.is_string()) return "a string";
  return value.is_array() ? "a list" : "an object";
}

/// Takes a string field out of the document; `fallback` when it is absent.
Result<std::string> take_string(json::object& document, std::string_view field,
                                const std::string& fallback) {
  const std::string pointer = "/" + std::string(field);
  const auto found = document.find(field);
  if (found == document.end()) return fallback;
  if (!found->value().is_string()) {
    std::string message = "'" + std::string(field) + "' is a string, got ";
    message += kind_name(found->value());
    if (found->value().is_number() || found->value().is_bool()) message += "; quote it";
    return refuse(std::move(message), pointer);
  }
  const json::string& value = found->value().get_string();
  std::string text(value.data(), value.size());
  document.stable_erase(found);
  return text;
}

/// As take_string, and what a request path says must agree.
Result<std::string> take_identity(json::object& document, std::string_view field,
                                  const std::string* expected) {
  Result<std::string> text = take_string(document, field, expected ? *expected : std::string());
  if (text && expected != nullptr && *text != *expected) {
    return refuse("'" + std::string(field) + "' is '" + *text + "' in the body but '" + *expected +
                      "' in the path; make them equal or leave it out of the body",
                  "/" + std::string(field));
  }
  return text;
}

Result<Labels> take_labels(json::object& document) {
  Labels labels;
  const auto found = document.find("labels");
  if (found == document.end()) return labels;
  const json::value value = std::move(found->value());
  document.stable_erase(found);
  if (value.is_null()) return labels;
  if (!value.is_object()) {
    return refuse("'labels' is an object of strings, got " + std::string(kind_name(value)),
                  "/labels");
  }
  for (const auto& member : value.get_object()) {
    const std::string name(member.key().data(), member.key().size());
    if (!member.value().is_string()) {
      return refuse("label values are strings, got " + std::string(kind_name(member.value())) +
                        "; quote it",
                    "/labels/" + pointer_token(name));
    }
    const json::string& text = member.value().get_string();
    labels.emplace(name, std::string(text.data(), text.size()));
  }
  return labels;
}

/// Takes an object field; null counts as absent.
Result<std::optional<json::object>> take_object(json::object& document, std::string_view field) {
  const auto found = document.find(field);
  if (found == document.end()) return std::nullopt;
  json::value value = std::move(found->value());
  document.stable_erase(found);
  if (value.is_null()) return std::nullopt;
  if (!value.is_object()) {
    return refuse("'" + std::string(field) + "' is an object, got " +
                      std::string(kind_name(value)),
                  "/" + std::string(field));
  }
  return std::move(value.get_object());
}

std::string list_names(const json::object& fields) {
  std::string names;
  for (const auto& member : fields) {
    if (!names.empty()) names += ", ";
    names += "'" + std::string(member.key().data(), member.key().size()).substr(0, 60) + "'";
    if (names.size() > 200) return names + " ...";
  }
  return names;
}

std::string first_pointer(const json::object& fields) {
  const auto key = fields.begin()->key();
  return "/" + pointer_token({key.data(), key.size()});
}

std::string unknown_hint(const json::object& fields) {
  const auto key = fields.begin()->key();
  Nearest search({key.data(), key.size()});
  for (const std::string_view known : kCommon) search.offer(known, known);
  return did_you_mean(search.best());
}

/// The spec out of what remains of the document once the common fields are taken.
Result<json::object> make_spec(const TypeInfo& info, std::optional<json::object> spec,
                               json::object rest, bool lenient) {
  if (rest.empty()) return spec ? std::move(*spec) : json::object();
  if (info.legacy && !spec) return rest;
  if (!lenient) {
    std::string message = "a " + info.name + " has ";
    message += info.legacy ? "either 'spec' or its own top-level fields, not both: "
                           : "no top-level fields besides type, mesh, name, labels, spec and "
                             "status: ";
    message += list_names(rest) + unknown_hint(rest) +
               "; move them under 'spec' or pass --lenient to do so";
    return refuse(std::move(message), first_pointer(rest));
  }
  json::object merged = spec ? std::move(*spec) : json::object();
  for (auto& member : rest) {
    if (merged.contains(member.key())) {
      const std::string name(member.key().data(), member.key().size());
      return refuse("'" + name + "' is both a top-level field and a field of 'spec'",
                    "/" + pointer_token(name));
    }
    merged.insert_or_assign(member.key(), std::move(member.value()));
  }
  return merged;
}

Status resolve_mesh(const TypeInfo& info, ResourceKey& key) {
  if (info.scope == TypeScope::global) {
    if (key.mesh.empty()) return {};
    return refuse("a " + info.name + " lives outside meshes; remove 'mesh'", "/mesh");
  }
  if (key.mesh.empty()) key.mesh = kDefaultMesh;
  return check_resource_name(key.mesh, "/mesh");
}

Result<const TypeInfo*> take_key(json::object& document, const TypeRegistry& registry,
                                 const FieldRules& rules, ResourceKey& key) {
  const ResourceKey* expected = rules.expected;
  if (document.contains("apiVersion") && document.contains("kind")) {
    return refuse("this is the Kubernetes form (apiVersion, kind, metadata); write type, mesh and "
                  "name instead", "/apiVersion");
  }
  Result<std::string> type = take_identity(document, "type", expected ? &expected->type : nullptr);
  if (!type) return fail(type.error());
  if (type->empty()) return refuse("'type' is missing", "/type");
  const Result<const TypeInfo*> info = registry.require(*type);
  if (!info) return info;
  Result<std::string> mesh = take_identity(document, "mesh", expected ? &expected->mesh : nullptr);
  if (!mesh) return fail(mesh.error());
  Result<std::string> name = take_identity(document, "name", expected ? &expected->name : nullptr);
  if (!name) return fail(name.error());
  if (name->empty()) return refuse("'name' is missing", "/name");
  key = {std::move(*type), std::move(*mesh), rules.origin, std::move(*name)};
  if (Status checked = check_resource_name(key.name, "/name"); !checked) {
    return fail(checked.error());
  }
  if (Status mesh_ok = resolve_mesh(**info, key); !mesh_ok) return fail(mesh_ok.error());
  return info;
}

}  // namespace

Result<Resource> resource_from_value(json::value document, const TypeRegistry& registry,
                                     const FieldRules& rules) {
  if (!document.is_object()) {
    return refuse("a resource is an object with type and name, got " +
                      std::string(kind_name(document)), "/");
  }
  json::object& fields = document.get_object();
  Resource resource;
  const Result<const TypeInfo*> info = take_key(fields, registry, rules, resource.key);
  if (!info) return fail(info.error());
  Result<Labels> labels = take_labels(fields);
  if (!labels) return fail(labels.error());
  resource.labels = std::move(*labels);
  Result<std::optional<json::object>> spec = take_object(fields, "spec");
  if (!spec) return fail(spec.error());
  Result<std::optional<json::object>> status = take_object(fields, "status");
  if (!status) return fail(status.error());
  for (const std::string_view field : kDropped) {
    if (const auto found = fields.find(field); found != fields.end()) fields.stable_erase(found);
  }
  Result<json::object> whole =
      make_spec(**info, std::move(*spec), std::move(fields), rules.lenient);
  if (!whole) return fail(whole.error());
  resource.spec = write_canonical(json::value(std::move(*whole)));
  if (*status) resource.status = write_canonical(json::value(std::move(**status)));
  if (Status derived = strip_derived_labels(resource); !derived) return fail(derived.error());
  return resource;
}

}  // namespace zonesync::text

#include "server/admin/resource_path.hpp"

#include "protocol/model/nearest.hpp"

namespace zonesync::admin {
namespace {

constexpr std::string_view kMeshes = "meshes";

std::string_view plural_of_path(const Call& call) {
  const auto found = call.path.find("plural");
  return found == call.path.end() ? kMeshes : std::string_view(found->second);
}

}  // namespace

Result<const TypeInfo*> type_of_path(const Call& call, const TypeRegistry& registry) {
  const std::string_view plural = plural_of_path(call);
  const TypeInfo* info = registry.find_plural(plural);
  if (info == nullptr) {
    Nearest nearest(plural);
    for (const TypeInfo* known : registry.all()) nearest.offer(known->plural, known->plural);
    return fail(ErrorCode::not_found, "no such path and no registered type with that plural" +
                                          did_you_mean(nearest.best()) + "; /types lists them");
  }
  const bool in_mesh = call.path.contains("mesh");
  const bool named = call.path.contains("name");
  if (in_mesh && info->scope == TypeScope::global) {
    return fail(ErrorCode::not_found,
                info->name + " lives outside meshes: /" + info->plural + "/{name}");
  }
  if (!in_mesh && named && info->scope == TypeScope::mesh) {
    return fail(ErrorCode::not_found,
                info->name + " lives in a mesh: /meshes/{mesh}/" + info->plural + "/{name}");
  }
  return info;
}

Result<std::optional<std::string>> origin_of_query(const Call& call) {
  std::optional<std::string> origin = call.query("origin");
  if (origin && *origin != kGlobalOrigin) {
    if (const Status valid = check_zone_name(*origin); !valid) {
      return fail(ErrorCode::invalid_argument,
                  "must be 'global' or a zone: " + valid.error().message, "origin");
    }
  }
  return origin;
}

Result<ResourceKey> key_of_path(const Call& call, const TypeRegistry& registry) {
  const Result<const TypeInfo*> info = type_of_path(call, registry);
  if (!info) return fail(info.error());
  Result<std::optional<std::string>> origin = origin_of_query(call);
  if (!origin) return fail(std::move(origin.error()));
  ResourceKey key;
  key.type = (*info)->name;
  key.origin = origin->value_or(std::string(kGlobalOrigin));
  key.name = call.param("name");
  if (Status name = check_resource_name(key.name, "name"); !name) return fail(name.error());
  if (call.path.contains("mesh")) {
    key.mesh = call.param("mesh");
    if (Status mesh = check_resource_name(key.mesh, "mesh"); !mesh) return fail(mesh.error());
  }
  return key;
}

}  // namespace zonesync::admin

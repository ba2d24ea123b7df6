#include "server/cli/type_names.hpp"

#include "protocol/model/nearest.hpp"
#include "server/cli/json_fields.hpp"

namespace zonesync::cli {
namespace {

namespace json = boost::json;

std::string folded(std::string_view word) {
  std::string out;
  for (const char c : word) {
    if (c == '-' || c == '_') continue;
    out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return out;
}

void read_flag(const json::value& entry, std::string_view name, bool& flag) {
  const json::value* found = member(entry, name);
  if (found != nullptr && found->is_bool()) flag = found->get_bool();
}

TypeInfo read_type(const json::value& entry, const TypeRegistry& defaults) {
  TypeInfo info;
  if (const TypeInfo* known = defaults.find(text_of(entry, "name"))) info = *known;
  info.name = text_of(entry, "name");
  if (const std::string plural = text_of(entry, "plural"); !plural.empty()) info.plural = plural;
  const std::string scope = text_of(entry, "scope");
  if (scope == "global") info.scope = TypeScope::global;
  if (scope == "mesh") info.scope = TypeScope::mesh;
  read_flag(entry, "legacy", info.legacy);
  read_flag(entry, "sensitive", info.sensitive);
  for (const json::value* flags : {&entry, member(entry, "directions")}) {
    if (flags == nullptr) continue;
    read_flag(*flags, "global_to_zones", info.global_to_zones);
    read_flag(*flags, "zone_to_global", info.zone_to_global);
    read_flag(*flags, "synced_across_zones", info.synced_across_zones);
    read_flag(*flags, "provided_by_global", info.provided_by_global);
  }
  return info;
}

}  // namespace

TypeRegistry types_from_json(const json::value& answer) {
  const TypeRegistry defaults = TypeRegistry::with_default_types();
  TypeRegistry registry;
  const json::array* items = array_of(answer, "items");
  if (items == nullptr) items = array_of(answer, "types");
  if (items == nullptr) return defaults;
  for (const json::value& entry : *items) {
    // A type this build cannot represent is simply not offered; the hub still judges documents.
    if (const Status added = registry.add(read_type(entry, defaults)); !added) continue;
  }
  return registry;
}

Outcome<TypeRegistry> fetch_types(Api& api) {
  HttpClientRequest request;
  request.target = "/types";
  const Outcome<HttpResponse> response = api.call_any(std::move(request));
  if (!response) return give_up(response.error());
  if (response->status == 404) return TypeRegistry::with_default_types();
  if (response->status >= 300) return give_up(failure_of(*response));
  const Outcome<json::value> answer = body_of(*response);
  if (!answer) return give_up(answer.error());
  return types_from_json(*answer);
}

Outcome<const TypeInfo*> resolve_type(const TypeRegistry& registry, std::string_view word) {
  if (const TypeInfo* exact = registry.find(word)) return exact;
  if (const TypeInfo* exact = registry.find_plural(word)) return exact;
  const std::string wanted = folded(word);
  for (const TypeInfo* info : registry.all()) {
    if (folded(info->name) == wanted || folded(info->plural) == wanted) return info;
  }
  Nearest nearest(word);
  for (const TypeInfo* info : registry.all()) {
    nearest.offer(info->name, info->name);
    nearest.offer(info->plural, info->name);
  }
  return give_up(Exit::usage,
                 "no type '" + one_line(word) + "'" + did_you_mean(nearest.best()),
                 "`zonesync get types` lists the types of the hub");
}

bool means_zones(std::string_view word) {
  const std::string wanted = folded(word);
  return wanted == "zone" || wanted == "zones";
}

}  // namespace zonesync::cli

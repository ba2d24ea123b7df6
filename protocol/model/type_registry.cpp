#include "protocol/model/type_registry.hpp"

#include <algorithm>
#include <array>

#include "protocol/model/canonical_bytes.hpp"
#include "protocol/model/nearest.hpp"

namespace zonesync {
namespace {

// Path segments that the hub's API uses for itself.
constexpr std::array<std::string_view, 9> kReservedPlurals = {
    "api", "livez", "metrics", "readyz", "sync", "transactions", "types", "ui", "watch"};

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool type_name_ok(std::string_view name) {
  if (name.empty() || name.size() > limits::kTypeNameMaxBytes) return false;
  if (!is_upper(name.front())) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return is_lower(c) || is_upper(c) || is_digit(c); });
}

bool plural_ok(std::string_view plural) {
  if (plural.empty() || plural.size() > limits::kTypeNameMaxBytes || !is_lower(plural.front())) {
    return false;
  }
  return std::all_of(plural.begin(), plural.end(),
                     [](char c) { return is_lower(c) || is_digit(c) || c == '-'; });
}

Status check(const TypeInfo& info) {
  if (!type_name_ok(info.name)) {
    return fail(ErrorCode::invalid_argument,
                "a type name has 1 to 63 letters and digits and starts with an uppercase letter, "
                "got '" + info.name + "'", "name");
  }
  if (!plural_ok(info.plural)) {
    return fail(ErrorCode::invalid_argument,
                "the plural of type " + info.name +
                    " has 1 to 63 of [a-z0-9-] and starts with a letter, got '" + info.plural +
                    "'", "plural");
  }
  if (std::find(kReservedPlurals.begin(), kReservedPlurals.end(), info.plural) !=
      kReservedPlurals.end()) {
    return fail(ErrorCode::conflict,
                "the path segment '" + info.plural + "' belongs to the hub's API; choose another",
                "plural");
  }
  if (info.max_bytes == 0 || info.max_bytes > limits::kResourceMaxBytes) {
    return fail(ErrorCode::invalid_argument,
                "the size limit of type " + info.name + " lies between 1 byte and " +
                    std::to_string(limits::kResourceMaxBytes), "max_bytes");
  }
  if (info.synced_across_zones && !info.zone_to_global) {
    return fail(ErrorCode::invalid_argument,
                "type " + info.name + " is synced across zones but not sent from zones to the hub",
                "synced_across_zones");
  }
  return {};
}

}  // namespace

Status TypeRegistry::add(TypeInfo info) {
  if (const Status checked = check(info); !checked) return checked;
  if (by_name_.contains(info.name)) {
    return fail(ErrorCode::conflict, "type " + info.name + " is registered already", "name");
  }
  if (const auto taken = by_plural_.find(info.plural); taken != by_plural_.end()) {
    return fail(ErrorCode::conflict,
                "the plural '" + info.plural + "' belongs to type " + taken->second, "plural");
  }
  if (info.global_to_zones) info.provided_by_global = true;
  std::sort(info.scope_labels.begin(), info.scope_labels.end());
  info.scope_labels.erase(std::unique(info.scope_labels.begin(), info.scope_labels.end()),
                          info.scope_labels.end());
  by_plural_.emplace(info.plural, info.name);
  std::string name = info.name;
  by_name_.emplace(std::move(name), std::move(info));
  return {};
}

const TypeInfo* TypeRegistry::find(std::string_view type) const {
  const auto found = by_name_.find(type);
  return found == by_name_.end() ? nullptr : &found->second;
}

const TypeInfo* TypeRegistry::find_plural(std::string_view plural) const {
  const auto found = by_plural_.find(plural);
  return found == by_plural_.end() ? nullptr : find(found->second);
}

Result<const TypeInfo*> TypeRegistry::require(std::string_view type) const {
  const TypeInfo* info = find(type);
  if (info != nullptr) return info;
  std::string message = "type '" + std::string(type) + "' is not registered";
  message += did_you_mean(nearest(type));
  message += "; register it with: zonesync types add ";
  message += type.empty() ? std::string_view("NAME") : type;
  return fail(ErrorCode::not_found, std::move(message), "/type");
}

std::string TypeRegistry::nearest(std::string_view type) const {
  Nearest search(type);
  for (const auto& [name, info] : by_name_) {
    search.offer(name, name);
    search.offer(info.plural, name);
  }
  return search.best();
}

std::vector<const TypeInfo*> TypeRegistry::all() const {
  std::vector<const TypeInfo*> types;
  types.reserve(by_name_.size());
  for (const auto& [name, info] : by_name_) types.push_back(&info);
  return types;
}

Id128 TypeRegistry::fingerprint() const {
  // Bump the version when a rule of scope.cpp that is not in a TypeInfo changes (name filters).
  std::string bytes = "zonesync-types-1";
  for (const auto& [name, info] : by_name_) {
    append_field(bytes, name);
    bytes.push_back(info.scope == TypeScope::mesh ? 'm' : 'g');
    for (const bool flag : {info.global_to_zones, info.zone_to_global, info.synced_across_zones,
                            info.provided_by_global}) {
      bytes.push_back(flag ? '1' : '0');
    }
    bytes += std::to_string(info.scope_labels.size());
    bytes.push_back(';');
    for (const std::string& label : info.scope_labels) append_field(bytes, label);
  }
  return hash_bytes(bytes).id;
}

}  // namespace zonesync

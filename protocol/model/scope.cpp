#include "protocol/model/scope.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "protocol/model/canonical_bytes.hpp"
#include "protocol/model/defect.hpp"
#include "protocol/model/utf8.hpp"

namespace zonesync {
namespace {

constexpr std::string_view kOriginIsZone = "zone";  // Kuma's value of kuma.io/origin
constexpr std::string_view kSyncedConfig = "kuma-cluster-id";

// GlobalSecrets that are the global side's own keys (Kuma's deny list). The private zone token
// signing keys are among them: Kuma sends zones the public half only, and a hub to which specs are
// opaque bytes cannot derive it; publish the public half as zone-token-signing-public-key-N.
constexpr std::array<std::string_view, 4> kHomeSecrets = {"admin-user-token", "envoy-admin-ca",
                                                          "inter-cp-ca", "user-token-revocations"};
constexpr std::array<std::string_view, 2> kHomeSecretPrefixes = {"user-token-signing-key",
                                                                 "zone-token-signing-key"};

bool is_system(std::string_view type) { return !type.empty() && type[0] == kSystemTypePrefix; }

bool stays_home(const Resource& resource) {
  const auto label = resource.labels.find(std::string(kSyncLabel));
  if (label != resource.labels.end() && label->second == "disabled") return true;
  const std::string& name = resource.key.name;
  if (resource.key.type == "Config") return name != kSyncedConfig;
  if (resource.key.type != "GlobalSecret") return false;
  return std::find(kHomeSecrets.begin(), kHomeSecrets.end(), name) != kHomeSecrets.end() ||
         std::any_of(kHomeSecretPrefixes.begin(), kHomeSecretPrefixes.end(),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

void append_escaped(std::string& tag, std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (c == '%' || c == ',' || c == '=') {
      tag.push_back('%');
      tag.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
      tag.push_back(kDigits[static_cast<unsigned char>(c) & 0xf]);
    } else {
      tag.push_back(c);
    }
  }
}

std::string project(const std::vector<std::string>& scope_labels, const Labels& labels) {
  std::string tag;
  for (const std::string& name : scope_labels) {
    const auto label = labels.find(name);
    if (label == labels.end()) continue;
    if (!tag.empty()) tag.push_back(',');
    append_escaped(tag, name);
    tag.push_back('=');
    append_escaped(tag, label->second);
  }
  return tag;
}

Status check_origin(const std::string& origin) {
  if (origin == kGlobalOrigin) return {};
  Status zone = check_zone_name(origin);
  if (!zone) return fail(zone.error().code, zone.error().message, "/origin");
  return zone;
}

Status check_key(const TypeInfo& info, const ResourceKey& key) {
  if (Status name = check_resource_name(key.name, "/name"); !name) return name;
  if (Status origin = check_origin(key.origin); !origin) return origin;
  if (info.scope == TypeScope::mesh) {
    if (key.mesh.empty()) {
      return fail(ErrorCode::invalid_argument,
                  "a " + info.name + " lives in a mesh; name it in 'mesh'", "/mesh");
    }
    return check_resource_name(key.mesh, "/mesh");
  }
  if (!key.mesh.empty()) {
    return fail(ErrorCode::invalid_argument,
                "a " + info.name + " lives outside meshes; remove 'mesh'", "/mesh");
  }
  return {};
}

Status check_owner(const TypeInfo& info, const Writer& writer, const ResourceKey& key) {
  if (key.origin != writer.origin) {
    return fail(ErrorCode::forbidden,
                "the resource belongs to '" + key.origin + "'; '" + writer.origin +
                    "' writes only its own resources", "/origin");
  }
  if (writer.origin == kGlobalOrigin) {
    if (info.provided_by_global) return {};
    return fail(ErrorCode::conflict,
                info.name + " is provided by zones; publish it from a zone agent", "/type");
  }
  if (info.zone_to_global) return {};
  if (info.provided_by_global) {
    return fail(ErrorCode::forbidden,
                info.name + " is provided by the global side; write it at the hub", "/type");
  }
  return fail(ErrorCode::forbidden, "zones do not send " + info.name + " to the hub", "/type");
}

std::string label_field(std::string_view key) {
  std::string field = "/labels/";
  for (const char c : key) {
    if (c == '~') field += "~0";
    else if (c == '/') field += "~1";
    else field.push_back(c);
  }
  return field;
}

Status check_derived(const Resource& resource, std::string_view label, std::string_view truth) {
  const auto found = resource.labels.find(std::string(label));
  if (found == resource.labels.end() || (!truth.empty() && found->second == truth)) return {};
  std::string message = "label " + std::string(label) + "='" + found->second +
                        "' contradicts the owner '" + resource.key.origin + "' (";
  message += truth.empty() ? std::string("no such label is derived")
                           : "derived value '" + std::string(truth) + "'";
  message += "); remove the label";
  return fail(ErrorCode::invalid_argument, std::move(message), label_field(label));
}

Status check_derived_labels(const Resource& resource) {
  const bool global = resource.key.origin == kGlobalOrigin;
  if (Status origin = check_derived(resource, kOriginLabel, global ? kGlobalOrigin : kOriginIsZone);
      !origin) {
    return origin;
  }
  return check_derived(resource, kZoneLabel,
                       global ? std::string_view() : std::string_view(resource.key.origin));
}

bool label_text_ok(std::string_view text) {
  if (find_invalid_utf8(text) != std::string_view::npos) return false;
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

Status check_labels(const Labels& labels) {
  if (labels.size() > limits::kLabelsMax) {
    return fail(ErrorCode::too_large,
                "a resource has at most " + std::to_string(limits::kLabelsMax) + " labels, got " +
                    std::to_string(labels.size()), "/labels");
  }
  std::size_t bytes = 0;
  for (const auto& [key, value] : labels) {
    bytes += key.size() + value.size();
    if (key.empty() || !label_text_ok(key) || !label_text_ok(value)) {
      return fail(ErrorCode::invalid_argument,
                  "labels are non-empty UTF-8 keys and UTF-8 values without control characters",
                  label_text_ok(key) ? label_field(key) : "/labels");
    }
  }
  if (bytes > limits::kLabelsMaxBytes) {
    return fail(ErrorCode::too_large,
                "all labels of a resource together have at most " +
                    std::to_string(limits::kLabelsMaxBytes) + " bytes, got " +
                    std::to_string(bytes), "/labels");
  }
  return {};
}

/// Whether the classes of a type can be in a view of this spec at all.
bool concerns(const ViewSpec& spec, const TypeInfo& info) {
  if (!spec.down) return info.zone_to_global;
  if (!spec.types.empty() && !spec.types.contains(info.name)) return false;
  return info.global_to_zones || info.synced_across_zones;
}

ViewId compute_id(const ViewSpec& spec, const TypeRegistry& registry) {
  std::string bytes = "zonesync-view-2";
  bytes.push_back(spec.down ? 'd' : 'u');
  append_field(bytes, spec.zone);
  const auto append_set = [&bytes](const std::set<std::string>& set) {
    append_field(bytes, std::to_string(set.size()));
    for (const std::string& entry : set) append_field(bytes, entry);
  };
  for (const auto* set : {&spec.types, &spec.meshes, &spec.withheld_origins}) append_set(*set);
  for (const auto& [label, values] : spec.labels) {
    append_field(bytes, label);
    append_set(values);
  }
  for (const TypeInfo* info : registry.all()) {
    if (!concerns(spec, *info)) continue;
    append_field(bytes, info->name);
    bytes.push_back(info->global_to_zones ? '1' : '0');
    bytes.push_back(info->synced_across_zones ? '1' : '0');
    if (spec.labels.empty()) continue;
    for (const std::string& label : info->scope_labels) append_field(bytes, label);
  }
  return ViewId{hash_bytes(bytes).id};
}

/// The value of one scope label in a tag, escaped as it stands there.
std::optional<std::string_view> value_in_tag(std::string_view tag, std::string_view label) {
  std::string name;
  append_escaped(name, label);
  while (!tag.empty()) {
    const std::size_t comma = std::min(tag.find(','), tag.size());
    const std::string_view item = tag.substr(0, comma);
    if (item.size() > name.size() && item.starts_with(name) && item[name.size()] == '=') {
      return item.substr(name.size() + 1);
    }
    tag.remove_prefix(std::min(comma + 1, tag.size()));
  }
  return std::nullopt;
}

bool labels_admit(const LabelScope& labels, const TypeInfo& info, std::string_view tag) {
  for (const auto& [label, values] : labels) {
    const auto& declared = info.scope_labels;
    if (std::find(declared.begin(), declared.end(), label) == declared.end()) continue;
    const auto value = value_in_tag(tag, label);
    if (!value) return false;
    const bool wanted = std::any_of(values.begin(), values.end(), [&](const std::string& each) {
      std::string escaped;
      append_escaped(escaped, each);
      return escaped == *value;
    });
    if (!wanted) return false;
  }
  return true;
}

}  // namespace

Result<Class> class_of(const TypeRegistry& registry, const Resource& resource) {
  const Result<const TypeInfo*> info = registry.require(resource.key.type);
  if (!info) return fail(info.error());
  Class cls{resource.key.type, resource.key.mesh, resource.key.origin, {}};
  cls.tag = stays_home(resource) ? std::string(kHomeTag)
                                 : project((*info)->scope_labels, resource.labels);
  return cls;
}

Status may_write(const TypeRegistry& registry, const Writer& writer, const Resource& resource) {
  if (Status removable = may_remove(registry, writer, resource.key); !removable) return removable;
  if (Status derived = check_derived_labels(resource); !derived) return derived;
  if (Status labels = check_labels(resource.labels); !labels) return labels;
  const TypeInfo& info = *registry.find(resource.key.type);
  const std::size_t bytes = resource.spec.size() + resource.status.size();
  if (bytes > info.max_bytes) {
    return fail(ErrorCode::too_large,
                to_string(resource.key) + " has " + std::to_string(bytes) +
                    " bytes; the limit of " + info.name + " is " +
                    std::to_string(info.max_bytes),
                "/spec");
  }
  return {};
}

Status may_remove(const TypeRegistry& registry, const Writer& writer, const ResourceKey& key) {
  const Result<const TypeInfo*> info = registry.require(key.type);
  if (!info) return fail(info.error());
  if (Status well_formed = check_key(**info, key); !well_formed) return well_formed;
  return check_owner(**info, writer, key);
}

std::set<std::string> narrow(const std::set<std::string>& a, const std::set<std::string>& b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  std::set<std::string> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(both, both.end()));
  if (both.empty()) both.emplace(kNoName);
  return both;
}

LabelScope narrow(const LabelScope& a, const LabelScope& b) {
  LabelScope both = a;
  for (const auto& [label, values] : b) {
    const auto found = both.find(label);
    if (found == both.end()) {
      both.emplace(label, values);
    } else {
      found->second = narrow(found->second, values);
    }
  }
  return both;
}

View::View(ViewSpec spec, std::shared_ptr<const TypeRegistry> registry)
    : spec_(std::make_shared<const ViewSpec>(std::move(spec))),
      registry_(std::move(registry)),
      id_(compute_id(*spec_, *registry_)) {}

bool View::sensitive(std::string_view type) const {
  const TypeInfo* info = registry_->find(type);
  return info == nullptr || info->sensitive;
}

bool View::admits(const Class& cls) const {
  if (is_system(cls.type) || (cls.tag == kHomeTag && !ZONESYNC_DEFECT(23))) return false;
  if (!spec_->types.empty() && !spec_->types.contains(cls.type)) return false;
  // A mesh narrowing concerns what lives in meshes; global-scoped types are in no mesh.
  if (!spec_->meshes.empty() && !cls.mesh.empty() && !spec_->meshes.contains(cls.mesh)) {
    return false;
  }
  const TypeInfo* info = registry_->find(cls.type);
  if (info == nullptr || !labels_admit(spec_->labels, *info, cls.tag)) return false;
  if (!spec_->down) return cls.origin == spec_->zone && info->zone_to_global;
  if (cls.origin == kGlobalOrigin) return info->global_to_zones;
  return (cls.origin != spec_->zone || ZONESYNC_DEFECT(22)) && info->synced_across_zones &&
         !spec_->withheld_origins.contains(cls.origin);
}

Status strip_derived_labels(Resource& resource) {
  if (Status derived = check_derived_labels(resource); !derived) return derived;
  resource.labels.erase(std::string(kOriginLabel));
  resource.labels.erase(std::string(kZoneLabel));
  return {};
}

Labels labels_for_output(const Resource& resource) {
  Labels labels = resource.labels;
  const bool global = resource.key.origin == kGlobalOrigin;
  labels[std::string(kOriginLabel)] = global ? kGlobalOrigin : kOriginIsZone;
  if (!global) labels[std::string(kZoneLabel)] = resource.key.origin;
  return labels;
}

}  // namespace zonesync

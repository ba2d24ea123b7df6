// Ownership, scope and cross-zone rules: the one place that decides who may write a resource and
// who may see it (architecture.md idea 7). Everything else asks here.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "protocol/model/ids.hpp"
#include "protocol/model/resource.hpp"
#include "protocol/model/type_registry.hpp"

namespace zonesync {

/// Label that keeps a resource where it was written, when set to `disabled`.
inline constexpr std::string_view kSyncLabel = "kuma.io/kds-sync";
/// Derived on output, never stored: a contradicting one in a payload is refused.
inline constexpr std::string_view kOriginLabel = "kuma.io/origin";
inline constexpr std::string_view kZoneLabel = "kuma.io/zone";
/// Class tag of resources that never leave the side that wrote them.
inline constexpr std::string_view kHomeTag = "home";
/// Types that start with this are system entries of the log: no view admits them.
inline constexpr char kSystemTypePrefix = '$';

/// Who asks to write. Identity comes from the credential, never from the payload.
struct Writer {
  std::string origin;  // kGlobalOrigin for the hub's API, else the authenticated zone's name
};

/// The class of a resource under the registry: type, mesh, origin and the tag (`home` when the
/// sync label says so or a name filter of the type keeps it, else the scope-label projection).
/// Errors: not_found (type not registered; message names the command that registers it).
[[nodiscard]] Result<Class> class_of(const TypeRegistry& registry, const Resource& resource);

/// Whether `writer` may upsert `resource`. Checks, in order: type registered, key well formed for
/// the type's scope, origin = writer, direction flags, derived labels not contradicting, label and
/// size limits. Errors: not_found, invalid_argument, forbidden, conflict (type that the global
/// side does not provide: the message names the owner), too_large.
[[nodiscard]] Status may_write(const TypeRegistry& registry, const Writer& writer,
                               const Resource& resource);
/// The same for a leave of `key`.
[[nodiscard]] Status may_remove(const TypeRegistry& registry, const Writer& writer,
                                const ResourceKey& key);

/// Scope label -> values.
using LabelScope = std::map<std::string, std::set<std::string>, std::less<>>;

/// What one flow carries. `types`, `meshes` and `labels` narrow it; empty means no narrowing.
struct ViewSpec {
  bool down = true;                  // hub to zone; false = zone to hub
  std::string zone;
  std::set<std::string> types;
  std::set<std::string> meshes;
  /// Of types that declare such a scope label, only resources that have one of its values.
  LabelScope labels;
  std::set<std::string> withheld_origins;  // disabled zones
};

/// In a narrowing: "nothing at all", since an empty set means everything. No name contains it.
inline constexpr std::string_view kNoName = "/";
/// What both narrowings allow.
[[nodiscard]] std::set<std::string> narrow(const std::set<std::string>& a,
                                           const std::set<std::string>& b);
[[nodiscard]] LabelScope narrow(const LabelScope& a, const LabelScope& b);

/// A set of classes, as a pure function of spec and registry. Cheap to copy. Thread-safe.
class View {
 public:
  View(ViewSpec spec, std::shared_ptr<const TypeRegistry> registry);

  /// Whether resources of this class belong to the flow. Down: global-provided types of origin
  /// global, cross-zone types of other enabled zones; never the zone's own origin. Up: the zone's
  /// own origin, types with zone_to_global. Never `home` or system classes.
  [[nodiscard]] bool admits(const Class& cls) const;
  /// Hash over the canonical spec and the types that matter to it: a new type changes the views
  /// that may carry it and no others.
  [[nodiscard]] const ViewId& id() const { return id_; }
  [[nodiscard]] const ViewSpec& spec() const { return *spec_; }
  [[nodiscard]] const TypeRegistry& registry() const { return *registry_; }
  /// Whether the type may hold secrets; unknown types may.
  [[nodiscard]] bool sensitive(std::string_view type) const;

 private:
  std::shared_ptr<const ViewSpec> spec_;
  std::shared_ptr<const TypeRegistry> registry_;
  ViewId id_;
};

/// Removes the derived labels (`kuma.io/origin`, `kuma.io/zone`) that a payload may repeat, so that
/// only one form of a resource is ever stored. Errors: invalid_argument when one contradicts
/// `resource.key.origin`; the resource is then unchanged.
[[nodiscard]] Status strip_derived_labels(Resource& resource);

/// Labels as shown to people: stored labels plus `kuma.io/origin` and, for zone origins,
/// `kuma.io/zone`.
[[nodiscard]] Labels labels_for_output(const Resource& resource);

}  // namespace zonesync

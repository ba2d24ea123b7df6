// Resources as the API shows them: canonical, secrets only to those who may see them.
#pragma once

#include <string>

#include <boost/json/object.hpp>

#include "protocol/model/log.hpp"
#include "protocol/model/type_registry.hpp"
#include "server/admin/call.hpp"

namespace zonesync::admin {

[[nodiscard]] boost::json::object key_json(const ResourceKey& key);

/// Shows resources to one caller. Life cycle: one per request.
class ResourceWriter {
 public:
  explicit ResourceWriter(const Call& call);

  /// Whether the caller does not get to see the content of this type.
  [[nodiscard]] bool hides(std::string_view type) const;
  /// What `resource_to_json` gives; for a sensitive type a viewer gets the spec
  /// {"redacted":true} and no status.
  [[nodiscard]] std::string text(Resource resource) const;
  /// The same for an upsert of the log. Errors: those of wire::resource_of.
  [[nodiscard]] Result<std::string> text(const Change& change) const;
  /// {"origin","resource","revision"} of an upsert.
  [[nodiscard]] Result<std::string> item(const LogEntry& entry) const;

 private:
  std::shared_ptr<const TypeRegistry> registry_;
  bool sees_secrets_;
};

/// Whether a spec is what a viewer got to see in place of a secret: never to be written back.
[[nodiscard]] bool is_redacted(std::string_view spec);

}  // namespace zonesync::admin

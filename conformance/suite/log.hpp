// The scripted peer's own log and replica: small, plain, and free of the product's flow code.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "protocol/model/digest.hpp"
#include "protocol/model/resource.hpp"
#include "protocol/model/type_registry.hpp"

namespace zonesync::conform {

/// The default types, shared by every scripted peer.
[[nodiscard]] const TypeRegistry& types();

/// MeshTimeout in mesh default, of global: hub to zones.
[[nodiscard]] Resource policy(const std::string& name, const std::string& text = "1s");
/// MeshService in mesh default of a zone: zone to hub and to other zones.
[[nodiscard]] Resource service(const std::string& zone, const std::string& name,
                               const std::string& text = "80");
/// Dataplane in mesh default of a zone: zone to hub only.
[[nodiscard]] Resource dataplane(const std::string& zone, const std::string& name,
                                 const std::string& text = "10.0.0.1");
/// A resource whose spec has about that many bytes.
[[nodiscard]] Resource big_policy(const std::string& name, std::size_t bytes);

/// Class and payload of an upsert; the class as the default types have it.
[[nodiscard]] Change upsert_of(const Resource& resource);
[[nodiscard]] Change leave_of(const Resource& resource);

struct LogItem {
  Revision revision;
  Change change;
};

/// A log that transactions are written to. Nothing is ever trimmed.
class PeerLog {
 public:
  PeerLog(std::uint8_t number, bool is_complete);

  /// One transaction.
  Revision write(const std::vector<Resource>& upserts,
                 const std::vector<Resource>& removes = {});
  Revision write(std::vector<Change> changes);
  [[nodiscard]] std::vector<LogItem> after(Revision revision) const;
  /// Types of which anything changed after that revision.
  [[nodiscard]] std::set<std::string> changed_after(Revision revision) const;
  /// What is present of a type, in key order.
  [[nodiscard]] std::vector<LogItem> present_of(const std::string& type) const;
  /// Of what is present.
  [[nodiscard]] Digest digest() const;
  [[nodiscard]] Cursor at(Revision revision, const ViewId& view) const;

  Id128 log_id;
  EraId era;
  Revision head;
  bool complete = true;
  std::map<ResourceKey, LogItem> present;

 private:
  std::vector<LogItem> items_;
};

/// What a receiver holds: every offered version.
class PeerReplica {
 public:
  void apply(const LogItem& item);
  void clear() {
    items.clear();
    unconfirmed.clear();
  }
  /// Without what is unconfirmed (FLOW-16).
  [[nodiscard]] Digest digest() const;
  [[nodiscard]] std::vector<std::string> names(const std::string& type = {}) const;
  [[nodiscard]] bool has(const Resource& resource) const;

  std::map<ResourceKey, LogItem> items;
  std::set<ResourceKey> unconfirmed;
};

}  // namespace zonesync::conform

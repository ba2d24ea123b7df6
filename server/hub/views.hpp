// Who may see what, now: the decisions of the hub's log (scopes, disabled zones, types, requests)
// as one view per zone.
//
//   plan_*  (writer thread, while a group is planned) ──► entries for the log
//   apply   (writer thread, durable, before any session can read the segment) ──► sessions
//
// docs/protocol.md VIEW-01, VIEW-05, VIEW-07.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "protocol/core/view_change.hpp"
#include "server/hub/view_records.hpp"
#include "storage/change_log.hpp"

namespace zonesync::hub {

/// Thread rule: load, plan_*, apply on the writer thread; the rest from any thread.
class Views {
 public:
  /// `base` = the types of the configuration.
  explicit Views(std::shared_ptr<const TypeRegistry> base);

  /// Reads everything from the log. Errors: storage_io, storage_corrupt.
  Status load(const ChangeLog& log);

  // -- planning: appends the entries to log -------------------------------------------------------
  /// A zone was registered, or its `enabled`, `paused` or `scope` changed (its own entry is the
  /// caller's).
  void plan_zone(const ZoneRecord& record, std::vector<Change>& changes);
  /// A zone asks for its view.
  void plan_request(const std::string& zone, const ZoneScope& request,
                    std::vector<Change>& changes);
  /// Errors: those of TypeRegistry::add.
  Status plan_type(const TypeInfo& type, std::vector<Change>& changes);
  void plan_removal(const std::string& zone, std::vector<Change>& changes);
  [[nodiscard]] const TypeRegistry& planned_registry() const { return *planned_.registry; }
  /// The group was not written.
  void forget_plans();

  /// A segment is durable.
  void apply(const Segment& segment);

  // -- now ----------------------------------------------------------------------------------------
  [[nodiscard]] std::shared_ptr<const TypeRegistry> registry() const;
  /// The down view of a zone that asks for `request`.
  [[nodiscard]] View down_view(const std::string& zone, const ZoneScope& request) const;
  /// The newest view that a zone was given; nothing = it never connected.
  [[nodiscard]] std::optional<View> view_of(const std::string& zone) const;
  /// For a session of `zone`; this object outlives it.
  [[nodiscard]] std::unique_ptr<ViewFeed> feed(const std::string& zone, ZoneScope request) const;

 private:
  class Feed;
  struct Zone {
    bool enabled = true;
    bool paused = false;
    ZoneScope scope;
    friend bool operator==(const Zone&, const Zone&) = default;
  };
  struct Decisions {
    std::shared_ptr<const TypeRegistry> registry;
    std::map<std::string, Zone> zones;
    std::map<std::string, ViewsRecord> kept;

    [[nodiscard]] View view(const std::string& zone, const ZoneScope& request) const;
    /// Takes one system entry over. True = views may be others now.
    bool take(const Change& change);
  };
  void keep_moved(std::vector<Change>& changes);

  const std::shared_ptr<const TypeRegistry> base_;
  Decisions planned_;                        // writer thread: with what waits to be durable
  mutable std::mutex mutex_;                 // guards live_ and since_
  Decisions live_;
  Revision since_;
  std::atomic<std::uint64_t> version_{1};
};

}  // namespace zonesync::hub

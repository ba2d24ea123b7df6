// What the hub holds of each zone's origin: cursor, digest of what was offered, rejects.
//
// The zone's digest is over everything it offers. The hub's log lacks rejected versions and may
// hold unconfirmed ones (kept from before a partial log), so the hub keeps, per class, the digest
// of what is *offered*: live entries, minus keys with an OfferRecord, plus rejected versions.
// Everything here is derived from the log and can be loaded again.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "protocol/core/ports.hpp"
#include "server/hub/group.hpp"
#include "server/hub/system_entries.hpp"

namespace zonesync::hub {

/// Which instance of a zone may commit, and through which session.
struct Fence {
  Generation generation;
  SessionId session;
  friend bool operator==(const Fence&, const Fence&) = default;
};

/// State of one origin. Copyable: a plan works on a copy of the small parts and assigns it.
struct OriginState {
  std::optional<UpCursorRecord> cursor;
  std::map<Class, Digest> offered;
  std::map<ResourceKey, OfferRecord> offers;
  std::uint64_t live = 0;               // live resources of this origin in the log
  std::uint64_t unconfirmed = 0;        // of `offers`
  std::optional<Fence> fence;           // not logged: set by the admission
  std::uint64_t open_cut = 0;           // not logged: pieces of this cut of the fenced session ...
  std::uint32_t pieces = 0;             // ... that are in the log
  bool mass_delete_approved = false;    // not logged: one time
  std::optional<CutFailure> hold;       // last cut was held: shown, cleared by the next success
};

/// Bound of open rejects per zone; over it the zone's flow is held.
inline constexpr std::size_t kOffersPerZoneMax = 10'000;

/// Thread rule: the writer thread.
class UpStates {
 public:
  /// Reads the states of all zones, or of one, from the log. Fences, approvals stay. Errors:
  /// storage_io, storage_corrupt.
  Status load(const ChangeLog& log);

  [[nodiscard]] OriginState& of(const std::string& zone) { return states_[zone]; }
  [[nodiscard]] const OriginState* find(const std::string& zone) const;
  void erase(const std::string& zone) { states_.erase(zone); }
  [[nodiscard]] const std::map<std::string, OriginState>& all() const { return states_; }

 private:
  std::map<std::string, OriginState> states_;
};

/// Digest of what the zone offers in the classes that `view` admits.
[[nodiscard]] Digest offered_digest(const std::map<Class, Digest>& offered, const View& view);

}  // namespace zonesync::hub

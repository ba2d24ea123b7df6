// What the hub's log holds of each zone's log, judged whenever a zone's up cursor moves.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "conformance/simulator/environment.hpp"
#include "conformance/simulator/sim_log.hpp"
#include "server/hub/system_entries.hpp"
#include "server/hub/up_commit.hpp"

namespace zonesync::sim {

/// Life cycle: with the hub's disk. Thread rule: one thread.
class UpWatch {
 public:
  UpWatch(Environment& env, const SimLog& log);

  /// A session handed a piece to the writer: says how the next moved cursor came to be.
  void submitted(const hub::UpCommit& commit);
  void durable(const Transaction& transaction);
  /// Takes over what holds across disks of one hub.
  void inherit(const UpWatch& older) {
    best_ = older.best_;
    offered_ = older.offered_;
  }
  /// The disk went back: reads it again.
  void rewound(Revision revision);

  [[nodiscard]] std::optional<hub::UpCursorRecord> cursor(const std::string& zone) const;
  /// The furthest that was ever durable of a zone's log.
  [[nodiscard]] Revision best(Id128 log) const;
  /// An operator approved: one mass delete of the zone is no violation.
  void allow_mass_delete(const std::string& zone) { origins_[zone].mass_delete_allowed = true; }
  [[nodiscard]] std::size_t unconfirmed(const std::string& zone) const;
  [[nodiscard]] oracle::Content live(const std::string& zone) const;

 private:
  struct Origin {
    oracle::Content live;
    std::map<std::string, ResourceKey> unconfirmed;  // by name of the offer record
    std::map<std::string, hub::OfferRecord> refused; // likewise
    std::set<ResourceKey> forgotten;                 // no longer refused by this transaction
    bool mass_delete_allowed = false;
    std::set<ResourceKey> ahead;                     // in pieces, not digest-checked since
    std::optional<hub::UpCursorRecord> cursor;
    std::deque<CutEnd> ends;                         // handed to the writer, newest last
  };
  void take(const Change& change, std::set<std::string>& moved);
  void take_system(const Change& change, std::set<std::string>& moved);
  void find_ends(const Transaction& transaction, std::set<std::string>& ended) const;
  void judge(const std::string& zone, Revision revision);
  void forget_refused(const std::string& zone, const Origin& origin);
  void judge_guard(const Transaction& transaction);
  [[nodiscard]] std::vector<oracle::Held> held_of(const Origin& origin) const;

  Environment& env_;
  const SimLog& log_;
  std::map<std::string, Origin> origins_;
  std::map<Id128, Revision> best_;
  std::map<Hash128, SharedBytes> offered_;  // refused payloads, of which the hub keeps the hash
};

}  // namespace zonesync::sim

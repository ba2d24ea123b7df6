// What the hub's log holds of each zone's log, judged whenever a zone's up cursor moves.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

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
  void inherit(const UpWatch& older) { best_ = older.best_; }
  /// The disk went back: reads it again.
  void rewound(Revision revision);

  [[nodiscard]] std::optional<hub::UpCursorRecord> cursor(const std::string& zone) const;
  /// The furthest that was ever durable of a zone's log.
  [[nodiscard]] Revision best(Id128 log) const;
  [[nodiscard]] std::size_t unconfirmed(const std::string& zone) const;
  [[nodiscard]] oracle::Content live(const std::string& zone) const;

 private:
  struct Origin {
    oracle::Content live;
    std::map<std::string, ResourceKey> unconfirmed;  // by name of the offer record
    std::set<ResourceKey> ahead;                     // in pieces, not digest-checked since
    std::optional<hub::UpCursorRecord> cursor;
    std::deque<CutEnd> ends;                         // handed to the writer, newest last
  };
  void take(const Change& change, std::set<std::string>& moved);
  void take_system(const Change& change, std::set<std::string>& moved);
  void find_ends(const Transaction& transaction, std::set<std::string>& ended) const;
  void judge(const std::string& zone, Revision revision);

  Environment& env_;
  const SimLog& log_;
  std::map<std::string, Origin> origins_;
  std::map<Id128, Revision> best_;
};

}  // namespace zonesync::sim

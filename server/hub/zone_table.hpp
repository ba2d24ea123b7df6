// The zones' status as sessions and the writer report it, and as REST reads it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "server/hub/mode_choice.hpp"
#include "server/hub/system_entries.hpp"
#include "server/hub/up_state.hpp"
#include "server/hub/zone_status.hpp"
#include "storage/retention.hpp"

namespace zonesync::hub {

/// What a session knows of itself when it is admitted.
struct SessionFacts {
  SessionId session;
  InstanceId instance;
  Generation generation;
  std::string software;
  std::string peer;
  bool durable = true;
  std::uint64_t open_rejects = 0;   // from Hello
  ModeChoice mode;
};

/// Cumulative state of one session, reported now and then and at its end.
struct SessionSample {
  std::optional<Cursor> acked;
  std::uint64_t in_flight_bytes = 0;
  bool digest_failed = false;       // of either flow, and no digest was confirmed since
  std::optional<Revision> up_offered;
  std::string hold_reason;          // the zone's hold of the down flow
  std::string hold_text;
  std::string up_hold_reason;       // the hub's hold of the up flow, as the session knows it
  std::string up_hold_text;
  std::map<std::string, ListState> lists;  // v1
  ZoneCounters counters;            // of this session; `sessions` and `v1_bytes_est` unused
};

/// Thread rule: any thread; one mutex, held briefly. Wall clock and head are arguments.
class ZoneTable {
 public:
  void put_zone(const ZoneRecord& record);
  void remove_zone(const std::string& zone);

  void connected(const std::string& zone, const SessionFacts& facts, std::int64_t now_ms);
  /// Ignored when another session has taken over.
  void disconnected(const std::string& zone, SessionId session, DisconnectReason reason);
  /// Returns true when the acked revision moved.
  bool sample(const std::string& zone, SessionId session, const SessionSample& sample,
              std::int64_t now_ms);
  /// Verdicts of the zone on what the hub sent.
  void verdicts(const std::string& zone, const std::vector<Verdict>& verdicts,
                std::int64_t now_ms);
  /// The writer's side of the up flow; `with_offers` = the list of rejects changed.
  void set_up(const std::string& zone, const OriginState& state, bool with_offers);

  /// A segment became durable: new versions end older rejects (a zone that refuses them too says
  /// so), and `v1_cost(zone)` is added to every connected zone's estimate.
  void committed(const Segment& segment, std::int64_t now_ms,
                 const std::function<std::uint64_t(const std::string&)>& v1_cost);
  void add_v1_bytes(const std::string& zone, std::uint64_t bytes);

  [[nodiscard]] std::vector<ZoneStatus> snapshot(Revision head, std::int64_t now_ms) const;
  [[nodiscard]] std::optional<ZoneStatus> snapshot_of(const std::string& zone, Revision head,
                                                      std::int64_t now_ms) const;
  /// The mode that an operator forced; from any thread, at every upgrade.
  [[nodiscard]] std::optional<SyncMode> forced_mode(const std::string& zone) const;
  /// The durable revision of a zone, whether it is connected or not.
  [[nodiscard]] std::optional<Revision> acked(const std::string& zone) const;
  [[nodiscard]] std::vector<std::string> connected_zones() const;
  /// Where every registered zone stands, for trimming.
  [[nodiscard]] std::vector<ZoneCursor> cursors() const;

 private:
  struct Row {
    ZoneStatus status;                            // without what is computed in a snapshot
    ZoneCounters past;                            // of ended sessions
    std::map<ResourceKey, RejectRecord> down_rejects;
    std::uint64_t down_rejects_hello = 0;         // what the zone said it had open
    std::vector<RejectRecord> up_rejects;
    std::uint64_t up_rejects_total = 0;
    bool digest_failed = false;
    std::string up_hold_reason;
    std::string up_hold_text;
    std::string session_hold_reason;              // of the up flow, by the session
    std::string session_hold_text;
  };
  struct Tick {
    Revision first;
    std::int64_t at_ms = 0;
  };
  [[nodiscard]] ZoneStatus finish(const Row& row, Revision head, std::int64_t now_ms) const;
  [[nodiscard]] double lag_seconds(Revision acked, std::int64_t now_ms) const;

  mutable std::mutex mutex_;
  std::map<std::string, Row> rows_;
  std::deque<Tick> ticks_;                        // when revisions became durable, coarse
};

}  // namespace zonesync::hub

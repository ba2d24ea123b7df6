// Which zones exist, which instance of each may speak, and through which session.
//
//   admit: Hello ─► checks ─► job (generation raised, fence set) ─► durable ─► Welcome may be sent
//
// One session per zone. The same instance replaces its own session at once; a new instance raises
// the generation durably before it is welcomed and retires the old one. Too many such changes while
// the old one was still connected look like two agents with one name: the current one stays.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "protocol/core/session.hpp"
#include "server/hub/hub_core.hpp"

namespace zonesync::hub {

struct AdmitRequest {
  wire::Hello hello;
  std::string identity;      // the zone that the credential proves
  SessionId session;         // unique in this process
  ZoneScope token_scope;     // what the credential allows; empty = everything
  std::string peer;
  ModeChoice mode;           // of the session
  TimePoint now;
  std::int64_t now_ms = 0;
};

/// What a zone asks for: its Hello, narrowed by its credential.
[[nodiscard]] ZoneScope request_of(const wire::Hello& hello, const ZoneScope& token_scope);

struct Admitted {
  Generation generation;
  std::optional<Cursor> up_cursor;       // for Welcome and for the UpSink
  std::optional<SessionId> replaced;     // was told to close
  bool same_instance = false;            // the replaced session was of the same process
  bool registered = false;               // first contact: the zone was registered by it
  std::vector<Verdict> open_rejects;     // what the hub refused of the zone and still lists
};

struct Refused {
  std::uint16_t code = 0;                // websocket close code
  std::string event;                     // stable log event
  std::string text;                      // for the zone and for the log
  Duration retry_after{};
};

using AdmitDone = std::function<void(tl::expected<Admitted, Refused>)>;

/// Life cycle: construct after the core, load, then use. Thread rule: the writer thread. Call
/// core.pump() after each function.
class ZoneRegistry {
 public:
  struct Options {
    bool auto_register = true;           // by the first valid credential
    std::size_t zones_max = limits::kZonesMax;
    std::size_t delete_batch = 1'000;    // resources per transaction of a deletion
  };
  struct Events {
    std::function<void(SessionId, std::uint16_t code, std::string reason)> close_session;
    std::function<void(SessionId, Duration)> fall_back;      // close it with a fallback time
    std::function<void(const std::string& zone)> duplicate;  // alarm zone.duplicate
    std::function<void(const std::string& zone)> changed;    // registered, connected, deleted ...
  };

  ZoneRegistry(Options options, HubCore& core, Events events);
  ~ZoneRegistry();
  ZoneRegistry(const ZoneRegistry&) = delete;
  ZoneRegistry& operator=(const ZoneRegistry&) = delete;

  /// Errors: storage_io, storage_corrupt.
  Status load(const ChangeLog& log);
  /// Continues deletions that a restart interrupted.
  void resume_deletions();

  void admit(AdmitRequest request, AdmitDone done);
  /// Takes effect in the order of the zone's queue.
  void session_closed(const std::string& zone, SessionId session, DisconnectReason reason);

  /// Errors: invalid_argument, conflict, resource_exhausted.
  void register_zone(const std::string& zone, std::int64_t now_ms, StatusDone done);
  /// Removes everything of this origin by leaves in bounded transactions, dependants first, then
  /// the zone's own entries. A live session is closed with 4403. Errors: not_found, conflict
  /// (connected and not `force`, or a deletion is running).
  void delete_zone(const std::string& zone, bool force, StatusDone done);

  // -- operations (zone_operations.cpp), durable and live -----------------------------------------
  /// Errors: not_found, conflict (being deleted).
  void set_enabled(const std::string& zone, bool enabled, StatusDone done);
  /// Paused: the hub sends no data to it; its own publications go on.
  void set_paused(const std::string& zone, bool paused, StatusDone done);
  /// Errors: also invalid_argument (a type that is not registered, a label that no type declares).
  void set_scope(const std::string& zone, ZoneScope scope, StatusDone done);
  /// Registers a type. Zones that publish such a type connect again to learn of it. Errors:
  /// conflict, invalid_argument.
  void add_type(TypeInfo type, StatusDone done);
  /// Durably forces a mode (nothing = as configured) and closes the session, so that the zone
  /// connects again in it. Errors: not_found.
  void set_mode(const std::string& zone, std::optional<SyncMode> mode, StatusDone done);
  /// Asks the connected zone to use v1 for so long (V1-10). Errors: not_found, unavailable.
  void fall_back(const std::string& zone, Duration ttl, const StatusDone& done);

  [[nodiscard]] const ZoneRecord* find(const std::string& zone) const;
  [[nodiscard]] std::optional<SessionId> session_of(const std::string& zone) const;

 private:
  class AdmitJob;
  class CloseJob;
  class RegisterJob;
  class DeleteJob;
  class ChangeJob;
  class TypeJob;
  class ModeJob;
  struct Welcomed {
    Fence fence;
    InstanceId instance;
  };
  struct Entry {
    ZoneRecord record;
    std::optional<SessionId> session;    // connected now, or about to be welcomed
    InstanceId instance;                 // of that session
    std::optional<Welcomed> welcomed;    // the session that was: a full disk goes back to it
    bool deleting_now = false;           // steps of a deletion are in the queue
    std::deque<TimePoint> takeovers;     // by other instances, of a live session, in the window
  };
  void continue_deletion(const std::string& zone, StatusDone done);
  void notify(const std::string& zone);

  Options options_;
  HubCore& core_;
  Events events_;
  std::map<std::string, Entry> zones_;
};

}  // namespace zonesync::hub

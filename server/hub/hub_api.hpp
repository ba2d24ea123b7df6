// The running hub as the REST API, the metrics page and the demo see it.
//
// Implementation: server/cmd HubProcess. Life cycle: outlives whoever holds it; after `stop` every
// submit answers `unavailable`.
// Thread rule: every function may be called from any thread. Completions and listeners are called
// on a hub thread (never inline in the caller): they must return at once, i.e. post to your own
// executor, and must not call `unlisten` from inside a listener of their own id.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/flowlog/log_source.hpp"
#include "server/hub/job_status.hpp"
#include "server/hub/write.hpp"
#include "server/hub/zone_status.hpp"
#include "storage/change_log.hpp"

namespace zonesync::hub {

using StatusDone = std::function<void(Status)>;

/// A copy of the log that can be restored.
struct CheckpointInfo {
  std::string name;
  std::string directory;
  Revision head;
  EraId era;
};
using CheckpointDone = std::function<void(Result<CheckpointInfo>)>;

/// Process-wide counters for /metrics. Monotonic unless said otherwise.
struct HubCounters {
  std::uint64_t commits = 0;             // segments
  std::uint64_t transactions = 0;        // revisions taken
  std::uint64_t changes = 0;
  std::uint64_t writes_unchanged = 0;    // transactions that took no revision
  std::uint64_t writes_refused = 0;      // preconditions, limits
  std::uint64_t queue_full = 0;          // answered 429
  std::uint64_t queue_requests = 0;      // gauge
  std::uint64_t queue_bytes = 0;         // gauge
  std::uint64_t up_cuts = 0;
  std::uint64_t up_stale = 0;            // fenced by generation or cursor
  std::uint64_t up_rejects = 0;
  std::uint64_t sessions_opened = 0;
  std::uint64_t sessions_refused = 0;
  std::uint64_t upgrades_refused = 0;
  std::uint64_t tls_failures = 0;
  std::uint64_t protocol_errors = 0;
};

struct HubInfo {
  Id128 hub_id;                          // log id
  Revision head;
  EraId era;
  Revision era_start;                    // the head when the era began
  bool complete = false;                 // of the log
  std::optional<Revision> restored_at;   // the log is a backup that ended here
  std::int64_t restored_at_ms = 0;       // when it was put in place
  bool ready = false;                    // accepts zones and writes
  bool draining = false;
  bool writes_refused = false;           // the disk is almost full; zones and reads go on
  std::optional<std::uint64_t> disk_free_bytes;  // beside the log; nothing = unknown
  std::int64_t started_at_ms = 0;
  std::string version;
};

/// Something happened; coarse, for wake-ups. Read the state through the other functions.
struct HubEvent {
  enum class Kind : std::uint8_t {
    committed,  // head moved to `revision`
    progress,   // `zone` acked `revision`
    zone,       // `zone` was registered, connected, disconnected, changed or was deleted
  };
  Kind kind = Kind::committed;
  std::string zone;
  Revision revision;
};
using Listener = std::function<void(const HubEvent&)>;
using ListenerId = std::uint64_t;

/// Which zones reached a revision when a wait ended.
struct WaitResult {
  bool reached = false;                  // all of them; false = the deadline passed first
  std::vector<std::string> reached_zones;
  std::vector<std::string> missing_zones;
};
using WaitDone = std::function<void(WaitResult)>;

/// One change of a zone's settings; exactly one member is set.
struct ZoneChange {
  std::optional<bool> enabled;
  std::optional<bool> paused;
  std::optional<ZoneScope> scope;
};

class HubApi {
 public:
  virtual ~HubApi() = default;

  // -- reads -------------------------------------------------------------------------------------
  [[nodiscard]] virtual const ChangeLog& log() const = 0;
  [[nodiscard]] virtual const LogSource& source() const = 0;
  [[nodiscard]] virtual std::shared_ptr<const TypeRegistry> registry() const = 0;
  [[nodiscard]] virtual HubInfo info() const = 0;
  [[nodiscard]] virtual HubCounters counters() const = 0;
  /// Sorted by name.
  [[nodiscard]] virtual std::vector<ZoneStatus> zones() const = 0;
  [[nodiscard]] virtual std::optional<ZoneStatus> zone(const std::string& name) const = 0;

  // -- writes ------------------------------------------------------------------------------------
  /// One transaction. Errors: those of `prepare`; precondition_failed, conflict (idempotency key
  /// reused with other content), resource_exhausted (queue full: 429 with Retry-After, or disk
  /// full: message says which), unavailable (stopping), storage_io.
  virtual void submit(WriteRequest request, WriteDone done) = 0;

  // -- zones -------------------------------------------------------------------------------------
  /// Errors: invalid_argument (name), conflict (registered already), resource_exhausted.
  virtual void register_zone(const std::string& name, StatusDone done) = 0;
  /// Removes everything with this origin by logged leaves, then the zone itself. Errors:
  /// not_found, conflict (connected and not `force`).
  virtual void delete_zone(const std::string& name, bool force, StatusDone done) = 0;
  /// Lets the held up cut of a zone through once. Errors: not_found (nothing is held), conflict
  /// (the zone holds the down flow: only the zone can approve that).
  virtual void approve_mass_delete(const std::string& name, StatusDone done) = 0;
  /// Durable, and live for every session. Errors: not_found, conflict (being deleted),
  /// invalid_argument (scope).
  virtual void change_zone(const std::string& name, ZoneChange change, StatusDone done) = 0;
  /// The zone asks for everything again. Errors: not_found, conflict (not connected).
  virtual void resync_zone(const std::string& name, StatusDone done) = 0;
  /// Ends the zone's session with the word to come back after `retry_after`. Errors as resync_zone.
  virtual void drain_zone(const std::string& name, std::chrono::milliseconds retry_after,
                          StatusDone done) = 0;
  /// Registers a resource type. Errors: conflict, invalid_argument.
  virtual void add_type(TypeInfo type, StatusDone done) = 0;
  /// What the zone may see now; nothing = it never connected.
  [[nodiscard]] virtual std::optional<View> view_of(const std::string& zone) const = 0;
  /// Forces a mode durably (nothing = as configured); a connected zone is told to come back in it.
  /// With `ttl` > 0 nothing is kept: the connected zone uses v1 for so long. Errors: not_found,
  /// unavailable (`ttl`, and the zone is not connected).
  virtual void set_zone_mode(const std::string& name, std::optional<SyncMode> mode,
                             std::chrono::milliseconds ttl, StatusDone done) = 0;
  /// Answers when every zone of `zones` (empty = all connected now) acked `revision`, or after
  /// `timeout`. A zone that disconnects stays awaited.
  virtual void wait_revision(std::vector<std::string> zones, Revision revision,
                             std::chrono::milliseconds timeout, WaitDone done) = 0;

  // -- store -------------------------------------------------------------------------------------
  /// A consistent copy of the log in the hub's backup folder, under `name` (empty = by revision).
  /// Writes wait for it, zones do not. Errors: invalid_argument (name), conflict (it exists),
  /// resource_exhausted (too many of them, or disk full), unsupported, storage_io.
  virtual void checkpoint(const std::string& name, CheckpointDone done) = 0;
  /// The operator's word that the log misses nothing (protocol.md §4.9). Errors: storage_io.
  virtual void declare_complete(StatusDone done) = 0;

  // -- jobs --------------------------------------------------------------------------------------
  /// Newest first, ended ones too.
  [[nodiscard]] virtual std::vector<JobStatus> jobs() const = 0;
  /// Removes everything of origin global in a mesh, then the Mesh, as a durable job; answers once
  /// it is logged. Errors: conflict (this mesh is being deleted), resource_exhausted.
  virtual void start_mesh_deletion(JobRequest request, JobDone done) = 0;
  /// Errors: not_found, conflict (it has ended).
  virtual void cancel_job(const std::string& id, JobDone done) = 0;

  // -- events ------------------------------------------------------------------------------------
  [[nodiscard]] virtual ListenerId listen(Listener listener) = 0;
  /// After it returned, the listener is not running and will not be called again.
  virtual void unlisten(ListenerId id) = 0;
};

}  // namespace zonesync::hub

// The C++ client of a zone: receives what the hub sends, publishes what the zone owns.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client-sdk/include/zonesync/config.hpp"
#include "client-sdk/include/zonesync/cut.hpp"
#include "client-sdk/include/zonesync/snapshot.hpp"
#include "client-sdk/include/zonesync/status.hpp"
#include "protocol/model/resource.hpp"

namespace zonesync::client {

/// One own change; `resource` absent = leave of `key`.
struct PublishOp {
  ResourceKey key;
  std::optional<Resource> resource;
};

struct PublishResult {
  Revision revision;            // of the outbox; unchanged = its head
  std::size_t published = 0;    // entries written
  std::size_t unchanged = 0;    // equal content: nothing written
};

/// nothing = accepted. Pure; runs on the client's io thread before a version is stored, so it must
/// be quick and must not call the client.
using Validator = std::function<std::optional<Reject>(const Resource&)>;
using ChangeCallback = std::function<void(const CutChange&)>;
using StatusCallback = std::function<void(const ClientStatus&)>;
using Deadline = std::chrono::steady_clock::time_point;

/// Life cycle: create → set_validator / subscribe / on_cut / on_status → start → stop → destroy.
/// The destructor calls stop(); it must not run on one of the client's own threads.
/// A client never gives up: it reconnects for ever, except after being superseded or a failed
/// store.
///
/// Threads: one for io, one for callbacks. Every member may be called from any thread, callbacks
/// included (stop() too; it then does not wait for the calling thread), except from validators.
class Client {
 public:
  /// Opens the store. Errors: invalid_argument (config), unavailable (another process uses the
  /// store directory), storage_io, storage_corrupt, unsupported (the store's format).
  [[nodiscard]] static Result<std::unique_ptr<Client>> create(Config config);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // -- before start -------------------------------------------------------------------------------
  void set_validator(std::string type, Validator validator);
  /// At most one: the application's apply step. Without it every cut counts as done.
  void on_cut(CutCallback callback);
  /// Called for each change of the types (empty = all), in cut order, after on_cut said done.
  void subscribe(std::vector<std::string> types, ChangeCallback callback);
  /// Called on the callback thread after something changed; changes in quick order are merged.
  void on_status(StatusCallback callback);

  Status start();
  /// Ends the session with a Goodbye and joins the threads. Idempotent.
  void stop();

  // -- reading ------------------------------------------------------------------------------------
  [[nodiscard]] Snapshot snapshot() const;
  [[nodiscard]] ClientStatus status() const;
  /// Until `revision` is durably applied. Errors: timeout, canceled (stopped).
  Status wait_revision(Revision revision, Deadline deadline);
  /// Everything published before is committed at the hub, and everything the hub had then is
  /// applied here. Returns that revision. Errors: timeout, canceled, resource_exhausted (too many
  /// at once).
  Result<Revision> sync_barrier(Deadline deadline);

  // -- publishing: returns when durable in the outbox (memory without a store directory) ----------
  /// key.origin must be our zone or empty. Errors: as may_write; storage_io, resource_exhausted.
  Result<PublishResult> publish(Resource resource);
  /// All or nothing, one revision; keys distinct, at most limits::kTransactionMaxChanges.
  Result<PublishResult> publish_batch(std::vector<PublishOp> ops);
  Result<PublishResult> remove(ResourceKey key);
  /// The outbox now holds everything this zone has: the hub may drop what it knows besides.
  Status publish_complete();
  /// Keys that the outbox holds as present.
  [[nodiscard]] Result<std::vector<Resource>> published() const;
  /// Verdicts of the hub against what we published.
  [[nodiscard]] std::vector<Verdict> publish_rejects() const;
  /// The type table that publications are checked against: the hub's, once it told us. Never null.
  [[nodiscard]] std::shared_ptr<const TypeRegistry> registry() const;

  // -- operating ----------------------------------------------------------------------------------
  /// Lets a held mass delete through, once.
  void approve_mass_delete();
  /// Connects now instead of at the end of the backoff (the token file was replaced ...).
  void reconnect();

  struct Impl;

 private:
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace zonesync::client

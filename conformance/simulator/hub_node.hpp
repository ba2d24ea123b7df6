// The hub: a disk that outlives its processes, and the process that runs now.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "conformance/simulator/hub_session.hpp"
#include "conformance/simulator/sim_log.hpp"

namespace zonesync::sim {

/// Life cycle: one per run; start, crash and start again. Thread rule: one thread.
class HubNode {
 public:
  explicit HubNode(Environment& env);
  ~HubNode();

  void start();
  /// Everything in memory is gone; connections of it must be told by the caller (process_died).
  /// `keep`: the disk happened to have what was being synced.
  void crash(bool keep);
  /// While down: the disk goes back to `revision`.
  void rewind_to(Revision revision);
  /// While down: an empty disk with a new identity.
  void reinstall();
  [[nodiscard]] bool up() const { return process_ != nullptr; }

  /// A websocket was accepted for the zone that the credential proves.
  void accept(const std::shared_ptr<Connection>& connection, const std::string& identity,
              SyncMode mode);
  /// An operator decided something that a zone's next session learns.
  void close_session_of(const std::string& zone);
  void write(hub::WriteRequest request);
  void fail_next(Error error) { log_->fail_next(std::move(error)); }
  /// `tombstones`: leaves go too.
  void trim(Revision floor, bool tombstones);
  /// The operator's word that this log has everything.
  void declare_complete();
  /// An operator's word about a zone; nothing when it never connected.
  void set_scope(const std::string& zone, hub::ZoneScope scope);
  void set_enabled(const std::string& zone, bool enabled);
  void set_paused(const std::string& zone, bool paused);
  /// Lets every held mass delete of a zone through.
  void approve_mass_deletes();
  /// Called when the store failed for good: the process must die.
  void on_fatal(std::function<void()> callback) { on_fatal_ = std::move(callback); }

  [[nodiscard]] SimLog& log() { return *log_; }
  [[nodiscard]] UpWatch& watch() { return *watch_; }
  [[nodiscard]] bool idle() const;
  [[nodiscard]] std::uint64_t unanswered() const { return unanswered_; }
  [[nodiscard]] std::optional<hub::ZoneStatus> status(const std::string& zone) const;
  [[nodiscard]] std::uint64_t acked_writes() const { return acked_writes_; }
  [[nodiscard]] std::string describe() const;

 private:
  struct Process;
  void make_disk();
  void answered(const Result<hub::WriteResult>& result);
  void operate(std::function<void(hub::ZoneRegistry&, hub::StatusDone)> work);
  void durable(const Transaction& transaction);

  Environment& env_;
  std::uint64_t disks_ = 0;
  std::uint64_t next_session_ = 1;
  std::uint64_t processes_ = 0;
  std::uint64_t acked_writes_ = 0;
  std::uint64_t unanswered_ = 0;      // writes of this process
  std::unique_ptr<SimLog> log_;
  std::map<std::string, std::map<Generation, InstanceId>> owners_;  // as this disk remembers
  std::unique_ptr<UpWatch> watch_;
  std::unique_ptr<Process> process_;
  std::function<void()> on_fatal_;
};

}  // namespace zonesync::sim

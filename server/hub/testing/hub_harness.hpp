// A whole hub without IO for tests: memory log, source, core, registry, and short ways to write.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/hub/hub_core.hpp"
#include "server/hub/zone_registry.hpp"
#include "storage/memory/memory_change_log.hpp"

namespace zonesync::hub::testing {

/// MeshTimeout `name` in mesh default, origin global.
[[nodiscard]] Resource policy(const std::string& name, const std::string& text = "1s");
/// Dataplane `name` in mesh default of a zone.
[[nodiscard]] Resource dataplane(const std::string& zone, const std::string& name,
                                 const std::string& text = "10.0.0.1");
[[nodiscard]] WriteOp put(Resource resource);
[[nodiscard]] WriteOp remove(ResourceKey key);
[[nodiscard]] InstanceId instance(std::uint8_t number);

/// One hub process; `restart` keeps only the log.
class HubHarness {
 public:
  /// `types` null = the default ones.
  explicit HubHarness(MemoryChangeLogOptions log_options = {},
                      HubCore::Options core_options = {},
                      std::shared_ptr<const TypeRegistry> types = nullptr);
  /// A new core and registry over the same log, which gets a new era.
  void restart();

  /// Prepares and submits; the answer lands in the returned box, at the latest after a pump.
  using Answer = std::shared_ptr<std::optional<Result<WriteResult>>>;
  Answer submit(WriteRequest request);
  /// submit + pump; the write must be answered.
  Result<WriteResult> write(std::vector<WriteOp> ops);

  /// Admission with defaults; `hello` may be adjusted by the caller.
  [[nodiscard]] wire::Hello hello(const std::string& zone, InstanceId id) const;
  tl::expected<Admitted, Refused> admit(const wire::Hello& hello, const std::string& identity = {});
  /// The end of a session, as its thread reports it.
  void close(const std::string& zone, SessionId session,
             DisconnectReason reason = {1006, "sync.zone.disconnected", "lost", 1});
  [[nodiscard]] SessionId last_session() const { return SessionId{next_session_ - 1}; }
  [[nodiscard]] View up_view(const std::string& zone) const;
  [[nodiscard]] std::vector<std::string> names(const std::string& origin) const;
  /// Changes of resources in all segments so far: each must be there once.
  [[nodiscard]] std::size_t logged_changes() const;
  /// Live system entries of a type.
  [[nodiscard]] std::vector<Change> live_system(std::string_view type) const;
  [[nodiscard]] ZoneStatus status(const std::string& zone) const;

  std::shared_ptr<const TypeRegistry> registry;
  HubCore::Options options;
  MemoryChangeLog log;
  std::unique_ptr<LogSource> source;
  std::unique_ptr<ZoneTable> table;
  std::unique_ptr<HubCore> core;
  std::unique_ptr<ZoneRegistry> zones;

  TimePoint now{};
  std::int64_t now_ms = 1'000'000;
  bool auto_register = true;
  std::vector<Segment> segments;
  std::function<void()> on_committed;
  std::vector<Error> fatals;
  std::vector<std::pair<SessionId, std::uint16_t>> closed;
  std::vector<std::string> duplicates;

 private:
  void build();
  std::uint64_t next_session_ = 1;
};

}  // namespace zonesync::hub::testing

// The processes of a demo: one hub, its zones, a cuttable link to each, one directory for all.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "protocol/http/client.hpp"
#include "protocol/model/resource.hpp"
#include "protocol/model/result.hpp"
#include "protocol/runtime/child_process.hpp"
#include "protocol/transport/testing/fault_proxy.hpp"
#include "server/demo/options.hpp"

namespace zonesync::demo {

/// One zone of the demo as the table shows it. Bytes are counted on the link, TLS included.
struct ZoneRow {
  std::string name;
  std::string mode;
  bool connected = false;
  std::uint64_t revision = 0;
  std::uint64_t lag = 0;
  std::uint64_t rejects = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t bytes_rx = 0;
  std::uint64_t v1_bytes_est = 0;  // what full lists would have cost
  std::string link;                // "ok", "cut", "slow"
};

struct Overview {
  std::uint64_t head = 0;
  std::vector<ZoneRow> zones;
};

/// Life cycle: start() → calls → destructor, which ends every process and removes the directory.
/// Thread rule: start() and the destructor on one thread that lives as long; set_link() from any.
class World {
 public:
  [[nodiscard]] static Result<std::unique_ptr<World>> start(const DemoOptions& options);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// One transaction at the hub. Errors: what the hub answered.
  Status apply(const std::vector<Resource>& resources);
  Status remove(const ResourceKey& key);
  /// Puts a document into the zone's publish directory, atomically.
  Status publish(const std::string& zone, const Resource& resource);

  [[nodiscard]] Result<Overview> overview();
  /// Whether every zone acked the present head, waiting at most `timeout`.
  [[nodiscard]] bool wait_all(std::chrono::seconds timeout);
  /// First process that ended although nobody asked it to, with its log file; empty = none.
  [[nodiscard]] std::string dead_process();

  /// `link`: "ok", "cut" or "slow". Errors: not_found (no such zone).
  Status set_link(const std::string& zone, const std::string& link);
  /// Writes a policy that this zone refuses, or its fix.
  Status set_poison(const std::string& name, bool poisoned);

  [[nodiscard]] std::string ready_json() const;
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  [[nodiscard]] const std::string& sync_url() const { return sync_url_; }
  [[nodiscard]] const std::string& api_url() const { return api_url_; }
  [[nodiscard]] const std::string& metrics_url() const { return metrics_url_; }
  [[nodiscard]] const std::string& program_dir() const { return program_dir_; }
  [[nodiscard]] std::string ca_file() const { return ca_file_; }
  [[nodiscard]] std::string admin_token_file() const { return admin_token_file_; }

 private:
  struct Zone {
    std::string name;
    std::string token_file;
    std::filesystem::path mirror;
    std::filesystem::path publish;
    std::unique_ptr<FaultProxy> proxy;
    std::unique_ptr<ChildProcess> agent;
    std::string link = "ok";
    bool poisoned = false;  // control thread
  };
  World() = default;
  Status start_hub(const DemoOptions& options);
  Status start_zone(const DemoOptions& options, const std::string& name);
  Result<HttpResponse> call(const std::string& method, const std::string& target,
                            const std::string& body = {});

  std::filesystem::path directory_;
  std::string program_dir_;
  std::string ca_file_;
  std::string admin_token_file_;
  std::string zone_keys_dir_;
  std::string audience_;
  std::string sync_url_;
  std::string api_url_;
  std::string metrics_url_;
  std::uint16_t sync_port_ = 0;
  std::unique_ptr<ChildProcess> hub_;
  std::unique_ptr<BlockingHttpClient> api_;
  std::vector<std::unique_ptr<Zone>> zones_;  // fixed after start(); `link` guarded by mutex_
  std::mutex mutex_;
};

}  // namespace zonesync::demo

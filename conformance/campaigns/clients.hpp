// Clients of the public SDK inside the campaign's process: many of them, and exact times.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "client-sdk/include/zonesync/client.hpp"
#include "conformance/campaigns/nodes.hpp"

namespace zonesync::campaigns {

using SteadyTime = std::chrono::steady_clock::time_point;

/// One zone. Life cycle: start, stop, start again over the same store. Thread rule: one owner.
class ClientNode {
 public:
  /// `port` = where it connects: the hub's or a proxy's. `store` empty = memory only.
  ClientNode(HubNode& hub, std::string zone, std::uint16_t port, std::string store = {});
  ~ClientNode() { stop(); }
  ClientNode(const ClientNode&) = delete;
  ClientNode& operator=(const ClientNode&) = delete;

  Status start();
  void stop();
  [[nodiscard]] const std::string& zone() const { return config_.zone; }
  [[nodiscard]] client::ClientStatus status() const { return client_->status(); }
  [[nodiscard]] std::uint64_t revision() const;
  /// When the application was given that revision of a resource; nothing = not yet.
  [[nodiscard]] std::optional<SteadyTime> applied_at(std::uint64_t revision) const;
  /// "origin/name" -> the `value` of the spec, of every MeshTimeout.
  [[nodiscard]] std::map<std::string, std::string> values() const;

  /// For the next start.
  void set_backoff(std::chrono::milliseconds base, std::chrono::milliseconds max);

 private:
  client::Config config_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, SteadyTime> applied_;
  std::unique_ptr<client::Client> client_;   // last: its threads use the members above
};

/// The same of the hub's API, without what `zone` owns; nothing when it cannot be read.
[[nodiscard]] std::optional<std::map<std::string, std::string>> values_at(HubNode& hub,
                                                                         const std::string& zone);

}  // namespace zonesync::campaigns

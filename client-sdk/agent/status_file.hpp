// The agent's state as one JSON file.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "client-sdk/agent/mirror_worker.hpp"
#include "client-sdk/agent/publisher.hpp"
#include "client-sdk/include/zonesync/status.hpp"

namespace zonesync::agent {

struct AgentStatus {
  std::string zone;
  client::ClientStatus client;
  std::optional<PublisherStatus> publish;
  std::optional<MirrorStatus> mirror;
};

/// Canonical JSON and a newline; every number is an integer.
[[nodiscard]] std::string render_status(const AgentStatus& status);

/// The same for people: one line per fact. Errors: invalid_argument (not a status file).
[[nodiscard]] Result<std::string> describe_status(std::string_view status_json);

}  // namespace zonesync::agent

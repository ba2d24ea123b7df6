// The agent as a whole: client, mirror, publish directory, status file, signals.
#pragma once

#include "client-sdk/agent/agent_config.hpp"

namespace zonesync::agent {

/// Exit codes (docs/exit-codes.md; sysexits.h where one fits).
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitSuperseded = 3;
inline constexpr int kExitStorage = 74;
inline constexpr int kExitConfig = 78;

/// Runs until SIGTERM or SIGINT, or until the client ended for good; SIGHUP connects now. Returns
/// the exit code; what went wrong is on stderr as one `error:` line.
[[nodiscard]] int run_agent(const AgentConfig& config);

/// `error: ...` on stderr and, when there is one, `hint: ...`.
void print_error(const Error& error);
void print_hint(const std::string& hint);

}  // namespace zonesync::agent

// What is known of a mass operation.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "protocol/model/result.hpp"

namespace zonesync::hub {

enum class JobState : std::uint8_t { running, done, canceled };
[[nodiscard]] std::string_view to_string(JobState state);

/// A mass operation. All of it is logged, so that a restart goes on with it.
struct JobStatus {
  std::string id;                // decimal: the revision at which it began
  std::string kind;              // "delete_mesh"
  std::string mesh;
  std::string actor;             // who asked for it
  JobState state = JobState::running;
  std::uint64_t total = 0;       // resources when it began
  std::uint64_t done = 0;        // removed so far
  std::uint64_t kept = 0;        // of zones, when it began: theirs to remove
  std::int64_t started_ms = 0;
  std::int64_t ended_ms = 0;     // 0 = not yet
  friend bool operator==(const JobStatus&, const JobStatus&) = default;
};
using JobDone = std::function<void(Result<JobStatus>)>;

/// What is asked for; `total` and `kept` are for showing only.
struct JobRequest {
  std::string mesh;
  std::string actor;
  std::uint64_t total = 0;
  std::uint64_t kept = 0;
};

}  // namespace zonesync::hub

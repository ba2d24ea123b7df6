// Mass operations as durable jobs: bounded transactions, dependants first, each with the progress
// in it, so that a restart goes on where the last durable one ended.
//
//   start ──► record logged ──► step (<= 1,000 changes, record included) ──► step ... ──► done
//                                 └─ cancel: no further step; what is gone stays gone
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "server/hub/hub_core.hpp"
#include "server/hub/job_status.hpp"

namespace zonesync::hub {

inline constexpr std::string_view kJobType = "$job";  // name = id

[[nodiscard]] Change encode(const JobStatus& job);
/// Errors: storage_corrupt.
[[nodiscard]] Result<JobStatus> decode_job(const Change& change);

/// Life cycle: construct after the core, load, then use. Thread rule: the writer thread, but
/// snapshot from any. Call core.pump() after each function.
class MassJobs {
 public:
  struct Options {
    std::size_t batch = 1'000;         // changes per step, the record included
    std::size_t running_max = 16;
    std::size_t finished_max = 50;     // that ended and are remembered
    std::function<std::int64_t()> now_ms;  // wall clock
  };

  /// `core` and `log` outlive the jobs.
  MassJobs(Options options, HubCore& core, const ChangeLog& log);
  ~MassJobs();
  MassJobs(const MassJobs&) = delete;
  MassJobs& operator=(const MassJobs&) = delete;

  /// Reads the jobs from the log; again after a rollback. Errors: storage_io, storage_corrupt.
  Status load();
  /// Goes on with what runs and has no step under way: after a start, after a full disk.
  void resume();

  /// Removes everything of origin global in a mesh, then the Mesh. Answers once it is logged.
  /// Errors: conflict (a deletion of this mesh runs, or nothing of what the request counted is
  /// left), resource_exhausted (too many jobs).
  void start_mesh_deletion(JobRequest request, JobDone done);
  /// Errors: not_found, conflict (it has ended).
  void cancel(const std::string& id, JobDone done);

  /// Newest first. Thread rule: any thread.
  [[nodiscard]] std::vector<JobStatus> snapshot() const;

 private:
  class StartJob;
  class StepJob;
  class CancelJob;
  [[nodiscard]] Result<std::vector<Change>> next_removals(const Group& group,
                                                          const std::string& mesh) const;
  [[nodiscard]] Result<bool> is_gone(const Group& group, const std::string& mesh) const;
  [[nodiscard]] std::vector<Change> forget_oldest();
  [[nodiscard]] std::int64_t now_ms() const { return options_.now_ms ? options_.now_ms() : 0; }
  void publish();

  Options options_;
  HubCore& core_;
  const ChangeLog& log_;
  std::map<std::uint64_t, JobStatus> jobs_;  // by id, so oldest first
  std::set<std::string> stepping_;           // ids with a step in the queue

  mutable std::mutex mutex_;                 // guards what follows
  std::vector<JobStatus> published_;
};

}  // namespace zonesync::hub

#include "server/hub/mass_jobs.hpp"

#include <algorithm>
#include <exception>

#include <boost/json.hpp>

#include "protocol/wire/codec.hpp"
#include "server/hub/system_entries.hpp"

namespace zonesync::hub {
namespace {

namespace json = boost::json;

constexpr std::string_view kMeshType = "Mesh";
constexpr std::string_view kDeleteMesh = "delete_mesh";
constexpr const char* kSource = "jobs";  // its turn in the commit queue

std::uint64_t number_of(const std::string& id) { return std::strtoull(id.c_str(), nullptr, 10); }

ResourceKey mesh_key(const std::string& mesh) {
  return {std::string(kMeshType), "", std::string(kGlobalOrigin), mesh};
}

}  // namespace

std::string_view to_string(JobState state) {
  switch (state) {
    case JobState::running: return "running";
    case JobState::done: return "done";
    case JobState::canceled: return "canceled";
  }
  return "unknown";
}

Change encode(const JobStatus& job) {
  Resource resource;
  resource.key = system_key(kJobType, job.id);
  resource.spec = json::serialize(json::object{{"kind", job.kind},
                                               {"mesh", job.mesh},
                                               {"actor", job.actor},
                                               {"state", to_string(job.state)},
                                               {"total", job.total},
                                               {"done", job.done},
                                               {"kept", job.kept},
                                               {"started_ms", job.started_ms},
                                               {"ended_ms", job.ended_ms}});
  const Class cls{resource.key.type, "", std::string(kGlobalOrigin), ""};
  return wire::make_upsert(cls, resource);
}

Result<JobStatus> decode_job(const Change& change) {
  auto resource = wire::resource_of(change.payload);
  if (!resource) return fail(std::move(resource.error()));
  try {
    const json::value body = json::parse(resource->spec);
    JobStatus job;
    job.id = resource->key.name;
    job.kind = json::value_to<std::string>(body.at("kind"));
    job.mesh = json::value_to<std::string>(body.at("mesh"));
    job.actor = json::value_to<std::string>(body.at("actor"));
    const std::string state = json::value_to<std::string>(body.at("state"));
    job.state = state == "running" ? JobState::running
                : state == "done"  ? JobState::done
                                   : JobState::canceled;
    job.total = body.at("total").to_number<std::uint64_t>();
    job.done = body.at("done").to_number<std::uint64_t>();
    job.kept = body.at("kept").to_number<std::uint64_t>();
    job.started_ms = body.at("started_ms").to_number<std::int64_t>();
    job.ended_ms = body.at("ended_ms").to_number<std::int64_t>();
    return job;
  } catch (const std::exception& error) {
    return fail(ErrorCode::storage_corrupt,
                std::string("a job's entry is not readable: ") + error.what() +
                    "; the log was written by a newer version or is damaged",
                to_string(change.key));
  }
}

// -- steps ----------------------------------------------------------------------------------------

class MassJobs::StartJob final : public Job {
 public:
  StartJob(MassJobs& jobs, JobRequest request, JobDone done)
      : jobs_(jobs), request_(std::move(request)), done_(std::move(done)) {}

  void plan(Group& group) override {
    std::size_t running = 0;
    for (const auto& [number, job] : jobs_.jobs_) {
      if (job.state != JobState::running) continue;
      ++running;
      if (job.mesh == request_.mesh) {
        result_ = fail(ErrorCode::conflict,
                       "mesh '" + job.mesh + "' is being deleted already by job " + job.id);
        return;
      }
    }
    if (running >= jobs_.options_.running_max) {
      result_ = fail(ErrorCode::resource_exhausted,
                     "at most " + std::to_string(jobs_.options_.running_max) +
                         " jobs may run; wait for one or cancel it");
      return;
    }
    const auto gone = jobs_.is_gone(group, request_.mesh);
    if (!gone) {
      result_ = fail(gone.error());
      return;
    }
    if (*gone && request_.total > 0) {
      result_ = fail(ErrorCode::conflict,
                     "mesh '" + request_.mesh + "' was deleted meanwhile; nothing of it is left");
      return;
    }
    JobStatus job;
    const std::uint64_t number = group.head().next().value;
    job.id = std::to_string(number);
    job.kind = kDeleteMesh;
    job.mesh = request_.mesh;
    job.actor = request_.actor;
    job.total = request_.total;
    job.kept = request_.kept;
    job.started_ms = jobs_.now_ms();
    std::vector<Change> changes = jobs_.forget_oldest();
    changes.push_back(encode(job));
    group.add(std::move(changes));
    jobs_.jobs_[number] = job;
    result_ = std::move(job);
  }

  void finish(const Status& durable) override {
    jobs_.publish();
    if (!durable) return done_(fail(durable.error()));
    done_(std::move(result_));
    jobs_.resume();
  }

 private:
  MassJobs& jobs_;
  JobRequest request_;
  JobDone done_;
  Result<JobStatus> result_ = fail(ErrorCode::internal, "not planned");
};

/// One bounded transaction of a job; its end asks for the next.
class MassJobs::StepJob final : public Job {
 public:
  StepJob(MassJobs& jobs, std::string id) : jobs_(jobs), id_(std::move(id)) {}

  void plan(Group& group) override {
    const auto found = jobs_.jobs_.find(number_of(id_));
    if (found == jobs_.jobs_.end() || found->second.state != JobState::running) return;
    JobStatus& job = found->second;
    auto changes = jobs_.next_removals(group, job.mesh);
    if (!changes) return;  // the log cannot be read: whoever writes next finds out
    if (changes->empty()) {
      auto mesh = group.live(mesh_key(job.mesh));
      if (!mesh) return;
      if (*mesh) changes->push_back(wire::make_leave((*mesh)->cls, (*mesh)->key));
      job.state = JobState::done;
      job.ended_ms = jobs_.now_ms();
    }
    job.done += changes->size();
    changes->push_back(encode(job));
    group.add(std::move(*changes));
    planned_ = true;
  }

  void finish(const Status& durable) override {
    jobs_.stepping_.erase(id_);
    jobs_.publish();
    if (durable && planned_) jobs_.resume();  // else the owner's next call of resume
  }

 private:
  MassJobs& jobs_;
  std::string id_;
  bool planned_ = false;
};

class MassJobs::CancelJob final : public Job {
 public:
  CancelJob(MassJobs& jobs, std::string id, JobDone done)
      : jobs_(jobs), id_(std::move(id)), done_(std::move(done)) {}

  void plan(Group& group) override {
    const auto found = jobs_.jobs_.find(number_of(id_));
    if (found == jobs_.jobs_.end() || found->second.id != id_) {
      result_ = fail(ErrorCode::not_found, "there is no job '" + id_ + "'");
      return;
    }
    JobStatus& job = found->second;
    if (job.state != JobState::running) {
      result_ = fail(ErrorCode::conflict,
                     "job " + id_ + " has ended: " + std::string(to_string(job.state)));
      return;
    }
    job.state = JobState::canceled;
    job.ended_ms = jobs_.now_ms();
    group.add({encode(job)});
    result_ = job;
  }

  void finish(const Status& durable) override {
    jobs_.publish();
    done_(durable ? std::move(result_) : Result<JobStatus>(fail(durable.error())));
  }

 private:
  MassJobs& jobs_;
  std::string id_;
  JobDone done_;
  Result<JobStatus> result_ = fail(ErrorCode::internal, "not planned");
};

// -- jobs -----------------------------------------------------------------------------------------

MassJobs::MassJobs(Options options, HubCore& core, const ChangeLog& log)
    : options_(std::move(options)), core_(core), log_(log) {}

MassJobs::~MassJobs() = default;

Status MassJobs::load() {
  std::map<std::uint64_t, JobStatus> loaded;
  ListFilter filter;
  filter.type = std::string(kJobType);
  std::optional<ResourceKey> after;
  do {
    auto page = log_.list(filter, after, 1'000);
    if (!page) return fail(std::move(page.error()));
    for (const LogEntry& entry : page->entries) {
      auto job = decode_job(entry.change);
      if (!job) return fail(std::move(job.error()));
      const std::uint64_t number = number_of(job->id);
      loaded[number] = std::move(*job);
    }
    after = page->next;
  } while (after);
  jobs_ = std::move(loaded);
  publish();
  return {};
}

void MassJobs::resume() {
  for (const auto& [number, job] : jobs_) {
    if (job.state != JobState::running || !stepping_.insert(job.id).second) continue;
    core_.submit_job(kSource, std::make_unique<StepJob>(*this, job.id));
  }
}

void MassJobs::start_mesh_deletion(JobRequest request, JobDone done) {
  core_.submit_job(kSource,
                   std::make_unique<StartJob>(*this, std::move(request), std::move(done)));
}

void MassJobs::cancel(const std::string& id, JobDone done) {
  core_.submit_job(kSource, std::make_unique<CancelJob>(*this, id, std::move(done)));
}

/// Leaves of the next resources, those that others depend on last; none = only the Mesh is left.
Result<std::vector<Change>> MassJobs::next_removals(const Group& group,
                                                    const std::string& mesh) const {
  std::vector<const TypeInfo*> types;
  for (const TypeInfo* info : core_.registry().all()) {
    if (info->scope == TypeScope::mesh) types.push_back(info);
  }
  std::stable_sort(types.begin(), types.end(),
                   [](const TypeInfo* a, const TypeInfo* b) { return a->rank > b->rank; });
  const std::size_t room = options_.batch - 1;  // the record goes along
  std::vector<Change> changes;
  for (const TypeInfo* info : types) {
    ListFilter filter;
    filter.type = info->name;
    filter.mesh = mesh;
    filter.origin = std::string(kGlobalOrigin);
    std::optional<ResourceKey> after;
    do {
      auto page = log_.list(filter, after, room);
      if (!page) return fail(std::move(page.error()));
      for (const LogEntry& entry : page->entries) {
        auto live = group.live(entry.change.key);  // the group may have removed it just now
        if (!live) return fail(std::move(live.error()));
        if (*live) changes.push_back(wire::make_leave((*live)->cls, (*live)->key));
        if (changes.size() == room) return changes;
      }
      after = page->next;
    } while (after);
  }
  return changes;
}

/// Neither the Mesh nor anything of ours in it.
Result<bool> MassJobs::is_gone(const Group& group, const std::string& mesh) const {
  const auto live = group.live(mesh_key(mesh));
  if (!live) return fail(live.error());
  if (*live) return false;
  const auto left = next_removals(group, mesh);
  if (!left) return fail(left.error());
  return left->empty();
}

/// Leaves of ended jobs beyond what is remembered.
std::vector<Change> MassJobs::forget_oldest() {
  std::size_t ended = 0;
  for (const auto& [number, job] : jobs_) ended += job.state != JobState::running ? 1 : 0;
  std::vector<Change> changes;
  for (auto job = jobs_.begin(); job != jobs_.end() && ended >= options_.finished_max;) {
    if (job->second.state == JobState::running) {
      ++job;
      continue;
    }
    changes.push_back(system_leave(system_key(kJobType, job->second.id)));
    job = jobs_.erase(job);
    --ended;
  }
  return changes;
}

void MassJobs::publish() {
  std::vector<JobStatus> all;
  for (auto job = jobs_.rbegin(); job != jobs_.rend(); ++job) all.push_back(job->second);
  const std::lock_guard lock(mutex_);
  published_ = std::move(all);
}

std::vector<JobStatus> MassJobs::snapshot() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

}  // namespace zonesync::hub

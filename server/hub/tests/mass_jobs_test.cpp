// Deleting a mesh: bounded steps, dependants first, over restarts, full disks and cancels.
#include <gtest/gtest.h>

#include "protocol/wire/codec.hpp"
#include "server/hub/mass_jobs.hpp"
#include "server/hub/system_entries.hpp"
#include "server/hub/testing/hub_harness.hpp"

namespace zonesync::hub::testing {
namespace {

class MassJobsTest : public ::testing::Test {
 protected:
  MassJobsTest() { build(); }

  void build() {
    MassJobs::Options options;
    options.batch = 10;
    options.finished_max = 3;
    options.now_ms = [] { return 77; };
    jobs_ = std::make_unique<MassJobs>(options, *hub_.core, hub_.log);
    ASSERT_TRUE(jobs_->load());
    hub_.core->on_rollback([this] { ASSERT_TRUE(jobs_->load()); });
  }
  Resource in_mesh(const std::string& mesh, const std::string& name) {
    Resource resource = policy(name);
    resource.key.mesh = mesh;
    return resource;
  }
  void write_mesh(const std::string& mesh, int resources) {
    Resource resource;
    resource.key = {"Mesh", "", std::string(kGlobalOrigin), mesh};
    resource.spec = "{}";
    ASSERT_TRUE(hub_.write({put(resource)}));
    for (int i = 0; i < resources; ++i) {
      ASSERT_TRUE(hub_.write({put(in_mesh(mesh, "n" + std::to_string(100 + i)))}));
    }
  }
  Result<JobStatus> start(const std::string& mesh, std::uint64_t counted = 25) {
    Result<JobStatus> answer = fail(ErrorCode::internal, "no answer");
    jobs_->start_mesh_deletion({mesh, "user/ann", counted, 0},
                               [&](Result<JobStatus> job) { answer = std::move(job); });
    hub_.core->pump();
    return answer;
  }
  std::size_t live_in(const std::string& mesh) {
    ListFilter filter;
    filter.type = "MeshTimeout";
    filter.mesh = mesh;
    return hub_.log.list(filter, std::nullopt, 1'000)->entries.size();
  }
  bool has_mesh(const std::string& mesh) {
    const auto latest =
        hub_.log.latest(ResourceKey{"Mesh", "", std::string(kGlobalOrigin), mesh});
    return latest && *latest && (*latest)->kind == ChangeKind::upsert;
  }

  HubHarness hub_;
  std::unique_ptr<MassJobs> jobs_;
};

TEST_F(MassJobsTest, AMeshGoesInBoundedStepsAndLast) {
  write_mesh("m", 25);
  write_mesh("other", 2);
  const Revision before = hub_.log.state().head;
  const auto job = start("m");
  ASSERT_TRUE(job);
  EXPECT_EQ(job->id, std::to_string(before.next().value));
  EXPECT_EQ(live_in("m"), 0u);
  EXPECT_FALSE(has_mesh("m"));
  EXPECT_EQ(live_in("other"), 2u);
  EXPECT_TRUE(has_mesh("other"));
  const auto shown = jobs_->snapshot();
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(shown[0].state, JobState::done);
  EXPECT_EQ(shown[0].done, 26u);
  EXPECT_EQ(shown[0].ended_ms, 77);
  std::size_t last_mesh_change = 0, last_policy = 0, at = 0;
  for (const Segment& segment : hub_.segments) {
    for (const Transaction& transaction : segment.transactions) {
      if (transaction.revision <= before) continue;
      EXPECT_LE(transaction.changes.size(), 10u);
      for (const Change& change : transaction.changes) {
        ++at;
        if (change.key.type == "Mesh") last_mesh_change = at;
        if (change.key.type == "MeshTimeout") last_policy = at;
      }
    }
  }
  EXPECT_GT(last_mesh_change, last_policy);
}

TEST_F(MassJobsTest, WhatZonesOwnStays) {
  write_mesh("default", 3);
  Segment segment;
  const Resource owned = dataplane("east", "d1");
  segment.transactions.push_back(
      {hub_.log.state().head.next(),
       {wire::make_upsert(*class_of(*hub_.registry, owned), owned)}});
  hub_.log.append(segment, [](const Status&) {});
  hub_.source->on_appended(segment);
  ASSERT_TRUE(start("default"));
  EXPECT_EQ(hub_.names("east"), std::vector<std::string>{"d1"});
  EXPECT_EQ(live_in("default"), 0u);
}

TEST_F(MassJobsTest, ARestartGoesOnWhereItEnded) {
  write_mesh("m", 25);
  bool once = true;
  // The process dies after the second transaction of the job: nothing else runs.
  hub_.on_committed = [&] {
    const auto left = live_in("m");
    if (once && left < 20 && left > 0) {
      once = false;
      hub_.log.fail_next(Error{ErrorCode::storage_io, "gone", ""});
    }
  };
  ASSERT_TRUE(start("m"));
  EXPECT_FALSE(once);
  EXPECT_GT(live_in("m"), 0u);
  hub_.on_committed = {};
  jobs_.reset();
  hub_.restart();
  build();
  ASSERT_EQ(jobs_->snapshot().at(0).state, JobState::running);
  jobs_->resume();
  hub_.core->pump();
  EXPECT_EQ(live_in("m"), 0u);
  EXPECT_EQ(jobs_->snapshot().at(0).state, JobState::done);
  EXPECT_EQ(jobs_->snapshot().at(0).done, 26u) << "each resource counted once";
}

TEST_F(MassJobsTest, AFullDiskStopsItUntilResumed) {
  write_mesh("m", 25);
  bool once = true;
  hub_.on_committed = [&] {
    if (!once || live_in("m") == 25) return;
    once = false;
    hub_.log.fail_next(Error{ErrorCode::resource_exhausted, "disk full", ""});
  };
  ASSERT_TRUE(start("m"));
  EXPECT_GT(live_in("m"), 0u);
  EXPECT_TRUE(hub_.fatals.empty());
  EXPECT_EQ(jobs_->snapshot().at(0).state, JobState::running);
  jobs_->resume();
  hub_.core->pump();
  EXPECT_EQ(live_in("m"), 0u);
  EXPECT_EQ(jobs_->snapshot().at(0).done, 26u);
}

TEST_F(MassJobsTest, ACanceledOneRemovesNoMore) {
  write_mesh("m", 25);
  Result<JobStatus> canceled = fail(ErrorCode::internal, "no answer");
  bool once = true;
  hub_.on_committed = [&] {
    if (!once || live_in("m") == 25) return;
    once = false;
    jobs_->cancel(jobs_->snapshot().at(0).id,
                  [&](Result<JobStatus> job) { canceled = std::move(job); });
  };
  ASSERT_TRUE(start("m"));
  ASSERT_TRUE(canceled) << describe(canceled.error());
  EXPECT_EQ(canceled->state, JobState::canceled);
  EXPECT_GT(live_in("m"), 0u);
  EXPECT_TRUE(has_mesh("m"));
  jobs_->resume();
  hub_.core->pump();
  EXPECT_GT(live_in("m"), 0u);
}

TEST_F(MassJobsTest, RefusalsNameTheReason) {
  Result<JobStatus> answer = fail(ErrorCode::internal, "no answer");
  const auto keep = [&](Result<JobStatus> job) { answer = std::move(job); };
  jobs_->cancel("12", keep);
  hub_.core->pump();
  EXPECT_EQ(answer.error().code, ErrorCode::not_found);
  const auto job = start("none", 0);
  jobs_->cancel(job->id, keep);
  hub_.core->pump();
  EXPECT_EQ(answer.error().code, ErrorCode::conflict);
  jobs_->start_mesh_deletion({"m", "a", 0, 0}, [](Result<JobStatus>) {});
  jobs_->start_mesh_deletion({"m", "b", 0, 0}, keep);
  hub_.core->pump();
  EXPECT_EQ(answer.error().code, ErrorCode::conflict) << "the same mesh twice";
}

// It was counted before the first one's last step, and its turn came behind that.
TEST_F(MassJobsTest, ASecondOneThatComesTooLateIsRefused) {
  write_mesh("m", 25);
  ASSERT_TRUE(start("m"));
  const auto second = start("m");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::conflict);
  EXPECT_EQ(jobs_->snapshot().size(), 1u);
}

TEST_F(MassJobsTest, OnlyTheNewestEndedOnesAreRemembered) {
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(start("m" + std::to_string(i), 0));
  const auto shown = jobs_->snapshot();
  ASSERT_EQ(shown.size(), 3u);
  EXPECT_EQ(shown[0].mesh, "m5");
  EXPECT_EQ(hub_.live_system(kJobType).size(), 3u);
}

TEST_F(MassJobsTest, ARecordThatIsNoJobIsRefused) {
  JobStatus job;
  job.id = "5";
  job.kind = "delete_mesh";
  EXPECT_EQ(*decode_job(encode(job)), job);
  Resource wrong;
  wrong.key = system_key(kJobType, "5");
  wrong.spec = R"({"kind":1})";
  const Class cls{wrong.key.type, "", std::string(kGlobalOrigin), ""};
  EXPECT_EQ(decode_job(wire::make_upsert(cls, wrong)).error().code, ErrorCode::storage_corrupt);
}

}  // namespace
}  // namespace zonesync::hub::testing

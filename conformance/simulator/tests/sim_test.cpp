// The simulator as a test: seeds without a violation, runs that repeat, a checker that can fail.
#include <gtest/gtest.h>

#include "conformance/simulator/shrink.hpp"

namespace zonesync::sim {
namespace {

constexpr std::uint64_t kSeeds = ZONESYNC_SIM_SEEDS;  // 2,000 in an optimised build
constexpr std::uint64_t kSeedsToKill = 200;
constexpr std::size_t kShownEvents = 20;

TEST(Simulation, EveryPromiseHoldsInEverySeed) {
  Campaign campaign;
  campaign.seeds = kSeeds;
  campaign.threads = 2;
  const Report report = run_campaign(campaign);
  EXPECT_EQ(report.seeds, kSeeds);
  for (const Outcome& failure : report.failures) {
    const Outcome again = run_plan(make_plan(failure.seed),
                                   {.mode = failure.mode, .keep_trace = true});
    ADD_FAILURE() << to_text(again, kShownEvents);
  }
  // A campaign that meets nothing proves nothing.
  EXPECT_GE(report.deliveries[report.runs / 2], 200u) << "messages of the median seed";
  EXPECT_GE(report.seeds_crashed_unsynced * 2, report.runs) << "crashes with unsynced data";
  EXPECT_GE(report.seeds_trimmed_past * 10, report.runs * 3) << "trims past a cursor";
  EXPECT_GE(report.seeds_switched * 10, report.runs * 3) << "a zone switches its mode";
  EXPECT_GE(report.zones[report.runs / 2], 3u);
  EXPECT_GE(report.fault_counts[report.runs / 2], 5u);
  for (std::size_t at = 0; at < kActs; ++at) {
    EXPECT_GT(report.faults[at], 0u) << to_string(static_cast<Act>(at));
  }
}

TEST(Simulation, TheSameSeedsGiveTheSameTraceOnAnyNumberOfThreads) {
  Campaign campaign;
  campaign.first = 1'000;
  campaign.seeds = 20;
  const Report one = run_campaign(campaign);
  campaign.threads = 3;
  const Report three = run_campaign(campaign);
  EXPECT_EQ(one.hash, three.hash);
  EXPECT_EQ(one.events, three.events);
  campaign.first = 1'001;
  EXPECT_NE(one.hash, run_campaign(campaign).hash);
}

/// As the plans were when they failed: two agents of one zone, welcomed within a mailbox's delay.
TEST(Simulation, SeedsThatOnceFailedHold) {
  for (const std::uint64_t seed : {3629, 3845, 3852, 4166, 4684, 6244, 14770}) {
    for (const SyncMode mode : {SyncMode::delta, SyncMode::v1}) {
      const Outcome outcome = run_plan(make_plan(seed), {.mode = mode});
      EXPECT_FALSE(outcome.violation) << to_text(outcome, kShownEvents);
    }
  }
}

TEST(Simulation, ATraceThatIsKeptChangesNothing) {
  const Plan plan = make_plan(7);
  const Outcome quiet = run_plan(plan);
  const Outcome told = run_plan(plan, {.keep_trace = true});
  EXPECT_EQ(quiet.hash, told.hash);
  EXPECT_TRUE(quiet.trace.empty());
  EXPECT_FALSE(told.trace.empty());
}

TEST(Simulation, AReportIsOneJsonObjectWithWhatWasMet) {
  Campaign campaign;
  campaign.seeds = 3;
  const std::string json = to_json(run_campaign(campaign));
  for (const char* name : {"\"seeds\":3", "\"failures\":0", "\"faults\"", "\"probes\"",
                           "\"missed\"", "\"trace_hash\"", "\"seeds_per_s\"", "\"events\""}) {
    EXPECT_NE(json.find(name), std::string::npos) << name;
  }
}

TEST(Simulation, AFailureShrinksToAFewItemsThatReplay) {
  constexpr std::uint64_t kSeed = 3;  // a publication that is lost with its zone
  const Shrunk shrunk = shrink(kSeed, {.defect = Defect::outbox_fsync_lies});
  ASSERT_TRUE(shrunk.outcome.violation);
  EXPECT_LE(shrunk.kept.size(), 4u) << to_text(shrunk);
  const Outcome again =
      run_plan(plan_of_items(kSeed, shrunk.kept), {.defect = Defect::outbox_fsync_lies});
  EXPECT_EQ(again.violation, shrunk.outcome.violation);
  EXPECT_EQ(again.hash, shrunk.outcome.hash);
}

TEST(Simulation, APlanThatBreaksNothingIsNotShrunk) {
  const Shrunk shrunk = shrink(1, {});
  EXPECT_FALSE(shrunk.outcome.violation);
  EXPECT_EQ(shrunk.kept.size(), make_plan(1).items.size());
}

class Checker : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Checker, FindsTheDefect) {
  Campaign campaign;
  campaign.seeds = kSeedsToKill;
  campaign.threads = 2;
  const auto defect = static_cast<Defect>(GetParam());
  campaign.how.defect = defect;
  campaign.stop_at_failure = true;
  const Report report = run_campaign(campaign);
  ASSERT_FALSE(report.failures.empty()) << to_string(defect) << " survived";
  const std::string text = to_text(report.failures.front(), kShownEvents);
  EXPECT_NE(text.find("zonesync-sim replay"), std::string::npos);
  EXPECT_NE(text.find("hub: "), std::string::npos) << "the state of every node";
}

INSTANTIATE_TEST_SUITE_P(Defects, Checker, ::testing::Range<std::size_t>(1, kDefects),
                         [](const auto& test) {
                           return std::string(kDefectNames[test.param]);
                         });

}  // namespace
}  // namespace zonesync::sim

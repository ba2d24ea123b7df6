// zonesync-sim: deterministic simulation of hub and zones.
//
//   run --seeds N [--first S] [--threads T] [--json] [--defect NAME]   exit 1 when a seed failed
//   replay SEED [--trace] [--shrink | --keep I,J,...] [--defect NAME]
#include <cstdio>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "conformance/simulator/shrink.hpp"

namespace {

using namespace zonesync::sim;

constexpr std::size_t kShownFailures = 3;
constexpr std::size_t kShownEvents = 25;

int run(const Campaign& campaign, bool json) {
  const Report report = run_campaign(campaign);
  if (json) {
    std::puts(to_json(report).c_str());
  } else {
    std::printf("%llu seeds, %zu failures, %.1f seeds/s\n",
                static_cast<unsigned long long>(report.seeds), report.failures.size(),
                static_cast<double>(report.seeds) / report.seconds);
  }
  std::size_t shown = 0;
  for (const Outcome& failure : report.failures) {
    if (shown++ == kShownFailures) break;
    const Outcome again = run_plan(make_plan(failure.seed), campaign.defect, true);
    std::fputs(to_text(again, kShownEvents).c_str(), stderr);
  }
  return report.failures.empty() ? 0 : 1;
}

struct Replay {
  std::uint64_t seed = 0;
  bool trace = false;
  bool shrink = false;
  std::vector<std::size_t> keep;   // empty = all items
};

int replay(const Replay& how, Defect defect) {
  const std::uint64_t seed = how.seed;
  const bool trace = how.trace;
  Outcome outcome;
  if (how.shrink) {
    Shrunk shrunk = shrink(seed, defect);
    std::fputs(to_text(shrunk).c_str(), stderr);
    outcome = std::move(shrunk.outcome);
  } else {
    const Plan plan = how.keep.empty() ? make_plan(seed) : plan_of_items(seed, how.keep);
    outcome = run_plan(plan, defect, true);
  }
  if (trace) {
    for (const std::string& line : outcome.trace) std::puts(line.c_str());
  }
  if (!outcome.violation) {
    std::printf("seed %llu: every promise held, %llu events\n",
                static_cast<unsigned long long>(seed),
                static_cast<unsigned long long>(outcome.events));
    return 0;
  }
  std::fputs(to_text(outcome, trace ? 0 : kShownEvents).c_str(), stderr);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Deterministic simulation of a hub and its zones", "zonesync-sim"};
  app.require_subcommand(1);
  Campaign campaign;
  std::string defect_name = "none";
  bool json = false;
  CLI::App* run_command = app.add_subcommand("run", "Runs seeds and checks every promise");
  run_command->add_option("--seeds", campaign.seeds, "How many seeds")->required();
  run_command->add_option("--first", campaign.first, "The first seed");
  run_command->add_option("--threads", campaign.threads, "Threads; results do not depend on it")
      ->check(CLI::Range(1, 64));
  run_command->add_flag("--json", json, "One JSON object on stdout");
  run_command->add_option("--defect", defect_name, "Puts one hand-made bug in");
  CLI::App* replay_command = app.add_subcommand("replay", "Runs one seed again");
  Replay how;
  replay_command->add_option("seed", how.seed, "The seed")->required();
  replay_command->add_flag("--trace", how.trace, "Prints every event");
  CLI::Option* shrink_flag = replay_command->add_flag(
      "--shrink", how.shrink, "Leaves out what the failure does not need");
  replay_command->add_option("--keep", how.keep, "Only these items of the seed's plan")
      ->delimiter(',')
      ->excludes(shrink_flag);
  replay_command->add_option("--defect", defect_name, "Puts one hand-made bug in");
  CLI11_PARSE(app, argc, argv);
  const auto defect = defect_named(defect_name);
  if (!defect) {
    std::string names;
    for (const auto name : kDefectNames) names += " " + std::string(name);
    std::fprintf(stderr, "no defect is called '%s'; choose one of:%s\n", defect_name.c_str(),
                 names.c_str());
    return 2;
  }
  campaign.defect = *defect;
  return *run_command ? run(campaign, json) : replay(how, *defect);
}

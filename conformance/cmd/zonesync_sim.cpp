// zonesync-sim: deterministic simulation of hub and zones.
//
//   run --seeds N [--mode delta|v1|both] [--first S] [--threads T] [--json] [--defect NAME]
//   replay SEED [--mode delta|v1] [--trace] [--shrink | --keep I,J,...] [--defect NAME]
//   mutants [--max-seeds N] [--json | --markdown]
//
// Exit 1: a seed failed, or a mutant survived.
// The same source is also zonesync-sim-defects, the build with deliberate bugs; `mutants` runs it.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "conformance/simulator/mutants.hpp"
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
    RunOptions traced = campaign.how;
    traced.mode = failure.mode;
    traced.keep_trace = true;
    std::fputs(to_text(run_plan(make_plan(failure.seed), traced), kShownEvents).c_str(), stderr);
  }
  return report.failures.empty() ? 0 : 1;
}

struct Replay {
  std::uint64_t seed = 0;
  bool trace = false;
  bool shrink = false;
  std::vector<std::size_t> keep;   // empty = all items
};

int replay(const Replay& how, RunOptions options) {
  const std::uint64_t seed = how.seed;
  Outcome outcome;
  if (how.shrink) {
    Shrunk shrunk = shrink(seed, options);
    std::fputs(to_text(shrunk).c_str(), stderr);
    outcome = std::move(shrunk.outcome);
  } else {
    const Plan plan = how.keep.empty() ? make_plan(seed) : plan_of_items(seed, how.keep);
    options.keep_trace = true;
    outcome = run_plan(plan, options);
  }
  if (how.trace) {
    for (const std::string& line : outcome.trace) std::puts(line.c_str());
  }
  if (!outcome.violation) {
    std::printf("seed %llu: every promise held, %llu events\n",
                static_cast<unsigned long long>(seed),
                static_cast<unsigned long long>(outcome.events));
    return 0;
  }
  std::fputs(to_text(outcome, how.trace ? 0 : kShownEvents).c_str(), stderr);
  return 1;
}

/// This build has no mutants: the one beside it takes over.
int run_other_build(char** argv) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::string other = (self.parent_path() / "zonesync-sim-defects").string();
  ::execv(other.c_str(), argv);
  std::fprintf(stderr, "cannot run %s; build the target zonesync-sim-defects\n", other.c_str());
  return 2;
}

int hunt(const MutantCampaign& campaign, bool markdown) {
  const std::vector<Kill> kills = run_mutants(campaign);
  std::puts(markdown ? to_markdown(kills).c_str() : to_json(kills).c_str());
  bool survived = false;
  for (const Kill& kill : kills) survived = survived || kill.invariant.empty();
  return survived ? 1 : 0;
}

/// `text`: the name of a bug in the seams, or the number of one in the product's code.
bool choose_defect(const std::string& text, RunOptions& how) {
  if (const auto defect = defect_named(text)) {
    how.defect = *defect;
    return true;
  }
  for (const Mutant& mutant : mutants()) {
    if (kHasMutants && std::to_string(mutant.id) == text) {
      how.mutant = mutant.id;
      return true;
    }
  }
  std::string names;
  for (const auto name : kDefectNames) names += " " + std::string(name);
  std::fprintf(stderr, "no defect is called '%s'; choose one of:%s%s\n", text.c_str(),
               names.c_str(),
               kHasMutants ? ", or a number of the kill matrix"
                           : "; those of the kill matrix need zonesync-sim-defects");
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Deterministic simulation of a hub and its zones", "zonesync-sim"};
  app.require_subcommand(1);
  Campaign campaign;
  campaign.threads = std::clamp(std::thread::hardware_concurrency(), 1u, 64u);
  std::string defect = "none";
  bool json = false;
  CLI::App* run_command = app.add_subcommand("run", "Runs seeds and checks every promise");
  run_command->add_option("--seeds", campaign.seeds, "How many seeds")->required();
  run_command->add_option("--first", campaign.first, "The first seed");
  run_command
      ->add_option("--threads", campaign.threads,
                   "Threads (default: one per core); results do not depend on it")
      ->check(CLI::Range(1, 64));
  run_command->add_flag("--json", json, "One JSON object on stdout");
  std::string mode = "both";
  run_command->add_option("--mode", mode, "Modes in which zones begin; each seed runs in each")
      ->check(CLI::IsMember({"delta", "v1", "both"}));
  CLI::App* replay_command = app.add_subcommand("replay", "Runs one seed again");
  Replay how;
  replay_command->add_option("seed", how.seed, "The seed")->required();
  replay_command->add_flag("--trace", how.trace, "Prints every event");
  CLI::Option* shrink_flag = replay_command->add_flag(
      "--shrink", how.shrink, "Leaves out what the failure does not need");
  replay_command->add_option("--keep", how.keep, "Only these items of the seed's plan")
      ->delimiter(',')
      ->excludes(shrink_flag);
  std::string replay_mode = "delta";
  replay_command->add_option("--mode", replay_mode, "Mode in which zones begin")
      ->check(CLI::IsMember({"delta", "v1"}));
  for (CLI::App* command : {run_command, replay_command}) {
    command->add_option("--defect", defect, "Puts one bug in, by name or number");
    if (kHasMutants) {
      command->add_flag("--buggify", campaign.how.buggify, "Unkind but legal choices");
    }
  }
  MutantCampaign hunted;
  bool markdown = false;
  CLI::App* mutants_command =
      app.add_subcommand("mutants", "Puts bugs into the product, one at a time, and finds them");
  mutants_command->add_option("--max-seeds", hunted.max_seeds, "Seeds per bug at most");
  mutants_command->add_option("--share", hunted.share_seeds, "Counts who of N seeds finds each");
  mutants_command->add_option("--only", hunted.only, "Only these numbers")->delimiter(',');
  mutants_command->add_option("--threads", hunted.threads, "Threads")->check(CLI::Range(1, 64));
  mutants_command->add_flag("--json", json, "One JSON object on stdout (the default)");
  mutants_command->add_flag("--markdown", markdown, "The page docs/simulation-kill-matrix.md");
  CLI11_PARSE(app, argc, argv);
  if (*mutants_command) return kHasMutants ? hunt(hunted, markdown) : run_other_build(argv);
  if (!choose_defect(defect, campaign.how)) return 2;
  if (mode != "both") campaign.modes = {*zonesync::parse_sync_mode(mode)};
  campaign.how.mode = *zonesync::parse_sync_mode(replay_mode);
  return *run_command ? run(campaign, json) : replay(how, campaign.how);
}

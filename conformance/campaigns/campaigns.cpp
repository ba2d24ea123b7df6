#include "conformance/campaigns/campaigns.hpp"

#include <filesystem>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>

#include "conformance/campaigns/campaign.hpp"

namespace zonesync::campaigns {
namespace {

namespace json = boost::json;

constexpr std::size_t kTextsMax = 50;
constexpr int kBroken = 1;
constexpr int kUsage = 2;
constexpr int kNoMeans = 3;

struct Known {
  const char* name;
  CampaignFunction run;
  unsigned rounds;  // by default
  const char* what;
  bool sabotage = false;  // knows --sabotage
};
constexpr Known kCampaigns[] = {
    {"kill", run_kill, 10, "kill -9 of hub or agent after the k-th event"},
    {"power-cut", run_power_cut, 10, "a file system that loses what was not synced"},
    {"fsync-error", run_fsync_error, 6, "a disk that fails under the hub"},
    {"disk-full", run_disk_full, 10, "ten levels of free space, down to none"},
    {"corruption", run_corruption, 4, "flipped bits, cut and lost files"},
    {"restore", run_restore, 1, "old backup, rewound disk, empty hub"},
    {"slow-zone", run_slow_zone, 1, "one zone behind a trickle, the others unaffected", true},
    {"stall", run_stall, 1, "zones that stop reading, half-open links", true},
    {"storm", run_storm, 4, "fifty zones return at once after a restart of the hub", true},
    {"duplicate-zone", run_duplicate_zone, 2, "two agents with one identity", true},
    {"memory-limit", run_memory_limit, 1, "a first sync larger than the hub's memory", true},
    {"interrupted-sync", run_interrupted_sync, 1, "a large first sync in several attempts", true},
};

struct Flags {
  std::string name;
  unsigned rounds = 0;
  std::uint64_t seed = 1;
  bool require = false;
  bool as_json = false;
  bool unsafe_no_sync = false;
  bool sabotage = false;
};

void print(const Flags& flags, const json::object& report) {
  if (flags.as_json) {
    std::cout << json::serialize(report) << '\n';
    return;
  }
  for (const auto& item : report) {
    std::cout << item.key() << ": "
              << (item.value().is_string() ? std::string(item.value().as_string())
                                           : json::serialize(item.value()))
              << '\n';
  }
}

int run_campaign(const Flags& flags, const std::string& bin_dir) {
  const Known* known = nullptr;
  for (const Known& one : kCampaigns) {
    if (flags.name == one.name) known = &one;
  }
  if (known == nullptr) {
    std::cerr << "error: no campaign '" << flags.name << "'\nhint: ";
    for (const Known& one : kCampaigns) std::cerr << one.name << ' ';
    std::cerr << '\n';
    return kUsage;
  }
  if (flags.sabotage && !known->sabotage) {
    std::cerr << "error: the campaign '" << flags.name << "' knows no --sabotage\n";
    return kUsage;
  }
  CampaignOptions options;
  options.bin_dir = bin_dir;
  options.rounds = flags.rounds == 0 ? known->rounds : flags.rounds;
  options.seed = flags.seed;
  options.unsafe_no_sync = flags.unsafe_no_sync;
  options.sabotage = flags.sabotage;
  CampaignReport report(options);
  const Status ran = known->run(options, report);
  if (!ran && ran.error().code == ErrorCode::unsupported) {
    print(flags, {{"campaign", flags.name}, {"ok", !flags.require}, {"skipped", 1},
                  {"reason", ran.error().message}});
    return flags.require ? kNoMeans : 0;
  }
  // A sabotaged run passes when a check saw it; one that could not go on saw nothing.
  const bool caught = ran && !report.good();
  if (!ran) report.failed("the campaign could not go on: " + describe(ran.error()));
  json::object out = report.to_json(flags.name);
  const bool ok = flags.sabotage ? caught : report.good();
  out["ok"] = ok;
  if (flags.sabotage) out["sabotage"] = true;
  print(flags, out);
  return ok ? 0 : kBroken;
}

}  // namespace

void CampaignReport::failed(std::string what) {
  ++failures_;
  std::cerr << "failed: " << what << '\n';
  if (texts_.size() < kTextsMax) texts_.emplace_back(std::move(what));
}

void CampaignReport::count(std::string_view name, std::uint64_t more) {
  facts_[name] = counted(name) + more;
}

std::uint64_t CampaignReport::counted(std::string_view name) const {
  const json::value* value = facts_.if_contains(name);
  if (value == nullptr || !value->is_number()) return 0;
  boost::system::error_code ignored;
  return value->to_number<std::uint64_t>(ignored);
}

json::object CampaignReport::to_json(std::string_view campaign) const {
  json::object out{{"campaign", campaign}, {"ok", good()}, {"seed", options_.seed},
                   {"rounds", rounds_},    {"skipped", 0}};
  for (const auto& fact : facts_) out[fact.key()] = fact.value();
  out["failed"] = failures_;
  out["failures"] = texts_;
  return out;
}

void add_campaign(CLI::App& app, std::string bin_dir, std::function<int()>& run) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command =
      app.add_subcommand("campaign", "Real processes under real faults, judged by their promises");
  std::string names;
  for (const Known& one : kCampaigns) {
    names += std::string(one.name) + (one.sabotage ? "*: " : ": ") + one.what + "\n";
  }
  command->add_option("NAME", flags->name, "Which one")->required();
  command->add_option("--rounds", flags->rounds, "How often (default: by campaign)");
  command->add_option("--seed", flags->seed, "Same seed, same faults")->capture_default_str();
  command->add_flag("--require", flags->require, "Fail where the machine lacks the means");
  command->add_flag("--json", flags->as_json, "One JSON object on standard output");
  command->add_flag("--unsafe-no-sync", flags->unsafe_no_sync,
                    "power-cut: the hub does not sync; passes only if the loss is seen");
  command->add_flag("--sabotage", flags->sabotage,
                    "Those marked *: the campaign breaks its own promise; passes only if its "
                    "checks see that");
  command->footer(names);
  command->callback([&run, flags, bin_dir = std::move(bin_dir)] {
    run = [flags, bin_dir] { return run_campaign(*flags, bin_dir); };
  });
}

std::string own_folder() {
  std::error_code failed;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", failed);
  return failed ? "." : path.parent_path().string();
}

}  // namespace zonesync::campaigns

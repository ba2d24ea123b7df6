#include "conformance/simulator/mutants.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace zonesync::sim {
namespace {

Kill hunt(const Mutant& mutant, const MutantCampaign& campaign) {
  Kill kill;
  kill.mutant = &mutant;
  RunOptions how;
  how.mutant = mutant.id;
  const bool only_v1 = mutant.id >= 80 && mutant.id < 90;  // bugs that delta cannot show
  if (only_v1) how.mode = SyncMode::v1;
  const std::uint64_t tried_max = std::max(campaign.max_seeds, campaign.share_seeds);
  for (std::uint64_t tried = 1; tried <= tried_max; ++tried) {
    const bool counting = tried <= campaign.share_seeds;
    if (!counting && (!kill.invariant.empty() || tried > campaign.max_seeds)) break;
    const Outcome outcome = run_plan(make_plan(campaign.first + tried - 1), how);
    if (counting) ++kill.tried;
    if (!outcome.violation) continue;
    if (counting) ++kill.found;
    if (!kill.invariant.empty() || tried > campaign.max_seeds) continue;
    kill.invariant = *outcome.violation;
    kill.seed = outcome.seed;
    kill.seeds_to_kill = tried;
  }
  return kill;
}

std::string percent(const Kill& kill) {
  const auto tenths = (kill.found * 1'000 + kill.tried / 2) / kill.tried;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + "%";
}

std::string row_of(const Kill& kill) {
  const Mutant& mutant = *kill.mutant;
  std::string invariant = kill.invariant.empty() ? "**survived**" : kill.invariant;
  invariant = invariant.substr(0, invariant.find(" ["));
  std::string row;
  for (const auto& part : {std::to_string(mutant.id), std::string(mutant.cls),
                           std::string(mutant.row), std::string(mutant.clause),
                           std::string(mutant.text), invariant, std::to_string(kill.seed),
                           std::to_string(kill.seeds_to_kill)}) {
    row += "| " + part + " ";
  }
  if (kill.tried > 0) row += "| " + percent(kill) + " ";
  return row + "|";
}

std::string columns(bool shares) {
  return std::string("| id | class | bug | clause | what is wrong | found by | seed | seeds |") +
         (shares ? " share |" : "");
}

std::string line(bool shares) {
  return std::string("\n|---|---|---|---|---|---|---|---|") + (shares ? "---|" : "");
}

std::string reviewer_table(const std::vector<Kill>& kills, bool shares) {
  std::size_t all = 0;
  std::size_t at_first = 0;
  std::string rows;
  for (const Kill& kill : kills) {
    if (!of_reviewer(*kill.mutant)) continue;
    const std::string_view first = kill.mutant->at_first;
    ++all;
    at_first += first.empty() ? 0 : 1;
    rows += row_of(kill) + " " + (first.empty() ? "–" : std::string(first)) + " |\n";
  }
  if (all == 0) return {};
  return "\n## Bugs of a reviewer\n\n"
         "What does the simulator find of bugs that nobody had in mind when it was written? A\n"
         "reviewer who had not read it wrote these down as typical mistakes, put them into the\n"
         "product, and only then ran it. *At first* says what told on a bug without any change of\n"
         "the simulator.\n\n" +
         std::to_string(at_first) + " of " + std::to_string(all) + " were found at first.\n\n" +
         columns(shares) + " at first |" + line(shares) + "---|\n" + rows;
}

}  // namespace

std::vector<Kill> run_mutants(const MutantCampaign& campaign) {
  std::vector<const Mutant*> chosen;
  for (const Mutant& mutant : mutants()) {
    const bool wanted = campaign.only.empty() ||
                        std::find(campaign.only.begin(), campaign.only.end(), mutant.id) !=
                            campaign.only.end();
    if (wanted) chosen.push_back(&mutant);
  }
  std::vector<Kill> kills(chosen.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t at = next++; at < chosen.size(); at = next++) {
      kills[at] = hunt(*chosen[at], campaign);
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < campaign.threads; ++i) threads.emplace_back(work);
  work();
  for (auto& thread : threads) thread.join();
  return kills;
}

std::string to_json(const std::vector<Kill>& kills) {
  boost::json::array survivors;
  boost::json::array list;
  for (const Kill& kill : kills) {
    const Mutant& mutant = *kill.mutant;
    if (kill.invariant.empty()) {
      survivors.emplace_back(mutant.id);
      continue;
    }
    boost::json::object item{{"id", mutant.id},
                             {"class", mutant.cls},
                             {"bug", mutant.row},
                             {"clause", mutant.clause},
                             {"invariant", kill.invariant},
                             {"seed", kill.seed},
                             {"seeds_to_kill", kill.seeds_to_kill}};
    if (kill.tried > 0) {
      item["found"] = kill.found;
      item["tried"] = kill.tried;
    }
    list.push_back(std::move(item));
  }
  const boost::json::object json{{"mutants", kills.size()},
                                 {"killed", list.size()},
                                 {"survivors", std::move(survivors)},
                                 {"kills", std::move(list)}};
  return boost::json::serialize(json);
}

std::string to_markdown(const std::vector<Kill>& kills) {
  const std::uint64_t tried = kills.empty() ? 0 : kills.front().tried;
  std::string text =
      "# Which check finds which bug\n\n"
      "Written by `zonesync-sim mutants --max-seeds 2000 --markdown`. Each row is a bug put into\n"
      "the product's own code (`ZONESYNC_DEFECT`, see [simulation](simulation.md)); *bug* names\n"
      "the real bugs it imitates, *seeds* how many runs it took";
  if (tried > 0) text += ", *share* how many of " + std::to_string(tried) + " runs find it";
  text += ".\n\n" + columns(tried > 0) + line(tried > 0) + "\n";
  for (const Kill& kill : kills) {
    if (!of_reviewer(*kill.mutant)) text += row_of(kill) + "\n";
  }
  return text + reviewer_table(kills, tried > 0);
}

}  // namespace zonesync::sim

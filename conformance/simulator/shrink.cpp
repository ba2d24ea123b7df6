#include "conformance/simulator/shrink.hpp"

#include <algorithm>
#include <numeric>

namespace zonesync::sim {
namespace {

/// "P1", "liveness" ...: what stands before the colon.
std::string promise_of(const Outcome& outcome) {
  if (!outcome.violation) return {};
  return outcome.violation->substr(0, outcome.violation->find(':'));
}

using Indexes = std::vector<std::size_t>;

Indexes without(const Indexes& all, std::size_t from, std::size_t count) {
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(from);
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(from + count, all.size()));
  Indexes rest(all.begin(), begin);
  rest.insert(rest.end(), end, all.end());
  return rest;
}

}  // namespace

Plan plan_of_items(std::uint64_t seed, const Indexes& items) {
  Plan plan = make_plan(seed);
  std::vector<Item> kept;
  for (const std::size_t index : items) {
    if (index < plan.items.size()) kept.push_back(plan.items[index]);
  }
  plan.items = std::move(kept);
  return plan;
}

Shrunk shrink(std::uint64_t seed, const RunOptions& how, std::size_t runs_max) {
  Shrunk result;
  Indexes kept(make_plan(seed).items.size());
  std::iota(kept.begin(), kept.end(), std::size_t{0});
  const std::string promise = promise_of(run_plan(make_plan(seed), how));
  const auto still_breaks = [&](const Indexes& items) {
    ++result.runs;
    return promise_of(run_plan(plan_of_items(seed, items), how)) == promise;
  };
  for (std::size_t size = std::max<std::size_t>(kept.size() / 2, 1);
       !promise.empty() && size > 0; size /= 2) {
    for (std::size_t from = 0; from < kept.size() && result.runs < runs_max;) {
      Indexes fewer = without(kept, from, size);
      if (still_breaks(fewer)) {
        kept = std::move(fewer);
      } else {
        from += size;
      }
    }
  }
  result.plan = plan_of_items(seed, kept);
  RunOptions traced = how;
  traced.keep_trace = true;
  result.outcome = run_plan(result.plan, traced);
  result.kept = std::move(kept);
  return result;
}

std::string to_text(const Shrunk& shrunk) {
  std::string text = "kept " + std::to_string(shrunk.kept.size()) + " items after " +
                     std::to_string(shrunk.runs) + " runs\n";
  for (std::size_t at = 0; at < shrunk.kept.size(); ++at) {
    const Item& item = shrunk.plan.items[at];
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(item.at).count();
    text += "  " + std::to_string(shrunk.kept[at]) + ": at " + std::to_string(ms) + " ms " +
            std::string(to_string(item.act)) + " zone " + std::to_string(item.zone) + "\n";
  }
  text += "  replay: zonesync-sim replay " + std::to_string(shrunk.outcome.seed) + " --keep ";
  for (std::size_t at = 0; at < shrunk.kept.size(); ++at) {
    text += (at == 0 ? "" : ",") + std::to_string(shrunk.kept[at]);
  }
  return text + "\n";
}

}  // namespace zonesync::sim

#include "conformance/simulator/runner.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <tuple>

#include <boost/json/object.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "protocol/model/defect.hpp"

namespace zonesync::sim {
namespace {

std::string hex(std::uint64_t value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text(16, '0');
  for (auto at = text.rbegin(); at != text.rend(); ++at, value >>= 4) *at = kDigits[value & 15];
  return text;
}

std::uint64_t count_of(const Outcome& outcome, Probe probe) {
  return outcome.probes[static_cast<std::size_t>(probe)];
}

void take(Report& report, Outcome outcome) {
  ++report.runs;
  report.events += outcome.events;
  const std::uint64_t mode = static_cast<std::uint64_t>(outcome.mode) << 56;
  report.hash += (outcome.hash ^ outcome.seed ^ mode) * 0x9e3779b97f4a7c15ull;  // any order
  for (std::size_t at = 0; at < kActs; ++at) report.faults[at] += outcome.faults[at];
  for (std::size_t at = 0; at < kProbes; ++at) report.probes[at] += outcome.probes[at];
  report.deliveries.push_back(outcome.deliveries);
  report.zones.push_back(outcome.zones);
  std::uint64_t faults = 0;
  for (std::size_t at = 0; at < kActs; ++at) {
    if (is_fault(static_cast<Act>(at))) faults += outcome.faults[at];
  }
  report.fault_counts.push_back(faults);
  const bool unsynced = count_of(outcome, Probe::hub_crash_lost_segment) +
                            count_of(outcome, Probe::hub_crash_kept_segment) +
                            count_of(outcome, Probe::zone_crash_kept_publication) +
                            count_of(outcome, Probe::zone_crash_lost_publication) > 0;
  const bool trimmed = count_of(outcome, Probe::hub_trimmed_past_zone) +
                           count_of(outcome, Probe::outbox_trimmed_past_cursor) > 0;
  report.seeds_crashed_unsynced += unsynced ? 1 : 0;
  report.seeds_trimmed_past += trimmed ? 1 : 0;
  report.seeds_switched += count_of(outcome, Probe::mode_switched) > 0 ? 1 : 0;
#ifdef ZONESYNC_DEFECTS
  for (std::size_t at = 0; at < defects::kProductProbes; ++at) {
    report.product_probes[at] += outcome.product_probes[at];
  }
#endif
  if (outcome.violation) report.failures.push_back(std::move(outcome));
}

std::uint64_t median(const std::vector<std::uint64_t>& sorted) {
  return sorted.empty() ? 0 : sorted[sorted.size() / 2];
}

double share(std::uint64_t part, const Report& report) {
  return report.runs == 0 ? 0 : static_cast<double>(part) / static_cast<double>(report.runs);
}

void add_probe(boost::json::object& hit, boost::json::array& missed, std::string_view name,
               std::uint64_t count) {
  if (count > 0) {
    hit[name] = count;
  } else {
    missed.emplace_back(name);
  }
}

}  // namespace

Outcome run_plan(const Plan& plan, const RunOptions& how) {
#ifdef ZONESYNC_DEFECTS
  defects::switches() = {};
  defects::switches().defect = how.mutant;
  defects::switches().buggify = how.buggify;
  defects::switches().draws = plan.seed;
  std::optional<World> world(std::in_place, plan, how);
  Outcome outcome;
  try {
    outcome = world->run();
  } catch (const defects::AssertionFailed& failed) {
    outcome = world->outcome();
    outcome.violation = "assertion: " + failed.text;
  }
  defects::switches().defect = 0;
  outcome.product_probes = defects::switches().probes;
  return outcome;
#else
  return World(plan, how).run();
#endif
}

Report run_campaign(const Campaign& campaign) {
  Report report;
  report.modes = campaign.modes;
  std::mutex mutex;
  std::atomic<std::uint64_t> next{0};
  std::atomic<bool> stop{false};
  const auto begin = std::chrono::steady_clock::now();
  const auto work = [&] {
    while (!stop) {
      const std::uint64_t index = next++;
      if (index >= campaign.seeds) return;
      const Plan plan = make_plan(campaign.first + index);
      for (const SyncMode mode : campaign.modes) {
        RunOptions how = campaign.how;
        how.mode = mode;
        Outcome outcome = run_plan(plan, how);
        const std::lock_guard lock(mutex);
        if (outcome.violation && campaign.stop_at_failure) stop = true;
        take(report, std::move(outcome));
      }
      const std::lock_guard lock(mutex);
      ++report.seeds;
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < campaign.threads; ++i) threads.emplace_back(work);
  work();
  for (auto& thread : threads) thread.join();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  report.seconds = elapsed.count();
  for (auto* counts : {&report.deliveries, &report.zones, &report.fault_counts}) {
    std::sort(counts->begin(), counts->end());
  }
  std::sort(report.failures.begin(), report.failures.end(),
            [](const Outcome& a, const Outcome& b) {
              return std::tie(a.seed, a.mode) < std::tie(b.seed, b.mode);
            });
  return report;
}

std::string to_json(const Report& report) {
  boost::json::object faults;
  for (std::size_t at = 0; at < kActs; ++at) {
    const Act act = static_cast<Act>(at);
    if (is_fault(act)) faults[to_string(act)] = report.faults[at];
  }
  boost::json::object hit;
  boost::json::array missed;
  for (std::size_t at = 0; at < kProbes; ++at) {
    add_probe(hit, missed, kProbeNames[at], report.probes[at]);
  }
#ifdef ZONESYNC_DEFECTS
  for (std::size_t at = 0; at < defects::kProductProbes; ++at) {
    add_probe(hit, missed, defects::kProductProbeNames[at], report.product_probes[at]);
  }
#endif
  boost::json::array modes;
  for (const SyncMode mode : report.modes) modes.emplace_back(to_string(mode));
  boost::json::array failures;
  for (const Outcome& failure : report.failures) {
    failures.push_back(boost::json::object{{"seed", failure.seed},
                                           {"mode", to_string(failure.mode)},
                                           {"phase", failure.phase},
                                           {"invariant", *failure.violation}});
  }
  boost::json::object medians{{"delivered", median(report.deliveries)},
                              {"zones", median(report.zones)},
                              {"faults", median(report.fault_counts)}};
  boost::json::object shares{{"crash_with_unsynced", share(report.seeds_crashed_unsynced, report)},
                             {"mode_switch", share(report.seeds_switched, report)},
                             {"trim_past_cursor", share(report.seeds_trimmed_past, report)}};
  const boost::json::object json{
      {"seeds", report.seeds},
      {"modes", std::move(modes)},
      {"failures", report.failures.size()},
      {"failed", std::move(failures)},
      {"seeds_per_s", static_cast<double>(report.seeds) / std::max(report.seconds, 1e-9)},
      {"events", report.events},
      {"median", std::move(medians)},
      {"share", std::move(shares)},
      {"faults", std::move(faults)},
      {"probes", boost::json::object{{"hit", std::move(hit)}, {"missed", std::move(missed)}}},
      {"trace_hash", hex(report.hash)}};
  return boost::json::serialize(json);
}

std::string to_text(const Outcome& failure, std::size_t trace_lines) {
  std::string text = "seed " + std::to_string(failure.seed) + " (" +
                     std::string(to_string(failure.mode)) + ") failed in " + failure.phase +
                     ": " + failure.violation.value_or("nothing") + "\n";
  for (const std::string& state : failure.states) text += "  " + state + "\n";
  const std::size_t skipped =
      failure.trace.size() - std::min(trace_lines, failure.trace.size());
  for (std::size_t at = skipped; at < failure.trace.size(); ++at) {
    text += "    " + failure.trace[at] + "\n";
  }
  return text + "  replay: zonesync-sim replay " + std::to_string(failure.seed) + " --mode " +
         std::string(to_string(failure.mode)) + " --trace\n";
}

}  // namespace zonesync::sim

#include "conformance/simulator/runner.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include <boost/json/object.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

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
  ++report.seeds;
  report.events += outcome.events;
  report.hash += (outcome.hash ^ outcome.seed) * 0x9e3779b97f4a7c15ull;  // any order
  for (std::size_t at = 0; at < kActs; ++at) report.faults[at] += outcome.faults[at];
  for (std::size_t at = 0; at < kProbes; ++at) report.probes[at] += outcome.probes[at];
  report.deliveries.push_back(outcome.deliveries);
  const bool lost = count_of(outcome, Probe::hub_crash_lost_segment) +
                        count_of(outcome, Probe::zone_crash_lost_publication) > 0;
  const bool trimmed = count_of(outcome, Probe::hub_trimmed_past_zone) +
                           count_of(outcome, Probe::outbox_trimmed_past_cursor) > 0;
  report.seeds_lost_unsynced += lost ? 1 : 0;
  report.seeds_trimmed_past += trimmed ? 1 : 0;
  if (outcome.violation) report.failures.push_back(std::move(outcome));
}

}  // namespace

Outcome run_plan(const Plan& plan, Defect defect, bool keep_trace) {
  return World(plan, defect, keep_trace).run();
}

Report run_campaign(const Campaign& campaign) {
  Report report;
  std::mutex mutex;
  std::atomic<std::uint64_t> next{0};
  std::atomic<bool> stop{false};
  const auto begin = std::chrono::steady_clock::now();
  const auto work = [&] {
    while (!stop) {
      const std::uint64_t index = next++;
      if (index >= campaign.seeds) return;
      Outcome outcome = run_plan(make_plan(campaign.first + index), campaign.defect);
      const std::lock_guard lock(mutex);
      if (outcome.violation && campaign.stop_at_failure) stop = true;
      take(report, std::move(outcome));
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < campaign.threads; ++i) threads.emplace_back(work);
  work();
  for (auto& thread : threads) thread.join();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  report.seconds = elapsed.count();
  std::sort(report.deliveries.begin(), report.deliveries.end());
  std::sort(report.failures.begin(), report.failures.end(),
            [](const Outcome& a, const Outcome& b) { return a.seed < b.seed; });
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
    if (report.probes[at] > 0) {
      hit[kProbeNames[at]] = report.probes[at];
    } else {
      missed.emplace_back(kProbeNames[at]);
    }
  }
  boost::json::array failures;
  for (const Outcome& failure : report.failures) {
    failures.push_back(boost::json::object{{"seed", failure.seed},
                                           {"phase", failure.phase},
                                           {"invariant", *failure.violation}});
  }
  const std::uint64_t median =
      report.deliveries.empty() ? 0 : report.deliveries[report.deliveries.size() / 2];
  const boost::json::object json{
      {"seeds", report.seeds},
      {"modes", boost::json::array{"delta"}},
      {"failures", report.failures.size()},
      {"failed", std::move(failures)},
      {"seeds_per_s", static_cast<double>(report.seeds) / std::max(report.seconds, 1e-9)},
      {"events", report.events},
      {"delivered_median", median},
      {"seeds_lost_unsynced", report.seeds_lost_unsynced},
      {"seeds_trimmed_past_cursor", report.seeds_trimmed_past},
      {"faults", std::move(faults)},
      {"probes", boost::json::object{{"hit", std::move(hit)}, {"missed", std::move(missed)}}},
      {"trace_hash", hex(report.hash)}};
  return boost::json::serialize(json);
}

std::string to_text(const Outcome& failure, std::size_t trace_lines) {
  std::string text = "seed " + std::to_string(failure.seed) + " failed in " + failure.phase +
                     ": " + failure.violation.value_or("nothing") + "\n";
  for (const std::string& state : failure.states) text += "  " + state + "\n";
  const std::size_t skipped =
      failure.trace.size() - std::min(trace_lines, failure.trace.size());
  for (std::size_t at = skipped; at < failure.trace.size(); ++at) {
    text += "    " + failure.trace[at] + "\n";
  }
  return text + "  replay: zonesync-sim replay " + std::to_string(failure.seed) + " --trace\n";
}

}  // namespace zonesync::sim

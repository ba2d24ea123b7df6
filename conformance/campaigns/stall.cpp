// `stall`: zones that stop reading or whose link goes one way only. The hub's deadline ends their
// sessions; nobody else feels it; they come back by their cursors.
#include <signal.h>

#include <array>

#include "conformance/campaigns/campaign.hpp"
#include "conformance/campaigns/clients.hpp"
#include "conformance/campaigns/measure.hpp"
#include "protocol/model/limits.hpp"

namespace zonesync::campaigns {
namespace {

using std::chrono::seconds;

constexpr int kWrites = 120;
constexpr std::size_t kValueBytes = 64u << 10;   // 7.5 MiB while they stand still: over a window
constexpr std::size_t kGrowthMaxKib = 96u << 10;
/// The last packet may be one idle interval old when the fault begins.
constexpr auto kCutAtLeast = limits::kSilenceTimeout - limits::kIdleMarkInterval - seconds(1);
constexpr auto kCutAtMost = limits::kSilenceTimeout + seconds(30);   // a busy machine
constexpr std::uint16_t kSilenceCode = 4408;

enum class Fault { frozen, half_open, stalled };
constexpr std::array kFaults = {Fault::frozen, Fault::half_open, Fault::stalled};

std::string word(Fault fault) {
  switch (fault) {
    case Fault::frozen: return "frozen";         // the process stands still: its socket fills
    case Fault::half_open: return "half-open";   // what it says gets lost, what it hears does not
    case Fault::stalled: return "stalled";       // nothing moves either way
  }
  return "?";
}

struct Victim {
  Fault fault = Fault::frozen;
  std::unique_ptr<AgentNode> agent;
  std::int64_t generation = 0;
  std::int64_t fulls = 0;     // answers that are no continuation
  std::optional<double> cut_after_s;

  [[nodiscard]] std::int64_t count_fulls(HubNode& hub) const {
    const auto zone = hub.zone(agent->zone());
    return number_at(zone, "/counters/intents_full") + number_at(zone, "/counters/intents_repair");
  }
  void begin() {
    if (fault == Fault::frozen) agent->process().signal(SIGSTOP);
    if (fault == Fault::half_open) agent->proxy().half_open(ProxyDirection::to_server);
    if (fault == Fault::stalled) agent->proxy().stall(ProxyDirection::both);
  }
  void end() {
    if (fault == Fault::frozen) agent->process().signal(SIGCONT);
    agent->proxy().heal();
  }
};

struct Site {
  explicit Site(const CampaignOptions& options) : hub(options.bin_dir, scratch.file("hub")) {}
  Scratch scratch;
  HubNode hub;
  std::unique_ptr<AgentNode> healthy;
  std::vector<Victim> victims;

  Status start() {
    if (Status status = hub.init(); !status) return status;
    if (Status status = hub.start(); !status) return status;
    healthy = std::make_unique<AgentNode>(hub, scratch.file("healthy"), "healthy");
    if (Status status = healthy->start(); !status) return status;
    for (const Fault fault : kFaults) {
      Victim victim;
      victim.fault = fault;
      victim.agent = std::make_unique<AgentNode>(hub, scratch.file(word(fault)), word(fault));
      if (Status status = victim.agent->start(); !status) return status;
      victims.push_back(std::move(victim));
    }
    return {};
  }
};

Status write_some(Site& site, std::mt19937_64& random, int count, std::size_t bytes) {
  for (int i = 0; i < count; ++i) {
    if (site.hub.put("n" + std::to_string(i), noise(random, bytes)) > 0) continue;
    return fail(ErrorCode::timeout, "a write is not accepted: " + site.hub.said());
  }
  return {};
}

/// Until the hub ended each victim's session, and when that was.
void watch_ends(Site& site, const std::string& where, SteadyTime began, CampaignReport& report) {
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  };
  static_cast<void>(eventually([&] {
    bool all = true;
    for (Victim& victim : site.victims) {
      if (victim.cut_after_s) continue;
      const auto zone = site.hub.zone(victim.agent->zone());
      const auto* connected =
          zone.is_object() ? zone.get_object().if_contains("connected") : nullptr;
      if (connected != nullptr && *connected == false) {
        victim.cut_after_s = elapsed();
        if (number_at(zone, "/last_disconnect/code") == kSilenceCode) continue;
        report.failed(where + victim.agent->zone() + " was cut off with " +
                      std::to_string(number_at(zone, "/last_disconnect/code")));
      } else {
        all = false;
      }
    }
    return all;
  }, std::chrono::duration_cast<std::chrono::milliseconds>(kCutAtMost)));
  for (const Victim& victim : site.victims) {
    const bool due = victim.cut_after_s &&
                     *victim.cut_after_s >= std::chrono::duration<double>(kCutAtLeast).count();
    report.set("cut_after_s_" + victim.agent->zone(), victim.cut_after_s.value_or(-1));
    if (due) {
      report.count("cut_by_deadline");
    } else {
      report.failed(where + victim.agent->zone() +
                    (victim.cut_after_s ? " was cut off too early" : " is not cut off"));
    }
  }
}

/// The same process, on a good link again, goes on where it stood.
void judge_return(Site& site, const std::string& where, Victim& victim, CampaignReport& report) {
  const std::string who = where + victim.agent->zone() + " ";
  if (!victim.agent->wait_equal(std::chrono::minutes(2))) {
    return report.failed(who + "does not come back: " + victim.agent->process().recent_lines(10));
  }
  if (victim.count_fulls(site.hub) != victim.fulls) {
    return report.failed(who + "was not resumed by its cursor");
  }
  if (number_at(site.hub.zone(victim.agent->zone()), "/generation") != victim.generation) {
    return report.failed(who + "is taken for another instance");
  }
  report.count("resumed");
}

Status one_round(Site& site, std::mt19937_64& random, unsigned round,
                 const CampaignOptions& options, CampaignReport& report) {
  const std::string where = "round " + std::to_string(round) + ": ";
  if (Status status = write_some(site, random, 10, 100); !status) return status;
  for (Victim& victim : site.victims) {
    if (!victim.agent->wait_equal()) {
      return fail(ErrorCode::timeout, where + "no convergence before the faults");
    }
    victim.generation = number_at(site.hub.zone(victim.agent->zone()), "/generation");
    victim.fulls = victim.count_fulls(site.hub);
    victim.cut_after_s.reset();
  }
  MemoryWatch memory(site.hub.process().pid());
  const auto began = std::chrono::steady_clock::now();
  for (Victim& victim : site.victims) victim.begin();
  if (Status status = write_some(site, random, kWrites, kValueBytes); !status) return status;
  if (site.healthy->wait_equal(seconds(20))) {
    report.count("healthy_zone_served");
  } else {
    report.failed(where + "the healthy zone is not served meanwhile");
  }
  watch_ends(site, where, began, report);
  memory.stop();
  report.set("hub_kib_before", memory.before_kib());
  report.set("hub_kib_most", memory.most_kib());
  if (memory.growth_kib() > kGrowthMaxKib) {
    report.failed(where + "zones that stand still cost the hub " +
                  std::to_string(memory.growth_kib()) + " KiB");
  }
  for (Victim& victim : site.victims) {
    if (options.sabotage) {  // a zone that lost its store has no cursor to resume from
      victim.agent->kill9();
      std::error_code ignored;
      std::filesystem::remove_all(victim.agent->store(), ignored);
      if (Status status = victim.agent->start(); !status) return status;
    }
    victim.end();
  }
  for (Victim& victim : site.victims) judge_return(site, where, victim, report);
  return {};
}

}  // namespace

Status run_stall(const CampaignOptions& options, CampaignReport& report) {
  Site site(options);
  for (const char* name : {"cut_by_deadline", "resumed", "healthy_zone_served"}) {
    report.count(name, 0);
  }
  if (Status status = site.start(); !status) return status;
  std::mt19937_64 random(options.seed);
  for (unsigned round = 1; round <= options.rounds && report.good(); ++round) {
    if (Status status = one_round(site, random, round, options, report); !status) return status;
    report.round_done();
  }
  return {};
}

}  // namespace zonesync::campaigns

// `slow-zone`: one zone at the end of a trickle; the others must not feel it, nor the hub's memory.
#include "conformance/campaigns/campaign.hpp"
#include "conformance/campaigns/clients.hpp"
#include "conformance/campaigns/measure.hpp"

namespace zonesync::campaigns {
namespace {

constexpr int kFastZones = 3;
constexpr int kWrites = 160;
constexpr std::size_t kValueBytes = 64u << 10;      // 10 MiB a phase: more than every window
constexpr std::uint64_t kTrickle = 16u << 10;       // bytes per second
constexpr double kDelayMaxMs = 2'000;               // 10 MiB at the trickle would take 640 s
constexpr std::size_t kGrowthMaxKib = 64u << 10;
constexpr auto kAppliedDeadline = std::chrono::seconds(10);

struct Site {
  explicit Site(const CampaignOptions& options) : hub(options.bin_dir, scratch.file("hub")) {}
  Scratch scratch;
  HubNode hub;
  std::unique_ptr<AgentNode> slow;
  std::unique_ptr<FaultProxy> shared;   // of the fast zones
  std::vector<std::unique_ptr<ClientNode>> fast;

  Status start() {
    if (Status status = hub.init(); !status) return status;
    if (Status status = hub.start(); !status) return status;
    auto proxy = FaultProxy::start("127.0.0.1", hub.sync_port());
    if (!proxy) return fail(std::move(proxy.error()));
    shared = std::move(*proxy);
    for (int i = 0; i < kFastZones; ++i) {
      const std::string zone = "fast" + std::to_string(i);
      fast.push_back(std::make_unique<ClientNode>(hub, zone, shared->port()));
      if (Status status = fast.back()->start(); !status) return status;
    }
    slow = std::make_unique<AgentNode>(hub, scratch.file("slow"), "slow");
    return slow->start();
  }
  [[nodiscard]] bool all_at(std::uint64_t revision) {
    return eventually([&] {
      for (const auto& zone : fast) {
        if (zone->revision() < revision) return false;
      }
      return true;
    });
  }
};

/// From the PUT to the application of each fast zone, for many writes; a failure ends it.
Status write_phase(Site& site, std::mt19937_64& random, const std::string& where, Delays& delays,
                   CampaignReport& report) {
  std::vector<std::pair<std::uint64_t, SteadyTime>> written;
  for (int i = 0; i < kWrites; ++i) {
    const auto began = std::chrono::steady_clock::now();
    const std::uint64_t revision =
        site.hub.put("n" + std::to_string(i), noise(random, kValueBytes));
    if (revision == 0) return fail(ErrorCode::timeout, where + "a write is not accepted");
    written.emplace_back(revision, began);
  }
  for (const auto& zone : site.fast) {
    for (const auto& [revision, began] : written) {
      std::optional<SteadyTime> applied;
      const bool there = eventually([&] {
        applied = zone->applied_at(revision);
        return applied.has_value();
      }, kAppliedDeadline);
      if (!there || *applied - began > kAppliedDeadline) {
        report.failed(where + zone->zone() + " does not get revision " + std::to_string(revision));
        return {};
      }
      delays.add(std::chrono::duration<double, std::milli>(*applied - began).count());
    }
  }
  return {};
}

/// While its link is slow, the slow zone is served, connected, and behind.
void judge_slow_zone(Site& site, const std::string& where, std::int64_t sessions,
                     CampaignReport& report) {
  const auto revision = [&] { return number_at(site.hub.zone("slow"), "/revision"); };
  const std::int64_t began = revision();
  const std::int64_t behind = static_cast<std::int64_t>(site.hub.head()) - began;
  report.set("slow_zone_behind", behind);
  if (behind < kWrites / 2) report.failed(where + "the slow zone is not slow: the link is not");
  if (eventually([&] { return revision() > began; })) {
    report.count("slow_zone_advanced");
  } else {
    report.failed(where + "the slow zone gets nothing any more");
  }
  if (site.slow->status_number("/counters/sessions") != sessions) {
    report.failed(where + "the slow zone was cut off: " + site.slow->process().recent_lines(10));
  }
}

Status one_round(Site& site, std::mt19937_64& random, unsigned round,
                 const CampaignOptions& options, CampaignReport& report) {
  const std::string where = "round " + std::to_string(round) + ": ";
  Delays alone;
  if (Status status = write_phase(site, random, where + "before: ", alone, report); !status) {
    return status;
  }
  if (!site.slow->wait_equal()) {
    return fail(ErrorCode::timeout, where + "the zone does not converge on a good link");
  }
  const std::int64_t sessions = site.slow->status_number("/counters/sessions");
  const std::int64_t fulls = site.slow->status_number("/counters/intents_full");
  site.slow->proxy().limit(ProxyDirection::both, kTrickle);
  if (options.sabotage) site.shared->limit(ProxyDirection::both, kTrickle);

  Delays beside;
  MemoryWatch memory(site.hub.process().pid());
  if (Status status = write_phase(site, random, where + "beside: ", beside, report); !status) {
    return status;
  }
  if (report.good()) judge_slow_zone(site, where, sessions, report);
  memory.stop();
  report.set("delay_ms_alone", alone.to_json());
  report.set("delay_ms_beside_slow", beside.to_json());
  report.set("hub_kib_before", memory.before_kib());
  report.set("hub_kib_most", memory.most_kib());
  if (beside.at(1) > kDelayMaxMs) {
    report.failed(where + "beside a slow zone a fast one waited " +
                  std::to_string(beside.at(1)) + " ms");
  }
  if (memory.growth_kib() > kGrowthMaxKib) {
    report.failed(where + "a slow zone costs the hub " + std::to_string(memory.growth_kib()) +
                  " KiB");
  }
  site.slow->proxy().heal();
  site.shared->heal();
  if (!site.slow->wait_equal() || !site.all_at(site.hub.head())) {
    report.failed(where + "a zone does not converge on its healed link");
  }
  if (site.slow->status_number("/counters/intents_full") == fulls) {
    report.count("caught_up_by_cursor");
  } else {
    report.failed(where + "the slow zone needed a full answer");
  }
  return {};
}

}  // namespace

Status run_slow_zone(const CampaignOptions& options, CampaignReport& report) {
  Site site(options);
  for (const char* name : {"slow_zone_advanced", "caught_up_by_cursor"}) report.count(name, 0);
  report.set("fast_zones", kFastZones);
  report.set("trickle_bytes_per_s", kTrickle);
  if (Status status = site.start(); !status) return status;
  std::mt19937_64 random(options.seed);
  for (unsigned round = 1; round <= options.rounds && report.good(); ++round) {
    if (Status status = one_round(site, random, round, options, report); !status) return status;
    report.round_done();
  }
  return {};
}

}  // namespace zonesync::campaigns

// `storm`: the hub restarts and every zone comes back at once.
#include <atomic>
#include <thread>

#include "conformance/campaigns/campaign.hpp"
#include "conformance/campaigns/clients.hpp"
#include "conformance/campaigns/measure.hpp"

namespace zonesync::campaigns {
namespace {

using std::chrono::milliseconds;

constexpr int kZones = 50;
constexpr int kResources = 500;
constexpr int kWritesDuring = 20;
constexpr milliseconds kBackoffBase{50};
constexpr milliseconds kBackoffMax{500};      // so that it is a storm
constexpr auto kBackAtMost = std::chrono::seconds(20);
constexpr std::size_t kGrowthMaxKib = 128u << 10;

struct Site {
  explicit Site(const CampaignOptions& options) : hub(options.bin_dir, scratch.file("hub")) {}
  Scratch scratch;
  HubNode hub;
  std::unique_ptr<FaultProxy> proxy;
  std::vector<std::unique_ptr<ClientNode>> zones;

  Status start() {
    if (Status status = hub.init(); !status) return status;
    if (Status status = hub.start(); !status) return status;
    auto made = FaultProxy::start("127.0.0.1", hub.sync_port());
    if (!made) return fail(std::move(made.error()));
    proxy = std::move(*made);
    for (int i = 0; i < kZones; ++i) {
      const std::string name = "zone" + std::to_string(i);
      zones.push_back(
          std::make_unique<ClientNode>(hub, name, proxy->port(), scratch.file(name)));
      zones.back()->set_backoff(kBackoffBase, kBackoffMax);
      if (Status status = zones.back()->start(); !status) return status;
    }
    return {};
  }
};

/// Asks /readyz again and again beside everything else.
class ReadyWatch {
 public:
  explicit ReadyWatch(HubNode& hub) : thread_([this, &hub] {
    while (!stopping_) {
      const auto began = std::chrono::steady_clock::now();
      const auto said = hub.readyz();
      took.add(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began)
                   .count());
      if (said != 200u) ++failed;
      std::this_thread::sleep_for(milliseconds(5));   // between two looks
    }
  }) {}
  ~ReadyWatch() { stop(); }
  void stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  Delays took;                  // after stop()
  std::atomic<int> failed{0};

 private:
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

/// Counters of all zones before the storm.
struct Before {
  std::vector<client::Counters> counters;
  explicit Before(const Site& site) {
    for (const auto& zone : site.zones) counters.push_back(zone->status().counters);
  }
};

/// Until every zone has a session again and `head`; when each had.
Delays wait_back(Site& site, const Before& before, std::uint64_t head, SteadyTime began) {
  Delays back;
  std::vector<bool> seen(site.zones.size());
  static_cast<void>(eventually([&] {
    for (std::size_t i = 0; i < site.zones.size(); ++i) {
      const auto now = site.zones[i]->status();
      const bool there = now.connected && now.counters.sessions > before.counters[i].sessions &&
                         now.cursor && now.cursor->revision.value >= head;
      if (seen[i] || !there) continue;
      seen[i] = true;
      back.add(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began)
                   .count());
    }
    return back.count() == site.zones.size();
  }, kBackAtMost));
  return back;
}

void judge_zones(Site& site, const std::string& where, const Before& before,
                 CampaignReport& report) {
  const auto wanted = values_at(site.hub, "");
  for (std::size_t i = 0; i < site.zones.size(); ++i) {
    const auto now = site.zones[i]->status().counters;
    const auto& old = before.counters[i];
    const std::string who = where + site.zones[i]->zone() + " ";
    const auto fulls = now.intents_full + now.intents_repair - old.intents_full -
                       old.intents_repair;
    const auto resumed = now.intents_none + now.intents_changes - old.intents_none -
                         old.intents_changes;
    if (fulls > 0) report.failed(who + "got a full answer instead of what it missed");
    if (fulls == 0 && resumed > 0) report.count("resumed");
    if (!wanted || site.zones[i]->values() != *wanted) {
      report.failed(who + "differs from the hub");
    } else {
      report.count("equal");
    }
  }
}

/// Sabotage: processes that lost their memory and their disk.
Status forget(Site& site) {
  for (auto& zone : site.zones) {
    const std::string name = zone->zone();
    zone = std::make_unique<ClientNode>(site.hub, name, site.proxy->port());
    zone->set_backoff(kBackoffBase, kBackoffMax);
    if (Status status = zone->start(); !status) return status;
  }
  return {};
}

Status one_round(Site& site, unsigned round, const CampaignOptions& options,
                 CampaignReport& report) {
  const std::string where = "round " + std::to_string(round) + ": ";
  const bool kill = round % 2 == 1;    // else the hub drains and says when to return
  Before before(site);
  site.proxy->cut();                   // nobody comes before everybody can
  if (kill) {
    site.hub.kill9();
  } else if (site.hub.stop() != 0) {
    report.failed(where + "the hub does not end cleanly");
  }
  report.count(kill ? "kills" : "drains");
  if (Status status = site.hub.start(); !status) return status;
  if (options.sabotage) {
    if (Status status = forget(site); !status) return status;
    before = Before(site);
  }
  for (int i = 0; i < kWritesDuring; ++i) {   // what they missed
    if (site.hub.put("n" + std::to_string(i), "r" + std::to_string(round)) == 0) {
      return fail(ErrorCode::timeout, where + "a write is not accepted");
    }
  }
  const std::uint64_t head = site.hub.head();
  MemoryWatch memory(site.hub.process().pid());
  ReadyWatch ready(site.hub);
  site.proxy->set_server("127.0.0.1", site.hub.sync_port());
  const auto began = std::chrono::steady_clock::now();
  site.proxy->heal();
  const Delays back = wait_back(site, before, head, began);
  ready.stop();
  memory.stop();
  report.set("back_ms", back.to_json());
  report.set("readyz_ms", ready.took.to_json());
  report.count("readyz_failed", static_cast<std::uint64_t>(ready.failed));
  report.set("hub_kib_before", memory.before_kib());
  report.set("hub_kib_most", memory.most_kib());
  if (back.count() != site.zones.size()) {
    report.failed(where + "only " + std::to_string(back.count()) + " zones are back after " +
                  std::to_string(kBackAtMost.count()) + " s");
  }
  if (ready.failed > 0) report.failed(where + "the hub is not ready while they come back");
  if (memory.growth_kib() > kGrowthMaxKib) {
    report.failed(where + "the storm costs the hub " + std::to_string(memory.growth_kib()) +
                  " KiB");
  }
  judge_zones(site, where, before, report);
  return {};
}

}  // namespace

Status run_storm(const CampaignOptions& options, CampaignReport& report) {
  Site site(options);
  for (const char* name : {"kills", "drains", "resumed", "equal", "readyz_failed"}) {
    report.count(name, 0);
  }
  report.set("zones", kZones);
  if (Status status = site.start(); !status) return status;
  std::mt19937_64 random(options.seed);
  for (int i = 0; i < kResources; ++i) {
    if (site.hub.put("n" + std::to_string(i), noise(random, 1'000)) == 0) {
      return fail(ErrorCode::timeout, "a write is not accepted: " + site.hub.said());
    }
  }
  const std::uint64_t head = site.hub.head();
  const bool all = eventually([&] {
    for (const auto& zone : site.zones) {
      if (zone->revision() < head) return false;
    }
    return true;
  });
  if (!all) return fail(ErrorCode::timeout, "the zones do not converge before the storm");
  for (unsigned round = 1; round <= options.rounds && report.good(); ++round) {
    if (Status status = one_round(site, round, options, report); !status) return status;
    report.round_done();
  }
  return {};
}

}  // namespace zonesync::campaigns

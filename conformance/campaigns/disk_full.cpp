// `disk-full`: ten levels of free space, down to none, under a hub with a zone.
#include <iterator>

#include "conformance/campaigns/campaign.hpp"
#include "conformance/campaigns/disks.hpp"
#include "conformance/campaigns/nodes.hpp"

namespace zonesync::campaigns {
namespace {

constexpr std::uint64_t kMiB = 1u << 20;
constexpr std::uint64_t kDiskBytes = 320 * kMiB;
/// Free space after filling; the hub keeps 64 MiB in reserve.
constexpr std::uint64_t kLevels[] = {80 * kMiB, 70 * kMiB, 66 * kMiB, 63 * kMiB, 32 * kMiB,
                                     8 * kMiB,  2 * kMiB,  512u << 10, 64u << 10, 0};

struct Site {
  Scratch scratch;
  std::optional<SmallDisk> disk;
  std::optional<HubNode> hub;
  std::unique_ptr<AgentNode> agent;

  Status make(const CampaignOptions& options) {
    if (Status status = enter_private_mounts(); !status) return status;
    auto made = SmallDisk::create(scratch.file("disk"), kDiskBytes);
    if (!made) return fail(std::move(made.error()));
    disk.emplace(std::move(*made));
    hub.emplace(options.bin_dir, scratch.file("hub"), disk->path() + "/log");
    hub->environment.push_back("ZONESYNC_STORAGE_BALLAST=8MiB");
    if (Status status = hub->init(); !status) return status;
    if (Status status = hub->start(); !status) return status;
    agent = std::make_unique<AgentNode>(*hub, scratch.file("agent"), "east");
    return agent->start();
  }
};

/// Writes until the hub refuses, or `count` were accepted; the answer that was no success.
HttpResponse write_some(Site& site, const std::string& prefix, int count,
                        std::map<std::string, std::string>& acked) {
  const std::string padding(64u << 10, 'x');
  HttpResponse last;
  for (int i = 0; i < count; ++i) {
    const std::string name = prefix + '-' + std::to_string(i);
    const std::string value = "v-" + name + padding;
    last = site.hub->call("PUT", "/meshes/default/meshtimeouts/" + name, timeout_json(name, value));
    if (last.status != 201) return last;
    acked[name] = value;
  }
  return last;
}

/// At this level: refused clearly or accepted, never anything else; reads and the zone go on.
void judge_level(Site& site, const std::string& where, std::map<std::string, std::string>& acked,
                 std::uint64_t free, CampaignReport& report) {
  const HttpResponse refused = write_some(site, where.substr(0, where.find(':')), 40, acked);
  const bool clear = refused.status == 503 && refused.body.find("disk") != std::string::npos;
  if (refused.status == 201) {
    report.count("levels_accepted");
    if (free < 60 * kMiB) report.failed(where + "writes are accepted below the reserve");
  } else if (clear) {
    report.count("levels_refused");
  } else {
    report.failed(where + "a write was answered with " + std::to_string(refused.status) + ": " +
                  refused.body);
  }
  if (!site.hub->running()) return report.failed(where + "the hub died: " + site.hub->said());
  if (site.agent->wait_equal()) {
    report.count("zones_served");
  } else {
    report.failed(where + "the zone is not served");
  }
}

void judge_acked_values(Site& site, const std::string& where,
                        const std::map<std::string, std::string>& acked, CampaignReport& report) {
  const auto now = site.hub->resources();
  for (const auto& [name, value] : acked) {
    const bool there = now && now->contains("global/" + name) &&
                       now->at("global/" + name).find(value) != std::string::npos;
    if (there) continue;
    report.count("lost");
    report.failed(where + name + " was acknowledged and is gone");
  }
}

/// A zone that connects while the disk is full gets everything too.
void judge_fresh_zone(Site& site, const std::string& where, unsigned level,
                      CampaignReport& report) {
  AgentNode fresh(*site.hub, site.scratch.file("fresh" + std::to_string(level)), "east");
  site.agent->kill9();
  const Status started = fresh.start();
  if (started && fresh.wait_equal()) {
    report.count("fresh_zones_served");
  } else {
    report.failed(where + "a zone without a store is not served: " +
                  (started ? fresh.process().recent_lines(10) : describe(started.error())));
  }
  if (started) fresh.kill9();
  if (Status again = site.agent->start(); !again) report.failed(describe(again.error()));
}

Status one_level(Site& site, unsigned level, std::map<std::string, std::string>& acked,
                 CampaignReport& report) {
  const std::uint64_t free = kLevels[level];
  const std::string name = "level" + std::to_string(level);
  const std::string where = name + ": " + std::to_string(free) + " bytes free: ";
  // A hub that just had its space back sets the ballast aside within a second.
  if (!eventually([&] { return std::filesystem::exists(site.hub->store() + "/ballast"); })) {
    report.failed(where + "the hub sets no ballast aside");
  }
  if (Status status = site.disk->fill_to(free); !status) return status;
  judge_level(site, where, acked, free, report);
  site.hub->kill9();
  if (Status started = site.hub->start(); !started) {
    report.failed(where + "the hub does not start again: " + describe(started.error()));
    site.disk->empty();
    if (Status status = site.hub->start(); !status) return status;
  } else {
    report.count("starts_on_full_disk");
  }
  site.agent->follow_hub();
  judge_acked_values(site, where, acked, report);
  if (!site.agent->wait_equal()) report.failed(where + "the zone is not served after a restart");
  if (level + 1 == std::size(kLevels)) judge_fresh_zone(site, where, level, report);
  site.disk->empty();
  // The same process, without being told.
  const bool accepts = eventually([&] { return site.hub->put(name + "-after", "v") > 0; });
  if (accepts && site.hub->running() && site.agent->wait_equal()) {
    report.count("recovered");
  } else {
    report.failed(where + "the hub does not recover when space returns: " + site.hub->said());
  }
  judge_acked_values(site, where, acked, report);
  for (const auto& [written, value] : acked) {
    static_cast<void>(site.hub->call("DELETE", "/meshes/default/meshtimeouts/" + written));
  }
  acked.clear();
  return {};
}

}  // namespace

Status run_disk_full(const CampaignOptions& options, CampaignReport& report) {
  for (const char* name : {"lost", "levels_accepted", "levels_refused", "zones_served",
                           "starts_on_full_disk", "recovered"}) {
    report.count(name, 0);
  }
  Site site;
  if (Status status = site.make(options); !status) return status;
  std::map<std::string, std::string> acked;
  const unsigned levels = std::min<unsigned>(options.rounds, std::size(kLevels));
  for (unsigned i = 0; i < levels; ++i) {
    // Fewer rounds than levels: evenly, and the full disk always.
    const unsigned level = static_cast<unsigned>(std::size(kLevels)) - 1 -
                           (levels - 1 - i) * static_cast<unsigned>(std::size(kLevels)) / levels;
    if (Status status = one_level(site, level, acked, report); !status) return status;
    report.round_done();
  }
  site.hub->kill9();
  return {};
}

}  // namespace zonesync::campaigns

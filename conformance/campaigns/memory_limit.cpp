// `memory-limit`: a first sync that is larger than all the memory the hub may use.
#include "conformance/campaigns/bulk.hpp"
#include "conformance/campaigns/campaign.hpp"
#include "conformance/campaigns/memory_group.hpp"
#include "conformance/campaigns/nodes.hpp"

namespace zonesync::campaigns {
namespace {

constexpr std::uint64_t kMiB = 1u << 20;
constexpr std::uint64_t kLimit = 192 * kMiB;
constexpr std::uint64_t kTooLittle = 24 * kMiB;     // sabotage: no hub lives in that
constexpr Bulk kBulk{.resources = 9'600, .value_bytes = 32u << 10, .per_transaction = 100};
constexpr std::uint64_t kContentBytes = kBulk.resources * kBulk.value_bytes;  // 300 MiB
constexpr int kZones = 2;
constexpr auto kSyncDeadline = std::chrono::minutes(5);

Status one_round(const CampaignOptions& options, std::mt19937_64& random, unsigned round,
                 CampaignReport& report) {
  const std::string where = "round " + std::to_string(round) + ": ";
  auto group = MemoryGroup::create(options.sabotage ? kTooLittle : kLimit);
  if (!group) return fail(std::move(group.error()));
  Scratch scratch;
  HubNode hub(options.bin_dir, scratch.file("hub"));
  if (Status status = hub.init(); !status) return status;
  if (Status status = hub.start(); !status) return status;
  if (Status status = group->add(hub.process().pid()); !status) return status;
  std::vector<std::unique_ptr<AgentNode>> zones;
  const auto judge = [&](bool all, const std::string& what) {
    report.set("limit_bytes", options.sabotage ? kTooLittle : kLimit);
    report.set("content_bytes", kContentBytes);
    report.set("hub_most_bytes", group->most_bytes());
    report.count("killed_by_kernel", group->kills());
    if (group->kills() > 0 || !hub.running()) {
      report.failed(where + "the hub does not live within its limit: " + what);
    } else if (!all) {
      report.failed(where + "the zones do not converge: " + what);
    }
  };
  if (Status status = load(hub, kBulk, random); !status) {
    judge(false, describe(status.error()));
    hub.kill9();
    return {};
  }
  const std::uint64_t head = hub.head();
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < kZones; ++i) {
    const std::string name = "zone" + std::to_string(i);
    zones.push_back(std::make_unique<AgentNode>(hub, scratch.file(name), name));
    if (Status status = zones.back()->start(); !status) return status;
  }
  const bool all = eventually([&] {
    for (const auto& zone : zones) {
      if (!hub.converged(zone->zone(), head)) return !hub.running();
    }
    return true;
  }, kSyncDeadline);
  report.set("first_sync_s",
             std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  judge(all, hub.running() ? "" : "it died in the first sync");
  report.count("zones_converged", all && hub.running() ? kZones : 0);
  for (auto& zone : zones) zone->kill9();
  hub.kill9();
  return {};
}

}  // namespace

Status run_memory_limit(const CampaignOptions& options, CampaignReport& report) {
  report.count("zones_converged", 0);
  std::mt19937_64 random(options.seed);
  for (unsigned round = 1; round <= options.rounds && report.good(); ++round) {
    if (Status status = one_round(options, random, round, report); !status) return status;
    report.round_done();
  }
  return {};
}

}  // namespace zonesync::campaigns

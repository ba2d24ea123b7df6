// `interrupted-sync`: a first sync of hundreds of megabytes in several attempts. Nothing travels
// twice, and the agent stays within bounds.
#include <filesystem>

#include "conformance/campaigns/bulk.hpp"
#include "conformance/campaigns/campaign.hpp"
#include "conformance/campaigns/measure.hpp"
#include "conformance/campaigns/nodes.hpp"
#include "protocol/model/limits.hpp"

namespace zonesync::campaigns {
namespace {

constexpr Bulk kBulk{.resources = 300'000, .value_bytes = 1'000, .per_transaction = 2'000};
constexpr std::uint64_t kContentBytes = kBulk.resources * kBulk.value_bytes;
constexpr std::uint64_t kAgentMaxKib = (kContentBytes * 7 / 2 + (128u << 20)) / 1'024;
constexpr auto kSyncDeadline = std::chrono::minutes(15);

/// One agent, its link and its memory; several processes one after the other.
class Zone {
 public:
  Zone(HubNode& hub, Scratch& scratch, std::string name)
      : hub_(hub), node_(hub, scratch.file(name), name) {
    node_.set_bare();
  }

  Status start() {
    if (Status status = node_.start(); !status) return status;
    memory_ = std::make_unique<MemoryWatch>(node_.process().pid());
    return {};
  }
  [[nodiscard]] bool wait_converged(std::uint64_t head) {
    return eventually([&] { return hub_.converged(node_.zone(), head); }, kSyncDeadline);
  }
  [[nodiscard]] bool wait_down(std::uint64_t bytes) {
    return eventually([&] { return down_bytes() >= bytes; }, kSyncDeadline);
  }
  [[nodiscard]] std::uint64_t down_bytes() {
    return node_.proxy().counters().bytes_to_client;
  }
  void end_process(bool keep_stage) {
    note_memory();
    node_.stop();
    if (!keep_stage) std::filesystem::remove(node_.store() + "/stage.journal");
  }
  std::uint64_t most_kib() {
    note_memory();
    return most_kib_;
  }
  AgentNode& node() { return node_; }

 private:
  void note_memory() {
    if (!memory_) return;
    memory_->stop();
    most_kib_ = std::max<std::uint64_t>(most_kib_, memory_->most_kib());
  }

  HubNode& hub_;
  AgentNode node_;
  std::unique_ptr<MemoryWatch> memory_;
  std::uint64_t most_kib_ = 0;
};

/// What it costs undisturbed.
Status sync_straight(Zone& zone, std::uint64_t head, CampaignReport& report) {
  const auto began = std::chrono::steady_clock::now();
  if (Status status = zone.start(); !status) return status;
  if (!zone.wait_converged(head)) {
    return fail(ErrorCode::timeout, "a first sync does not end", zone.node().zone());
  }
  report.set("straight_s",
             std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  report.set("straight_bytes", zone.down_bytes());
  report.set("agent_kib_straight", zone.most_kib());
  zone.node().stop();
  return {};
}

Status sync_interrupted(Zone& zone, std::uint64_t whole, std::uint64_t head,
                        const CampaignOptions& options, CampaignReport& report) {
  if (Status status = zone.start(); !status) return status;
  if (!zone.wait_down(whole / 3)) return fail(ErrorCode::timeout, "the sync does not begin");
  zone.node().proxy().reset_connections();
  if (!zone.wait_down(whole * 2 / 3)) return fail(ErrorCode::timeout, "the sync does not go on");
  const auto first = zone.node().status_number("/counters/resumes");
  zone.end_process(!options.sabotage);
  if (Status status = zone.start(); !status) return status;
  if (!zone.wait_converged(head)) {
    report.failed("an interrupted first sync does not end");
    return {};
  }
  const bool counted = eventually([&] {
    return number_at(zone.node().status(), "/counters/resumes") >= (options.sabotage ? 0 : 1);
  });
  const auto second = zone.node().status_number("/counters/resumes");
  report.set("interrupted_bytes", zone.down_bytes());
  report.set("agent_kib_interrupted", zone.most_kib());
  report.count("resumes", static_cast<std::uint64_t>(std::max<std::int64_t>(0, first) +
                                                     std::max<std::int64_t>(0, second)));
  if (!counted || first < 1) report.failed("an attempt began anew");
  if (zone.down_bytes() > whole * 21 / 20 + 2 * limits::kFlowWindowBytes) {
    report.failed("what was staged travelled again: " + std::to_string(zone.down_bytes()) +
                  " bytes instead of " + std::to_string(whole));
  }
  zone.node().stop();
  return {};
}

}  // namespace

Status run_interrupted_sync(const CampaignOptions& options, CampaignReport& report) {
  report.count("equal", 0);
  report.set("content_bytes", kContentBytes);
  std::mt19937_64 random(options.seed);
  Scratch scratch;
  HubNode hub(options.bin_dir, scratch.file("hub"));
  if (Status status = hub.init(); !status) return status;
  if (Status status = hub.start(); !status) return status;
  if (Status status = load(hub, kBulk, random); !status) return status;
  const std::uint64_t head = hub.head();
  for (unsigned round = 1; round <= options.rounds && report.good(); ++round) {
    Zone straight(hub, scratch, "straight" + std::to_string(round));
    if (Status status = sync_straight(straight, head, report); !status) return status;
    Zone disturbed(hub, scratch, "disturbed" + std::to_string(round));
    const std::uint64_t whole = straight.down_bytes();
    if (Status status = sync_interrupted(disturbed, whole, head, options, report); !status) {
      return status;
    }
    if (std::max(straight.most_kib(), disturbed.most_kib()) > kAgentMaxKib) {
      report.failed("an agent takes more than " + std::to_string(kAgentMaxKib) + " KiB");
    }
    report.count("equal", report.good() ? 2 : 0);
    report.round_done();
  }
  hub.kill9();
  return {};
}

}  // namespace zonesync::campaigns

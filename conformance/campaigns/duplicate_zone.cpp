// `duplicate-zone`: two agents with one identity, as after a copied machine or a bad rollout.
#include <signal.h>

#include "conformance/campaigns/campaign.hpp"
#include "conformance/campaigns/nodes.hpp"
#include "protocol/model/limits.hpp"

namespace zonesync::campaigns {
namespace {

constexpr int kExitSuperseded = 3;        // of zonesync-agent
constexpr std::int64_t kSuperseded = 4409;
constexpr std::int64_t kRateLimited = 4429;
constexpr int kWrites = 20;
constexpr auto kToldDeadline = std::chrono::seconds(20);

struct Site {
  explicit Site(const CampaignOptions& options)
      : sabotage(options.sabotage), hub(options.bin_dir, scratch.file("hub")) {}
  bool sabotage;
  Scratch scratch;
  HubNode hub;
  std::unique_ptr<AgentNode> one, other;
  std::vector<std::string> published;     // that the hub had

  Status start() {
    if (Status status = hub.init(); !status) return status;
    if (Status status = hub.start(); !status) return status;
    one = std::make_unique<AgentNode>(hub, scratch.file("one"), "east");
    other = std::make_unique<AgentNode>(hub, scratch.file("other"), sabotage ? "west" : "east");
    return {};
  }
  [[nodiscard]] boost::json::value east() { return hub.zone("east"); }
  [[nodiscard]] bool holds(const std::string& name) {
    const auto answer = hub.call("GET", "/meshes/default/meshtimeouts/" + name + "?origin=east");
    return text_at(parse_or_null(answer.body), "/spec/value") == name;
  }
  /// A publication of this agent that reached the hub.
  void publish(AgentNode& agent, const std::string& where, const std::string& name,
               CampaignReport& report) {
    agent.publish(name, name);
    if (eventually([&] { return holds(name); })) {
      report.count("published");
      published.push_back(name);
    } else {
      report.failed(where + "the hub does not get " + name + ": " +
                    agent.process().recent_lines(10));
    }
  }
};

/// `newer` starts while `older` is connected: the older one is told, ends, and stays away.
void take_over(Site& site, const std::string& where, AgentNode& older, AgentNode& newer,
               bool asleep, CampaignReport& report) {
  const std::int64_t generation = number_at(site.east(), "/generation");
  if (asleep) older.process().signal(SIGSTOP);
  if (Status status = newer.start(); !status) return report.failed(describe(status.error()));
  const bool moved = eventually([&] {
    return number_at(site.east(), "/generation") == generation + 1 &&
           site.east().as_object().at("connected") == true;
  }, kToldDeadline);
  if (asleep) older.process().signal(SIGCONT);
  if (!moved) return report.failed(where + "the newer agent does not take over");
  const auto exit = older.process().wait(kToldDeadline);
  if (!exit || exit->code != kExitSuperseded) {
    return report.failed(where + "the older agent does not end as superseded: " +
                         older.process().recent_lines(10));
  }
  report.count("takeovers");
  if (older.status_number("/last_error/close_code") == kSuperseded) {
    report.count("told_4409");
  }
  if (!newer.wait_equal()) report.failed(where + "the newer agent does not converge");
}

/// A supervisor that restarts what ends: after the limit the present agent stays.
void judge_limit(Site& site, const std::string& where, AgentNode& present, AgentNode& newcomer,
                 CampaignReport& report) {
  const auto before = site.east();
  if (Status status = newcomer.start(); !status) return report.failed(describe(status.error()));
  const bool refused = eventually([&] {
    return newcomer.status_number("/last_error/close_code") == kRateLimited;
  }, kToldDeadline);
  if (!refused) return report.failed(where + "the newcomer is not refused");
  report.count("refused_4429");
  if (site.hub.said().find("zone.duplicate") == std::string::npos) {
    report.failed(where + "the hub says nothing of a duplicate zone");
  }
  for (int i = 0; i < kWrites; ++i) {
    if (site.hub.put("n" + std::to_string(i), where) == 0) {
      report.failed(where + "a write is not accepted");
    }
  }
  if (!present.wait_equal()) report.failed(where + "the present agent is not served");
  const auto after = site.east();
  for (const char* fact : {"/session", "/generation"}) {
    if (number_at(before, fact) == number_at(after, fact)) continue;
    report.count("flaps");
    report.failed(where + "the present agent lost its session to the newcomer");
  }
  static_cast<void>(newcomer.stop());
}

Status one_round(Site& site, unsigned round, CampaignReport& report) {
  const std::string where = "round " + std::to_string(round) + ": ";
  const std::string tag = "r" + std::to_string(round);
  const bool asleep = round % 2 == 0;
  AgentNode& one = *site.one;
  AgentNode& other = *site.other;
  if (Status status = one.start(); !status) return status;
  if (!one.wait_equal()) return fail(ErrorCode::timeout, where + "no convergence at first");
  site.publish(one, where, tag + "-one", report);
  static_assert(limits::kDuplicateZoneChangesMax == 3);
  take_over(site, where, one, other, asleep, report);
  if (!report.good()) return {};
  site.publish(other, where, tag + "-other", report);
  take_over(site, where, other, one, false, report);
  if (!report.good()) return {};
  site.publish(one, where, tag + "-one-again", report);
  take_over(site, where, one, other, asleep, report);
  if (!report.good()) return {};
  judge_limit(site, where, other, one, report);
  for (const std::string& name : site.published) {
    if (site.holds(name)) continue;
    report.count("lost");
    report.failed(where + name + " was at the hub and is gone");
  }
  static_cast<void>(other.stop());
  // The limit is a matter of minutes: a new hub process counts anew.
  site.hub.kill9();
  if (Status status = site.hub.start(); !status) return status;
  one.follow_hub();
  other.follow_hub();
  return {};
}

}  // namespace

Status run_duplicate_zone(const CampaignOptions& options, CampaignReport& report) {
  Site site(options);
  for (const char* name : {"takeovers", "told_4409", "refused_4429", "flaps", "lost"}) {
    report.count(name, 0);
  }
  if (Status status = site.start(); !status) return status;
  for (unsigned round = 1; round <= options.rounds && report.good(); ++round) {
    if (Status status = one_round(site, round, report); !status) return status;
    report.round_done();
  }
  return {};
}

}  // namespace zonesync::campaigns

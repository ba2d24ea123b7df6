// `kill`: kill -9 of the hub or an agent after the k-th observed event; one cluster for all rounds.
#include <thread>

#include <boost/json/value.hpp>

#include "conformance/campaigns/campaign.hpp"
#include "conformance/campaigns/nodes.hpp"

namespace zonesync::campaigns {
namespace {

constexpr int kNames = 8;
constexpr int kWritesPerRound = 8;
constexpr int kPublishedNames = 3;

struct Cluster {
  explicit Cluster(const CampaignOptions& options)
      : hub(options.bin_dir, scratch.file("hub")) {}
  Scratch scratch;
  HubNode hub;
  std::unique_ptr<AgentNode> east;
  std::unique_ptr<AgentNode> west;
  std::map<std::string, std::string> newest;       // acknowledged, by name
  std::map<std::string, std::string> published;    // by the zone east

  Status start() {
    if (Status status = hub.init(); !status) return status;
    if (Status status = hub.start(); !status) return status;
    east = std::make_unique<AgentNode>(hub, scratch.file("east"), "east");
    west = std::make_unique<AgentNode>(hub, scratch.file("west"), "west");
    if (Status status = east->start(); !status) return status;
    return west->start();
  }
  Status restart_hub() {
    if (Status status = hub.start(); !status) return status;
    east->follow_hub();
    west->follow_hub();
    return {};
  }
};

bool saw_cut(AgentNode& agent) {
  return agent.process()
      .wait_line([](const std::string& line) {
        return line.find("agent.cut.applied") != std::string::npos;
      }, kDeadline)
      .has_value();
}

/// A write whose answer may be lost is asked for again under its key until it is acknowledged.
Status put_until_acked(Cluster& cluster, const std::string& name, const std::string& value) {
  const bool acked = eventually([&] { return cluster.hub.put(name, value, "k-" + value) > 0; });
  if (!acked) {
    return fail(ErrorCode::timeout, "the hub does not accept " + value + ": " + cluster.hub.said());
  }
  cluster.newest[name] = value;
  return {};
}

/// The victim dies while a write is under way; that one is asked for again.
Status strike(Cluster& cluster, bool hub, const std::string& name, const std::string& value) {
  const auto client = cluster.hub.new_client();
  std::thread writer([&] {
    HttpClientRequest request;
    request.method = "PUT";
    request.target = "/meshes/default/meshtimeouts/" + name;
    request.body = timeout_json(name, value);
    request.headers.set("Content-Type", "application/json");
    request.headers.set("Idempotency-Key", "k-" + value);
    static_cast<void>(client->request(std::move(request)));
  });
  Status restarted;
  if (hub) {
    cluster.hub.kill9();
    writer.join();
    restarted = cluster.restart_hub();
  } else {
    cluster.east->kill9();
    writer.join();
    restarted = cluster.east->start();
  }
  if (!restarted) return restarted;
  return put_until_acked(cluster, name, value);
}

/// How often `value` stands in the history of a key.
int effects(Cluster& cluster, const std::string& name, const std::string& origin,
            const std::string& value) {
  const HttpResponse response = cluster.hub.call(
      "GET", "/meshes/default/meshtimeouts/" + name + "/history?limit=100&origin=" + origin);
  const auto history = parse_or_null(response.body);
  const auto* items = history.is_object() ? history.as_object().if_contains("items") : nullptr;
  int found = 0;
  if (items == nullptr || !items->is_array()) return found;
  for (const auto& item : items->as_array()) {
    if (text_at(item, "/resource/spec/value") == value) ++found;
  }
  return found;
}

void judge_effects(Cluster& cluster, const std::string& where, const std::string& name,
                   const std::string& origin, const std::string& value, CampaignReport& report) {
  const int times = effects(cluster, name, origin, value);
  if (times == 1) return;
  report.count(times == 0 ? "lost" : "duplicated");
  report.failed(where + name + " of " + origin + ": " + value + " stands in the log " +
                std::to_string(times) + " times");
}

Status one_round(Cluster& cluster, std::mt19937_64& random, unsigned round,
                 CampaignReport& report) {
  const bool kill_hub = random() % 2 == 0;
  const int strike_at = 1 + static_cast<int>(random() % kWritesPerRound);
  const std::string where = "round " + std::to_string(round) + " (" +
                            (kill_hub ? "hub" : "agent") + " after event " +
                            std::to_string(strike_at) + "): ";
  std::map<std::string, std::string> written;  // value -> name
  const std::string published = "p" + std::to_string(random() % kPublishedNames);
  const std::string offered = "r" + std::to_string(round) + "-up";
  for (int i = 1; i <= kWritesPerRound; ++i) {
    const std::string name = "n" + std::to_string(random() % kNames);
    const std::string value = "r" + std::to_string(round) + "-" + std::to_string(i);
    written[value] = name;
    if (i == 2) {
      cluster.east->publish(published, offered);
      cluster.published[published] = offered;
    }
    if (i != strike_at) {
      if (Status status = put_until_acked(cluster, name, value); !status) return status;
      if (i < strike_at && !saw_cut(*cluster.east)) {
        return fail(ErrorCode::timeout, where + "no event of the agent: " +
                                            cluster.east->process().recent_lines());
      }
      continue;
    }
    report.count(kill_hub ? "hub_kills" : "agent_kills");
    if (Status status = strike(cluster, kill_hub, name, value); !status) return status;
  }
  for (const auto& [name, value] : cluster.published) {
    const bool there = eventually([&, &name = name, &value = value] {
      const auto answer = cluster.hub.call(
          "GET", "/meshes/default/meshtimeouts/" + name + "?origin=east");
      return text_at(parse_or_null(answer.body), "/spec/value") == value;
    });
    if (!there) {
      report.count("lost");
      report.failed(where + "the hub never gets " + value + " of the zone");
    }
  }
  for (const auto& [value, name] : written) {
    judge_effects(cluster, where, name, "global", value, report);
  }
  judge_effects(cluster, where, published, "east", offered, report);
  for (AgentNode* agent : {cluster.east.get(), cluster.west.get()}) {
    if (agent->wait_equal()) {
      report.count("mirrors_equal");
    } else {
      report.failed(where + "the mirror of " + agent->zone() + " differs from the hub: " +
                    agent->process().recent_lines(10));
    }
  }
  const auto now = cluster.hub.resources();
  for (const auto& [name, value] : cluster.newest) {
    const bool there = now && now->contains("global/" + name) &&
                       now->at("global/" + name).find('"' + value + '"') != std::string::npos;
    if (there) continue;
    report.count("lost");
    report.failed(where + name + " is not what was acknowledged, " + value);
  }
  return {};
}

}  // namespace

Status run_kill(const CampaignOptions& options, CampaignReport& report) {
  for (const char* name : {"lost", "duplicated", "hub_kills", "agent_kills", "mirrors_equal"}) {
    report.count(name, 0);
  }
  Cluster cluster(options);
  if (Status status = cluster.start(); !status) return status;
  std::mt19937_64 random(options.seed);
  for (unsigned round = 1; round <= options.rounds; ++round) {
    if (Status status = one_round(cluster, random, round, report); !status) return status;
    report.round_done();
  }
  const auto mismatches =
      std::max<std::int64_t>(0, number_at(cluster.east->status(), "/counters/digest_mismatches"));
  report.set("digest_mismatches", mismatches);
  if (mismatches != 0) report.failed("the agent counted digests that did not fit");
  return {};
}

}  // namespace zonesync::campaigns

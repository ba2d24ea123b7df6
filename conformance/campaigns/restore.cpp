// `restore`: an old backup, a rewound disk, an empty hub. Zones converge under the guards, nobody
// is wiped, the new era shows. A backup from before almost everything: zones hold until somebody
// approves there (FLOW-17).
#include <algorithm>
#include <atomic>
#include <thread>

#include "conformance/campaigns/campaign.hpp"
#include "conformance/campaigns/nodes.hpp"

namespace zonesync::campaigns {
namespace {

namespace fs = std::filesystem;

constexpr int kBefore = 150;  // more than the guard of mass deletes lets go
constexpr int kAfter = 40;
constexpr int kPublished = 30;
constexpr int kMuch = 400;    // behind an old backup: most of what a zone has

struct Site {
  explicit Site(const CampaignOptions& options) : hub(options.bin_dir, scratch.file("hub")) {}
  Scratch scratch;
  HubNode hub;
  std::vector<std::unique_ptr<AgentNode>> agents;
  std::string backup;      // a checkpoint of the state before
  std::string old_disk;    // a copy of all files of that time
  std::string era;         // at the end of make()

  [[nodiscard]] Status put_many(int from, int to, const std::string& value) {
    std::string body = R"({"operations":[)";
    for (int i = from; i < to; ++i) {
      body += (i == from ? "" : ",") + std::string(R"({"op":"upsert","resource":)") +
              timeout_json("n" + std::to_string(i), value) + '}';
    }
    const HttpResponse answer = hub.call("POST", "/transactions", body + "]}");
    if (answer.status == 200) return {};
    return fail(ErrorCode::unavailable, "writing: " + answer.body);
  }
  [[nodiscard]] Status wait_all(const std::string& when) {
    for (auto& agent : agents) {
      if (agent->wait_equal()) continue;
      const auto wanted = agent->expected();
      return fail(ErrorCode::timeout,
                  when + ": the mirror of " + agent->zone() + " holds " +
                      std::to_string(agent->mirror().size()) + " resources, the hub has " +
                      (wanted ? std::to_string(wanted->size()) : "no answer") + ": " +
                      agent->process().recent_lines(12));
    }
    return {};
  }
  [[nodiscard]] Status stop_hub() {
    if (hub.stop() == 0) return {};
    return fail(ErrorCode::unavailable, "the hub does not stop: " + hub.said());
  }
  [[nodiscard]] Status start_hub() {
    if (Status status = hub.start(); !status) return status;
    for (auto& agent : agents) agent->follow_hub();
    return {};
  }
  [[nodiscard]] Status store(std::vector<std::string> arguments) {
    std::vector<std::string> argv{hub.program(), "store"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    argv.insert(argv.end(), {"--store", hub.store(), "--key-file", hub.key_file()});
    const Ran ran = run(argv);
    if (ran.code == 0) return {};
    return fail(ErrorCode::unavailable, "store " + arguments[0] + ": " + ran.output);
  }
};

/// A hub with a past: state, backup, later state; two zones that know all of it.
Status make(Site& site) {
  if (Status status = site.hub.init(); !status) return status;
  if (Status status = site.hub.start(); !status) return status;
  for (const char* zone : {"east", "west"}) {
    site.agents.push_back(
        std::make_unique<AgentNode>(site.hub, site.scratch.file(zone), zone));
    if (Status status = site.agents.back()->start(); !status) return status;
  }
  if (Status status = site.put_many(0, kBefore, "before"); !status) return status;
  for (int i = 0; i < kPublished; ++i) site.agents[0]->publish("p" + std::to_string(i), "up");
  if (!eventually([&] {
        const auto now = site.hub.resources();
        return now && now->size() == static_cast<std::size_t>(kBefore + kPublished);
      })) {
    return fail(ErrorCode::timeout, "the zone's resources do not arrive");
  }
  if (Status status = site.wait_all("before the backup"); !status) return status;
  if (Status status = site.stop_hub(); !status) return status;
  // The operator's word, as after a first set-up: absences count from here on.
  if (Status status = site.store({"complete"}); !status) return status;
  site.backup = site.scratch.file("backup");
  site.old_disk = site.scratch.file("old-disk");
  if (Status status = site.store({"checkpoint", site.backup}); !status) return status;
  fs::copy(site.hub.store(), site.old_disk, fs::copy_options::recursive);
  fs::copy(site.hub.store() + ".anchor", site.old_disk + ".anchor");
  if (Status status = site.start_hub(); !status) return status;
  if (Status status = site.put_many(kBefore - 20, kBefore + kAfter, "after"); !status) {
    return status;
  }
  site.agents[0]->publish("later", "up");
  if (!eventually([&] {
        return site.hub.call("GET", "/meshes/default/meshtimeouts/later?origin=east").status == 200;
      })) {
    return fail(ErrorCode::timeout, "the zone's later resource does not arrive");
  }
  if (Status status = site.wait_all("before the loss"); !status) return status;
  site.era = site.hub.era();
  return site.stop_hub();
}

/// The fewest resources any mirror shows while `step` runs.
class WipeWatch {
 public:
  explicit WipeWatch(Site& site) : site_(site) {
    thread_ = std::thread([this] {
      while (!stop_) {
        for (auto& agent : site_.agents) least_ = std::min(least_.load(), agent->mirror().size());
        std::this_thread::sleep_for(std::chrono::milliseconds(20));  // between two looks
      }
    });
  }
  ~WipeWatch() { stop(); }
  std::size_t stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    return least_;
  }

 private:
  Site& site_;
  std::atomic<bool> stop_{false};
  std::atomic<std::size_t> least_{1'000'000};
  std::thread thread_;
};

/// Starts the hub on what is left, and judges.
Status recover(Site& site, const std::string& what, CampaignReport& report) {
  WipeWatch watch(site);
  if (Status status = site.start_hub(); !status) return status;
  const std::string era = site.hub.era();
  if (!era.empty() && era != site.era) {
    report.count("new_eras");
  } else {
    report.failed(what + ": the status shows no new era");
  }
  // What the zone owns comes back by itself.
  const bool offered = eventually([&] {
    const auto now = site.hub.resources();
    return now && std::count_if(now->begin(), now->end(), [](const auto& item) {
                    return item.first.starts_with("east/");
                  }) == kPublished + 1;
  });
  if (!offered) report.failed(what + ": the zone's own resources do not come back to the hub");
  const bool reached = eventually([&] {  // an empty hub does not even know the zones at first
    const auto waited = parse_or_null(
        site.hub.call("GET", "/wait?revision=" + std::to_string(site.hub.head()) +
                                 "&timeout=5s&zones=east,west").body);
    boost::system::error_code missing;
    const auto* all = waited.find_pointer("/reached", missing);
    return all != nullptr && all->is_bool() && all->as_bool();
  });
  if (reached) {
    report.count("zones_at_head", site.agents.size());
  } else {
    report.failed(what + ": the zones do not reach the head: " +
                  site.hub.call("GET", "/zones/_overview").body);
  }
  // Whatever the hub has, every zone has; what only zones still have is kept until it is judged.
  for (auto& agent : site.agents) {
    const bool holds = eventually([&] {
      const auto wanted = agent->expected();
      const Resources shown = agent->mirror();
      return wanted && std::all_of(wanted->begin(), wanted->end(), [&](const auto& item) {
               const auto found = shown.find(item.first);
               return found != shown.end() && found->second == item.second;
             });
    });
    if (holds) {
      report.count("zones_converged");
    } else {
      report.failed(what + ": " + agent->zone() + " lacks what the hub has");
    }
  }
  const std::size_t least = watch.stop();
  report.set(what + "_fewest_in_a_mirror", least);
  if (least < kBefore) {
    report.count("wiped");
    report.failed(what + ": a mirror went down to " + std::to_string(least) + " resources");
  }
  return {};
}

/// The operator says that nothing is missing: now the mirrors are the hub's state exactly.
Status declare_complete(Site& site, const std::string& what, CampaignReport& report) {
  if (Status status = site.stop_hub(); !status) return status;
  if (Status status = site.store({"complete"}); !status) return status;
  if (Status status = site.start_hub(); !status) return status;
  // A full answer is asked for when something differs: a zone that reconnects compares digests.
  for (auto& agent : site.agents) {
    if (agent->wait_equal(std::chrono::seconds(30))) {
      report.count("mirrors_equal");
    } else {
      const auto wanted = agent->expected();
      report.failed(what + ": the mirror of " + agent->zone() + " holds " +
                    std::to_string(agent->mirror().size()) + " resources, the hub has " +
                    (wanted ? std::to_string(wanted->size()) : "no answer"));
    }
  }
  return {};
}

Status lose(Site& site, const std::string& what) {
  fs::rename(site.hub.store(), site.hub.store() + ".lost");
  if (what == "backup") return site.store({"restore", site.backup});
  fs::remove(site.hub.store() + ".anchor");
  if (what == "rewound") {
    fs::copy(site.old_disk, site.hub.store(), fs::copy_options::recursive);
    fs::copy(site.old_disk + ".anchor", site.hub.store() + ".anchor");
  }
  return {};
}

/// A complete log from before most of what the zones have. Nobody is wiped, everybody holds, and
/// goes on when its own operator says so.
Status approve_case(const CampaignOptions& options, CampaignReport& report) {
  Site site(options);
  if (Status status = make(site); !status) return status;
  if (Status status = site.start_hub(); !status) return status;
  if (Status status = site.put_many(1'000, 1'000 + kMuch, "much"); !status) return status;
  if (Status status = site.wait_all("before the large loss"); !status) return status;
  if (Status status = site.stop_hub(); !status) return status;
  if (Status status = lose(site, "backup"); !status) return status;
  WipeWatch watch(site);
  if (Status status = site.start_hub(); !status) return status;
  for (auto& agent : site.agents) {
    const auto holds = [&] { return text_at(agent->status(), "/hold") == "mass_delete"; };
    if (eventually(holds)) {
      report.count("zones_held");
    } else {
      report.failed("held: " + agent->zone() + " does not hold");
    }
  }
  const std::size_t least = watch.stop();
  if (least < kMuch) report.failed("held: a mirror went down to " + std::to_string(least));
  for (auto& agent : site.agents) {
    const Ran ran = run({site.hub.bin_dir() + "/zonesync-agent", "approve", "--store",
                         agent->store()});
    if (ran.code != 0) report.failed("approve " + agent->zone() + ": " + ran.output);
    if (agent->wait_equal()) {
      report.count("approved_converged");
    } else {
      report.failed("approved: the mirror of " + agent->zone() + " is not the hub's state");
    }
  }
  return {};
}

Status one_case(const CampaignOptions& options, const std::string& what, CampaignReport& report) {
  Site site(options);
  if (Status status = make(site); !status) return status;
  if (Status status = lose(site, what); !status) return status;
  if (Status status = recover(site, what, report); !status) return status;
  // An empty hub knows nothing that an operator could call complete: its zones keep what they have.
  if (what == "empty") return {};
  return declare_complete(site, what, report);
}

}  // namespace

Status run_restore(const CampaignOptions& options, CampaignReport& report) {
  for (const char* name : {"new_eras", "wiped", "zones_at_head", "zones_converged",
                           "mirrors_equal", "zones_held", "approved_converged"}) {
    report.count(name, 0);
  }
  for (unsigned round = 0; round < options.rounds; ++round) {
    for (const char* what : {"backup", "rewound", "empty"}) {
      if (Status status = one_case(options, what, report); !status) {
        return fail(status.error().code, std::string(what) + ": " + status.error().message);
      }
    }
    if (Status status = approve_case(options, report); !status) {
      return fail(status.error().code, "approve: " + status.error().message);
    }
    report.round_done();
  }
  return {};
}

}  // namespace zonesync::campaigns

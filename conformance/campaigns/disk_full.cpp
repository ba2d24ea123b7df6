// `disk-full`: ten levels of free space, down to none, under a hub with a zone. At each level
// somebody also asks for a checkpoint, history is due to be trimmed, and on the fullest ones a
// backup is to be restored.
#include <iterator>

#include "conformance/campaigns/campaign.hpp"
#include "conformance/campaigns/disks.hpp"
#include "conformance/campaigns/nodes.hpp"

namespace zonesync::campaigns {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = 1u << 20;
constexpr std::uint64_t kDiskBytes = 320 * kMiB;
/// Free space after filling; the hub keeps 64 MiB in reserve.
constexpr std::uint64_t kReserve = 64 * kMiB;
/// Below this even the hub's own records are refused.
constexpr std::uint64_t kOwnReserve = 4 * kMiB;
constexpr int kOverwrites = 40;
constexpr int kKept = 10;  // revisions of history
constexpr std::uint64_t kLevels[] = {80 * kMiB, 70 * kMiB, 66 * kMiB, 63 * kMiB, 32 * kMiB,
                                     8 * kMiB,  2 * kMiB,  512u << 10, 64u << 10, 0};

struct Site {
  Scratch scratch;
  std::optional<SmallDisk> disk;
  std::optional<HubNode> hub;
  std::unique_ptr<AgentNode> agent;

  [[nodiscard]] std::string backups() const { return disk->path() + "/backups"; }
  /// A copy of the log elsewhere.
  Status make_backup() {
    const HttpResponse made = hub->call("POST", "/store/checkpoint", R"({"name":"base"})");
    if (made.status != 201) return fail(ErrorCode::storage_io, "no checkpoint: " + made.body);
    std::error_code error;
    fs::copy(backups() + "/base", scratch.file("backup"), error);
    if (!error) fs::copy(backups() + "/base.anchor", scratch.file("backup.anchor"), error);
    fs::remove_all(backups(), error);
    return error ? fail(ErrorCode::storage_io, "no backup: " + error.message()) : Status();
  }

  Status make(const CampaignOptions& options) {
    if (Status status = enter_private_mounts(); !status) return status;
    auto made = SmallDisk::create(scratch.file("disk"), kDiskBytes);
    if (!made) return fail(std::move(made.error()));
    disk.emplace(std::move(*made));
    hub.emplace(options.bin_dir, scratch.file("hub"), disk->path() + "/log");
    hub->environment.push_back("ZONESYNC_STORAGE_BALLAST=8MiB");
    hub->environment.push_back("ZONESYNC_STORAGE_BACKUP_DIR=" + backups());
    hub->environment.push_back("ZONESYNC_STORAGE_RETENTION_REVISIONS=" + std::to_string(kKept));
    if (Status status = hub->init(); !status) return status;
    if (Status status = hub->start(); !status) return status;
    if (Status status = make_backup(); !status) return status;
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

/// Made, or refused with the reason and without a trace; the hub goes on either way.
void judge_checkpoint(Site& site, const std::string& where, std::uint64_t free,
                      CampaignReport& report) {
  const HttpResponse answer = site.hub->call("POST", "/store/checkpoint", R"({"name":"level"})");
  const bool clear =
      answer.status == 503 && answer.body.find("too full for a checkpoint") != std::string::npos;
  if (clear) {
    report.count("checkpoints_refused");
    std::error_code error;
    for (const auto& item : fs::directory_iterator(site.backups(), error)) {
      report.failed(where + "the refused checkpoint left " + item.path().string());
    }
  } else if (answer.status == 201) {
    report.count("checkpoints_made");
    if (free < kReserve) report.failed(where + "a checkpoint is made from the reserve");
  } else {
    report.failed(where + "a checkpoint was answered with " + std::to_string(answer.status) +
                  ": " + answer.body);
  }
  std::error_code error;
  fs::remove_all(site.backups(), error);
  if (!site.hub->running()) report.failed(where + "a checkpoint ends the hub: " + site.hub->said());
}

/// The hub says in its own log that it refuses writes, and /readyz stays good.
void judge_said(Site& site, const std::string& where, CampaignReport& report) {
  const auto says = [&](const char* event) {
    return eventually([&] { return site.hub->said().find(event) != std::string::npos; });
  };
  if (!says("storage.space.low")) report.failed(where + "the hub's log does not say it");
  if (site.hub->readyz() != 200u) report.failed(where + "the hub is not ready for zones");
  const bool told = eventually([&] {  // looked at once a second: the line may be an older one
    const auto about = parse_or_null(site.hub->call("GET", "/").body);
    const auto* fields = about.if_object();
    const auto* refused = fields != nullptr ? fields->if_contains("writes_refused") : nullptr;
    return refused != nullptr && refused->is_bool() && refused->get_bool();
  });
  if (!told) report.failed(where + "GET / does not say it");
  report.count("levels_said");
}

/// Superseded versions go sooner or later: at the level from the reserve, at the latest afterwards.
void judge_trimmed(Site& site, const std::string& where, const std::string& name,
                   CampaignReport& report) {
  const auto versions = [&] {
    const auto body = parse_or_null(
        site.hub->call("GET", "/meshes/default/meshtimeouts/" + name + "/history?limit=100").body);
    const auto* fields = body.if_object();
    const auto* items = fields != nullptr ? fields->if_contains("items") : nullptr;
    return items != nullptr && items->is_array() ? items->get_array().size() : std::size_t{0};
  };
  const bool trimmed = eventually([&] {
    const std::size_t left = versions();
    return left > 0 && left <= kKept + 1;
  });
  if (!trimmed) return report.failed(where + "history is not trimmed when space returns");
  report.count("levels_trimmed");
}

/// A restore that does not fit says so before it begins, and leaves nothing.
void judge_restore(Site& site, const std::string& where, CampaignReport& report) {
  const std::string path = site.disk->path() + "/restored";
  const Ran ran = run({site.hub->program(), "store", "restore", site.scratch.file("backup"),
                       "--store", path, "--key-file", site.hub->key_file()});
  const bool clear =
      ran.code == 74 && ran.output.find("too full for this restore") != std::string::npos;
  if (!clear) {
    report.failed(where + "a restore ends with " + std::to_string(ran.code) + ": " + ran.output);
  }
  for (const auto& item : fs::directory_iterator(site.disk->path())) {
    const std::string name = item.path().filename();
    const bool left = name.starts_with("restored") && name != "restored.lock";
    if (left) report.failed(where + "the refused restore left " + name);
  }
  if (clear) report.count("restores_refused");
}

/// What a full disk must not stop, and what it must refuse.
void judge_operations(Site& site, const std::string& where, std::uint64_t free,
                      CampaignReport& report) {
  judge_checkpoint(site, where, free, report);
  if (free < kReserve) judge_said(site, where, report);
  if (free < kOwnReserve) judge_restore(site, where, report);
}

/// Space returns to the process that met the full disk: writes, checkpoints and trimming go on.
Status recover(Site& site, const std::string& where, const std::string& often,
               CampaignReport& report) {
  site.disk->empty();
  // The very first write, asked until the answer is no "disk full": never an end of the hub.
  const bool accepts = eventually([&] { return site.hub->put(often, "after") > 0; });
  const HttpResponse made = site.hub->call("POST", "/store/checkpoint", R"({"name":"after"})");
  std::error_code error;
  fs::remove_all(site.backups(), error);
  if (accepts && made.status == 201 && site.hub->running()) {
    report.count("resumed_without_restart");
  } else {
    report.failed(where + "does not go on when space returns: checkpoint answered " +
                  std::to_string(made.status) + " " + made.body + ": " + site.hub->said());
  }
  if (!site.hub->running()) return site.hub->start();
  judge_trimmed(site, where, often, report);
  return {};
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
  for (int i = 0; i < kOverwrites; ++i) site.hub->put(name + "-often", std::to_string(i));
  if (Status status = site.disk->fill_to(free); !status) return status;
  judge_level(site, where, acked, free, report);
  judge_operations(site, where, free, report);
  if (Status status = recover(site, where, name + "-often", report); !status) return status;
  if (Status status = site.disk->fill_to(free); !status) return status;
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
  for (const char* name : {"lost", "levels_accepted", "levels_refused", "levels_said",
                           "levels_trimmed", "zones_served", "checkpoints_made",
                           "checkpoints_refused", "restores_refused", "resumed_without_restart",
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

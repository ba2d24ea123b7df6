// `power-cut` and `fsync-error`: a disk that loses what was not synced, and one that fails.
#include <signal.h>

#include "conformance/campaigns/campaign.hpp"
#include "conformance/campaigns/disks.hpp"
#include "conformance/campaigns/writers.hpp"

namespace zonesync::campaigns {
namespace {

constexpr std::uint64_t kDiskBytes = 768u << 20;
constexpr unsigned kClients = 3;
constexpr int kStorageExit = 74;

/// A hub whose log lies on a disk of its own.
struct Machine {
  Scratch scratch;
  std::optional<LoopDisk> disk;
  std::optional<HubNode> hub;

  Status make(const CampaignOptions& options) {
    if (Status status = enter_private_mounts(); !status) return status;
    auto made = LoopDisk::create(scratch.file("disk"), kDiskBytes);
    if (!made) return fail(std::move(made.error()));
    disk.emplace(std::move(*made));
    if (Status status = disk->mount(); !status) return status;
    hub.emplace(options.bin_dir, scratch.file("hub"), disk->path() + "/log");
    hub->environment.push_back("ZONESYNC_STORAGE_BALLAST=1MiB");
    if (options.unsafe_no_sync) hub->environment.push_back("ZONESYNC_STORAGE_SYNC=unsafe_never");
    return hub->init();
  }
  /// The machine comes up again.
  Status reboot() {
    if (Status status = disk->unmount(); !status) return status;
    return disk->mount();
  }
};

/// After the reboot: the log is whole, and holds what was acknowledged where it was acknowledged.
Status judge(Machine& machine, const Writers& writers, CampaignReport& report, unsigned round) {
  const std::string where = "round " + std::to_string(round) + ": ";
  report.count("acked", writers.acked().size());
  const std::string damaged = verify_store(*machine.hub);
  if (damaged.empty()) {
    report.count("verified");
  } else {
    report.failed(where + "store verify: " + damaged + "\nRocksDB: " +
                  read_file(machine.hub->store() + "/warnings.txt"));
  }
  if (Status status = machine.hub->start(); !status) return status;
  const Judged judged = judge_acked(*machine.hub, writers.acked());
  report.count("lost", judged.lost);
  report.count("moved", judged.moved);
  const bool alarmed = machine.hub->said().find("storage.open.attention") != std::string::npos;
  if (alarmed) report.count("rewound_alarms");
  return judged.first.empty() ? Status{}
                              : fail(ErrorCode::conflict, where + judged.first);
}

Status one_power_cut(Machine& machine, std::mt19937_64& random, unsigned round,
                     const CampaignOptions& options, CampaignReport& report) {
  Writers writers(*machine.hub, kClients, "r" + std::to_string(round));
  if (!writers.wait_acked(1 + random() % 60)) {
    return fail(ErrorCode::timeout, "no writes are acknowledged: " + machine.hub->said());
  }
  // First: nobody may see the disk fail, nor answer for a sync that was under way meanwhile.
  if (Status status = machine.hub->freeze(); !status) return status;
  if (Status status = machine.disk->power_cut(); !status) return status;
  machine.hub->kill9();
  writers.stop();
  if (Status status = machine.reboot(); !status) return status;
  const Status judged = judge(machine, writers, report, round);
  if (judged) return {};
  if (judged.error().code != ErrorCode::conflict) return judged;
  if (!options.unsafe_no_sync) report.failed(judged.error().message);
  return {};
}

Status one_fsync_error(Machine& machine, std::mt19937_64& random, unsigned round,
                       CampaignReport& report) {
  const std::string where = "round " + std::to_string(round) + ": ";
  Writers writers(*machine.hub, kClients, "r" + std::to_string(round));
  if (!writers.wait_acked(1 + random() % 60)) {
    return fail(ErrorCode::timeout, "no writes are acknowledged: " + machine.hub->said());
  }
  // The hub goes on, on a file system that refuses everything, or on a device that does: then
  // writes still reach the page cache, and only a sync fails. Linux lets an fdatasync that is under
  // way in that moment succeed for data that is gone (any program shows it): so the hub stands
  // still meanwhile, and all that comes after must fail.
  const bool device = round % 2 == 0;
  report.count(device ? "device_errors" : "file_system_errors");
  if (!device) writers.stop();
  if (Status status = machine.hub->freeze(); !status) return status;
  const Status broken = device ? machine.disk->fail_device() : machine.disk->power_cut();
  machine.hub->thaw();
  if (!broken) return broken;
  std::optional<Writers> late;
  if (!device) late.emplace(*machine.hub, kClients, "late" + std::to_string(round));
  const std::optional<int> exit = machine.hub->wait_exit();
  if (exit == kStorageExit) {
    report.count("exits_74");
  } else {
    report.failed(where + "the hub did not exit with 74 but " +
                  (exit ? std::to_string(*exit) : std::string("stayed")) + ": " +
                  machine.hub->said());
    machine.hub->kill9();
  }
  if (machine.hub->said().find("hub.storage.fatal") == std::string::npos) {
    report.failed(where + "the hub did not say why it stopped");
  }
  writers.stop();
  if (late) late->stop();
  if (late && !late->acked().empty()) {
    report.failed(where + std::to_string(late->acked().size()) +
                  " writes were acknowledged on a file system that refuses everything");
  }
  if (Status status = machine.reboot(); !status) return status;
  const Status judged = judge(machine, writers, report, round);
  if (judged || judged.error().code != ErrorCode::conflict) return judged;
  report.failed(judged.error().message);
  return {};
}

}  // namespace

Status run_power_cut(const CampaignOptions& options, CampaignReport& report) {
  Machine machine;
  if (Status status = machine.make(options); !status) return status;
  std::mt19937_64 random(options.seed);
  for (const char* name : {"acked", "lost", "moved", "rewound_alarms"}) report.count(name, 0);
  report.set("unsafe_no_sync", options.unsafe_no_sync);
  if (Status status = machine.hub->start(); !status) return status;
  for (unsigned round = 1; round <= options.rounds; ++round) {
    if (Status status = one_power_cut(machine, random, round, options, report); !status) {
      return status;
    }
    report.round_done();
  }
  machine.hub->kill9();
  if (options.unsafe_no_sync && report.counted("lost") == 0) {
    report.failed("a hub that does not sync lost nothing: this check cannot fail");
  }
  if (!options.unsafe_no_sync && report.counted("rewound_alarms") != 0) {
    report.failed("a hub that lost nothing says that its log was rewound");
  }
  return {};
}

Status run_fsync_error(const CampaignOptions& options, CampaignReport& report) {
  Machine machine;
  if (Status status = machine.make(options); !status) return status;
  std::mt19937_64 random(options.seed);
  for (const char* name :
       {"acked", "lost", "moved", "exits_74", "file_system_errors", "device_errors"}) {
    report.count(name, 0);
  }
  if (Status status = machine.hub->start(); !status) return status;
  for (unsigned round = 1; round <= options.rounds; ++round) {
    if (Status status = one_fsync_error(machine, random, round, report); !status) return status;
    report.round_done();
  }
  machine.hub->kill9();
  return {};
}

}  // namespace zonesync::campaigns

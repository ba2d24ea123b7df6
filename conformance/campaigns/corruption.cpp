// `corruption`: one flipped bit per kind of file, cut, emptied and lost files. Each case must be
// refused with the file, a reason and an exit code, or repaired and said, or do no harm at all.
#include <algorithm>
#include <fstream>

#include "conformance/campaigns/campaign.hpp"
#include "conformance/campaigns/nodes.hpp"

namespace zonesync::campaigns {
namespace {

namespace fs = std::filesystem;

constexpr int kStorageExit = 74;

struct Damage {
  std::string name;              // "sst/flip"
  std::string file;              // relative to the copy
};

constexpr std::uintmax_t kTailBytes = 64;  // where a record is that may pass for a torn one

/// In the last `within` bytes.
bool flip_bit(const std::string& path, std::uintmax_t within, std::mt19937_64& random) {
  const auto size = fs::file_size(path);
  if (size == 0) return false;
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto at = static_cast<std::streamoff>(size - 1 - random() % std::min(size, within));
  char byte = 0;
  file.seekg(at).get(byte);
  byte = static_cast<char>(byte ^ (1 << (random() % 8)));
  file.seekp(at).put(byte);
  return file.good();
}

/// Applies what the name says behind its last slash.
bool damage(const std::string& root, const Damage& one, std::mt19937_64& random) {
  const std::string path = root + "/" + one.file;
  const std::string how = one.name.substr(one.name.rfind('/') + 1);
  if (how == "flip") return flip_bit(path, UINTMAX_MAX, random);
  if (how == "tail-flip") return flip_bit(path, kTailBytes, random);
  std::error_code failed;
  if (how == "lost") return fs::remove(path, failed);
  const auto size = fs::file_size(path, failed);
  if (how == "cut" && size > 1) fs::resize_file(path, 1 + random() % (size - 1), failed);
  if (how == "tail-cut" && size > kTailBytes) {
    fs::resize_file(path, size - 1 - random() % kTailBytes, failed);
  }
  if (how == "empty") fs::resize_file(path, 0, failed);
  return !failed;
}

std::string kind_of(const std::string& file) {
  const std::string name = fs::path(file).filename().string();
  if (name.ends_with(".sst")) return "sst";
  if (name.ends_with(".log")) return "wal";
  if (name.starts_with("MANIFEST")) return "manifest";
  if (name.starts_with("OPTIONS")) return "options";
  if (name == "CURRENT") return "current";
  if (name == "IDENTITY") return "identity";
  if (name == "file.marks") return "marks";
  if (name.ends_with(".anchor")) return "anchor";
  return {};
}

std::vector<std::string> files_under(const std::string& root) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    files.push_back(entry.path().string().substr(root.size() + 1));
  }
  std::sort(files.begin(), files.end());
  return files;
}

void copy_over(const std::string& from, const std::string& to) {
  fs::remove_all(to);
  fs::copy(from, to, fs::copy_options::recursive);
}

// -- the hub's log --------------------------------------------------------------------------------

struct HubCase {
  HubNode& hub;
  const Damage& damage;
  const Resources& truth;
  const std::string& where;
  CampaignReport& report;
};

/// What a hub that started shows, compared with the truth.
void judge_running(HubCase& test) {
  const auto shown = test.hub.resources();
  const std::string said = test.hub.said();
  const bool told = said.find("storage.open.attention") != std::string::npos;
  if (!shown) {
    // A block that cannot be read is refused where it is read, and logged with its reason: in
    // another pipe than the answer came from.
    const bool reason = eventually([&] {
      const std::string now = test.hub.said();
      return now.find("orrupt") != std::string::npos || now.find("hecksum") != std::string::npos;
    });
    test.report.count("refused_at_read");
    if (!reason) test.report.failed(test.where + "a read fails and nobody says why: " + said);
    return;
  }
  if (*shown == test.truth) {
    test.report.count(told ? "repaired_and_said" : "harmless");
  } else if (told) {
    test.report.count("loss_said");
  } else {
    test.report.count("silent_wrong");
    test.report.failed(test.where + "the hub shows " + std::to_string(shown->size()) + " of " +
                       std::to_string(test.truth.size()) + " resources and says nothing");
  }
}

void judge_refusal(HubCase& test, const std::string& error) {
  const int code = test.hub.exit_code();
  const std::string name = fs::path(test.damage.file).filename().string();
  const bool names_file = error.find(name) != std::string::npos;
  test.report.count("refused");
  if (code != kStorageExit) {
    test.report.failed(test.where + "refused with exit " + std::to_string(code) + ": " + error);
  } else if (!names_file || error.find("reason=") == std::string::npos) {
    test.report.failed(test.where + "refused without " + name + " and reason: " + error);
  }
}

void one_hub_case(HubNode& hub, const std::string& pristine, const std::string& root,
                  const Damage& one, std::mt19937_64& random, const Resources& truth,
                  CampaignReport& report) {
  copy_over(pristine, root);
  if (!damage(root, one, random)) return;
  report.count("cases");
  const std::string where = one.name + " (" + one.file + "): ";
  HubCase test{hub, one, truth, where, report};
  if (const Status started = hub.start(); !started) {
    judge_refusal(test, hub.said());
  } else {
    judge_running(test);
    hub.kill9();
  }
}

std::vector<Damage> hub_damages(const std::string& pristine) {
  std::vector<Damage> list;
  for (const std::string& file : files_under(pristine)) {
    const std::string kind = kind_of(file);
    if (kind.empty()) continue;
    for (const char* how : {"flip", "cut", "empty", "lost", "tail-flip", "tail-cut"}) {
      list.push_back({kind + '/' + how, file});
    }
  }
  return list;
}

/// A log with tables, one of which a recovery behind a crash made, and with a write-ahead log that
/// holds more.
Status make_log(HubNode& hub, Resources& truth) {
  if (Status status = hub.start(); !status) return status;
  const auto write = [&](int from, int to) -> Status {
    std::string body = R"({"operations":[)";
    for (int i = from; i < to; ++i) {
      body += (i == from ? "" : ",") + std::string(R"({"op":"upsert","resource":)") +
              timeout_json("n" + std::to_string(i), "v" + std::to_string(i)) + '}';
    }
    const HttpResponse answer = hub.call("POST", "/transactions", body + "]}");
    if (answer.status == 200) return {};
    return fail(ErrorCode::unavailable, "writing: " + answer.body);
  };
  for (int from = 0; from < 2'000; from += 500) {
    if (Status status = write(from, from + 500); !status) return status;
  }
  if (hub.stop() != 0) return fail(ErrorCode::unavailable, "the hub does not stop: " + hub.said());
  const Ran compacted = run({hub.program(), "store", "compact", "--store", hub.store()});
  if (compacted.code != 0) return fail(ErrorCode::unavailable, compacted.output);
  if (Status status = hub.start(); !status) return status;
  if (Status status = write(1'900, 2'100); !status) return status;
  hub.kill9();
  if (Status status = hub.start(); !status) return status;
  if (Status status = write(2'000, 2'200); !status) return status;
  if (hub.put("last", "of all") == 0) return fail(ErrorCode::unavailable, "the last write");
  const auto shown = hub.resources();
  if (!shown) return fail(ErrorCode::unavailable, "the state cannot be read");
  truth = *shown;
  if (hub.stop() != 0) return fail(ErrorCode::unavailable, "the hub does not stop: " + hub.said());
  return {};
}

Status corrupt_hub(const CampaignOptions& options, Scratch& scratch, std::mt19937_64& random,
                   CampaignReport& report) {
  const std::string root = scratch.file("root");
  fs::create_directories(root);
  HubNode hub(options.bin_dir, scratch.file("hub"), root + "/log");
  hub.environment.push_back("ZONESYNC_STORAGE_BALLAST=0");
  if (Status status = hub.init(); !status) return status;
  Resources truth;
  if (Status status = make_log(hub, truth); !status) return status;
  const std::string pristine = scratch.file("pristine");
  copy_over(root, pristine);
  for (unsigned round = 0; round < options.rounds; ++round) {
    for (const Damage& one : hub_damages(pristine)) {
      const bool again = one.name.ends_with("flip") || one.name.ends_with("cut");
      if (round > 0 && !again) continue;  // the same as before
      one_hub_case(hub, pristine, root, one, random, truth, report);
    }
    report.round_done();
  }
  return {};
}

// -- an agent's store -----------------------------------------------------------------------------

/// Damaged journal or snapshot: refused with its name, or the agent comes back to the truth.
void one_agent_case(AgentNode& agent, const std::string& pristine, const Damage& one,
                    std::mt19937_64& random, CampaignReport& report) {
  copy_over(pristine, agent.store());
  if (!damage(agent.store(), one, random)) return;
  report.count("agent_cases");
  const std::string where = "agent " + one.name + " (" + one.file + "): ";
  if (Status status = agent.start(); !status) return report.failed(describe(status.error()));
  const bool settled = eventually([&] {
    const auto wanted = agent.expected();
    return !agent.running() || (wanted && *wanted == agent.mirror());
  });
  if (agent.running()) {
    if (settled && agent.wait_equal()) {
      report.count("agent_right");
    } else {
      report.failed(where + "the mirror is wrong: " + agent.process().recent_lines(10));
    }
    agent.kill9();
    return;
  }
  const auto exit = agent.process().wait(kDeadline);
  const std::string said = agent.process().recent_lines(20);
  report.count("agent_refused");
  const bool named = said.find(fs::path(one.file).filename().string()) != std::string::npos ||
                     said.find(agent.store()) != std::string::npos;
  if (!exit || exit->signal != 0 || exit->code == 0 || !named) {
    report.failed(where + "refused without exit code or file: " + said);
  }
}

Status corrupt_agent(const CampaignOptions& options, Scratch& scratch, std::mt19937_64& random,
                     CampaignReport& report) {
  HubNode hub(options.bin_dir, scratch.file("hub2"));
  if (Status status = hub.init(); !status) return status;
  if (Status status = hub.start(); !status) return status;
  AgentNode agent(hub, scratch.file("agent"), "east");
  if (Status status = agent.start(); !status) return status;
  for (int i = 0; i < 60; ++i) {
    if (hub.put("n" + std::to_string(i % 20), "v" + std::to_string(i)) == 0) {
      return fail(ErrorCode::unavailable, "writing: " + hub.said());
    }
  }
  if (!agent.wait_equal()) return fail(ErrorCode::timeout, "the agent does not converge");
  agent.stop();
  const std::string pristine = scratch.file("pristine-agent");
  copy_over(agent.store(), pristine);
  for (unsigned round = 0; round < options.rounds; ++round) {
    for (const std::string& file : files_under(pristine)) {
      const std::string kind = fs::path(file).filename().string();
      for (const char* how : {"flip", "cut", "empty", "lost"}) {
        const bool again = std::string(how) == "flip" || std::string(how) == "cut";
        if (round > 0 && !again) continue;
        one_agent_case(agent, pristine, {kind + '/' + how, file}, random, report);
      }
    }
  }
  hub.kill9();
  return {};
}

}  // namespace

Status run_corruption(const CampaignOptions& options, CampaignReport& report) {
  for (const char* name : {"cases", "silent_wrong", "refused", "refused_at_read",
                           "repaired_and_said", "loss_said", "harmless", "agent_cases",
                           "agent_right", "agent_refused"}) {
    report.count(name, 0);
  }
  std::mt19937_64 random(options.seed);
  Scratch scratch;
  if (Status status = corrupt_hub(options, scratch, random, report); !status) return status;
  return corrupt_agent(options, scratch, random, report);
}

}  // namespace zonesync::campaigns

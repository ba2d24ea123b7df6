#include "server/demo/demo.hpp"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <thread>

#include "server/demo/control.hpp"
#include "server/demo/generator.hpp"
#include "server/demo/screen.hpp"
#include "server/demo/world.hpp"

namespace zonesync::demo {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kConnectDeadline = 60s;
constexpr auto kEndDeadline = 30s;
constexpr std::size_t kLoadBatch = 500;
constexpr unsigned kZoneChangeEvery = 4;  // one change in four happens in a zone

volatile sig_atomic_t interrupted = 0;
void on_signal(int) { interrupted = 1; }

void say(const std::string& line) {
  std::fprintf(stderr, "zonesync-hub demo: %s\n", line.c_str());
}

Result<std::string> obey(World& world, const std::string& request) {
  const std::size_t space = request.find(' ');
  const std::string verb = request.substr(0, space);
  const std::string zone = space == std::string::npos ? "" : request.substr(space + 1);
  if (verb != "cut" && verb != "heal" && verb != "slow" && verb != "poison") {
    return fail(ErrorCode::invalid_argument, "unknown verb '" + verb + "'");
  }
  if (verb == "poison" || verb == "heal") {
    if (auto done = world.set_poison(zone, verb == "poison"); !done) return fail(done.error());
    if (verb == "poison") return verb + " " + zone + " (see: zonesync sync errors)";
  }
  if (auto done = world.set_link(zone, verb == "heal" ? "ok" : verb); !done) {
    return fail(done.error());
  }
  return verb + " " + zone;
}

/// Loads the initial state: the hub's by transactions, each zone's through its publish directory.
Status load(World& world, const Generator& generator, const DemoOptions& options) {
  std::vector<Resource> batch;
  const auto flush = [&]() -> Status {
    if (batch.empty()) return {};
    Status status = world.apply(batch);
    batch.clear();
    return status;
  };
  for (Resource& resource : generator.initial()) {
    batch.push_back(std::move(resource));
    if (batch.size() < kLoadBatch) continue;
    if (auto status = flush(); !status) return status;
  }
  if (auto status = flush(); !status) return status;
  for (const std::string& zone : zone_names(options.zones)) {
    for (const Resource& resource : generator.zone_initial(zone)) {
      if (auto status = world.publish(zone, resource); !status) return status;
    }
  }
  return {};
}

/// One run from loaded to ended.
class Show {
 public:
  Show(World& world, Generator& generator, const DemoOptions& options)
      : world_(world), generator_(generator), options_(options), started_(Clock::now()) {}

  int run() {
    if (!wait_connected()) return 1;
    const auto begin = Clock::now();
    auto next_change = begin;
    auto next_status = begin;
    while (interrupted == 0 && !over(begin)) {
      const auto now = Clock::now();
      if (now >= next_status) {
        if (!show()) return 1;
        next_status += 1s;
      }
      if (options_.rate > 0 && now >= next_change) {
        if (auto status = change(); !status) say("change refused: " + describe(status.error()));
        next_change += std::chrono::duration_cast<Clock::duration>(
            std::chrono::duration<double>(1.0 / options_.rate));
        if (next_change < now - 1s) next_change = now;  // fell behind: do not burst
      } else {
        std::this_thread::sleep_for(5ms);
      }
    }
    return finish();
  }

 private:
  bool over(Clock::time_point begin) const {
    return options_.exit_after.count() > 0 && Clock::now() - begin >= options_.exit_after;
  }

  bool wait_connected() {
    const auto until = Clock::now() + kConnectDeadline;
    while (interrupted == 0) {
      auto overview = world_.overview();
      std::size_t connected = 0;
      if (overview) {
        for (const ZoneRow& zone : overview->zones) connected += zone.connected ? 1 : 0;
        if (connected == overview->zones.size()) return write_ready();
      }
      if (const std::string dead = world_.dead_process(); !dead.empty()) {
        say("ended unexpectedly: " + dead);
        return false;
      }
      if (Clock::now() > until) {
        say("not all zones connected in time");
        return false;
      }
      std::this_thread::sleep_for(50ms);
    }
    return true;
  }

  bool write_ready() {
    if (!options_.headless) std::fputs(banner(world_).c_str(), stdout);
    if (options_.ready_file.empty()) return true;
    const std::string beside = options_.ready_file + ".new";
    std::ofstream file(beside, std::ios::trunc);
    file << world_.ready_json() << '\n';
    file.close();
    if (file && std::rename(beside.c_str(), options_.ready_file.c_str()) == 0) return true;
    say("cannot write the ready file " + options_.ready_file);
    return false;
  }

  Status change() {
    if (++changes_ % kZoneChangeEvery == 0) {
      const auto zones = zone_names(options_.zones);
      const std::string& zone = zones[(changes_ / kZoneChangeEvery) % zones.size()];
      return world_.publish(zone, generator_.next_of_zone(zone));
    }
    Generator::Step step = generator_.next();
    return step.remove ? world_.remove(step.resource.key) : world_.apply({step.resource});
  }

  bool show() {
    if (const std::string dead = world_.dead_process(); !dead.empty()) {
      say("ended unexpectedly: " + dead);
      return false;
    }
    auto overview = world_.overview();
    if (!overview) {
      say(describe(overview.error()));
      return true;  // the hub may be busy; the next second tells
    }
    if (options_.headless) {
      const auto since =
          std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started_);
      std::printf("%s\n", status_line(*overview, since).c_str());
    } else {
      const std::string text = table(*overview);
      if (shown_ && ::isatty(STDOUT_FILENO) == 1) {
        std::printf("\x1b[%zuA\x1b[J", overview->zones.size() + 2);
      }
      std::fputs(text.c_str(), stdout);
      shown_ = true;
    }
    std::fflush(stdout);
    return true;
  }

  /// Writes have stopped: every zone must reach the head, publishers' last documents included.
  int finish() {
    bool ok = false;
    const auto until = Clock::now() + kEndDeadline;
    Result<Overview> overview = world_.overview();
    std::this_thread::sleep_for(2s);  // two scans of the publish directories
    while (!ok && Clock::now() < until) {
      ok = world_.wait_all(5s);
      overview = world_.overview();
      if (!overview) break;
      for (const ZoneRow& zone : overview->zones) ok = ok && zone.connected && zone.lag == 0;
    }
    if (!overview) {
      say(describe(overview.error()));
      return 1;
    }
    if (options_.headless) {
      std::printf("%s\n", end_line(*overview, ok).c_str());
    } else {
      std::printf("%s\nok: %s\n", table(*overview).c_str(), ok ? "true" : "false");
    }
    std::fflush(stdout);
    return ok ? 0 : 1;
  }

  World& world_;
  Generator& generator_;
  const DemoOptions& options_;
  Clock::time_point started_;
  std::uint64_t changes_ = 0;
  bool shown_ = false;
};

}  // namespace

int run_demo(const DemoOptions& options) {
  struct sigaction action {};
  action.sa_handler = on_signal;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
  say("starting a hub and " + std::to_string(options.zones) + " zones");
  auto world = World::start(options);
  if (!world) {
    say(describe(world.error()));
    return 1;
  }
  Generator generator(options.seed, options.resources, zone_names(options.zones));
  if (auto loaded = load(**world, generator, options); !loaded) {
    say("cannot load the mesh: " + describe(loaded.error()));
    return 1;
  }
  auto control = ControlServer::start(
      ((*world)->directory() / "control.sock").string(),
      [&world](const std::string& request) { return obey(**world, request); });
  if (!control) say("verbs are off: " + describe(control.error()));
  Show show(**world, generator, options);
  return show.run();
}

int run_demo_verb(const std::string& verb, const std::string& zone) {
  auto answer = send_control(verb + " " + zone);
  if (!answer) {
    std::fprintf(stderr, "error: %s\n", answer.error().message.c_str());
    return 1;
  }
  std::printf("%s\n", answer->c_str());
  return 0;
}

}  // namespace zonesync::demo

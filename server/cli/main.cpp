// zonesync: the command line of a hub.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <thread>

#include <unistd.h>

#include "protocol/runtime/core_dumps.hpp"
#include "server/cli/program.hpp"

namespace {

std::atomic<bool> g_interrupted{false};

void interrupt(int /*signal*/) {
  // A second one ends the program at once: something does not come back.
  if (g_interrupted.exchange(true)) std::_Exit(130);
}

/// Sleeps in small steps, so that an interrupt ends it.
void sleep_interruptibly(zonesync::Duration duration) {
  constexpr auto kStep = std::chrono::milliseconds(50);
  const auto until = std::chrono::steady_clock::now() + duration;
  while (!g_interrupted && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kStep);
  }
}

}  // namespace

int main(int argc, char** argv) {
  using namespace zonesync;
  disable_core_dumps();
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  std::signal(SIGPIPE, SIG_IGN);
  cli::World world{
      std::cin,
      std::cout,
      std::cerr,
      isatty(STDOUT_FILENO) == 1,
      [](const char* name) -> std::optional<std::string> {
        const char* value = std::getenv(name);
        if (value == nullptr || *value == '\0') return {};
        return value;
      },
      cli::open_channel,
      [] {
        return std::chrono::duration_cast<std::chrono::milliseconds>(
                   std::chrono::system_clock::now().time_since_epoch())
            .count();
      },
      {sleep_interruptibly, [] { return std::chrono::steady_clock::now(); },
       [] { return !g_interrupted.load(); }}};
  const int code = cli::run_program(world, {argv + 1, argv + argc});
  return g_interrupted ? static_cast<int>(cli::Exit::interrupted) : code;
}

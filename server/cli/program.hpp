// The command line of `zonesync`: options, commands, exit codes.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/cli/api.hpp"

namespace zonesync::cli {

/// Everything the program touches besides its arguments; replaced in tests.
struct World {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool terminal = false;
  std::function<std::optional<std::string>(const char* name)> environment;
  std::function<Outcome<std::unique_ptr<ApiChannel>>(const ApiOptions&)> connect;
  std::function<std::int64_t()> wall_clock_ms;
  Surroundings surroundings;
};

/// Runs one command line, without the program's name; returns the exit code (outcome.hpp).
[[nodiscard]] int run_program(World& world, std::vector<std::string> arguments);

}  // namespace zonesync::cli

#include "server/cli/program.hpp"

#include <ostream>

#include <CLI/CLI.hpp>

#include "protocol/model/nearest.hpp"
#include "server/cli/command_line.hpp"

namespace zonesync::cli {
namespace {

constexpr const char* kVersion = ZONESYNC_VERSION;

Outcome<Format> format_of(const std::string& name) {
  if (name == "table") return Format::table;
  if (name == "wide") return Format::wide;
  if (name == "json") return Format::json;
  if (name == "yaml") return Format::yaml;
  return give_up(Exit::usage, "no output format '" + one_line(name) + "'",
                 "-o takes table, wide, json or yaml");
}

std::string setting(World& world, const std::string& flag, const char* variable,
                    const char* fallback) {
  if (!flag.empty()) return flag;
  return world.environment(variable).value_or(fallback);
}

Outcome<void> dispatch(World& world, const CommandLine& line, Format format) {
  if (line.version->parsed()) {
    if (for_people(format)) {
      world.out << "zonesync " << kVersion << '\n';
    } else {
      boost::json::object answer;
      answer["version"] = kVersion;
      print_value(world.out, format, boost::json::value(std::move(answer)));
    }
    return {};
  }
  ApiOptions options;
  options.url = setting(world, line.api, "ZONESYNC_API", kDefaultApi);
  options.token_file = setting(world, line.token_file, "ZONESYNC_TOKEN_FILE", "");
  options.ca_file = setting(world, line.ca_file, "ZONESYNC_CA", "");
  Outcome<std::unique_ptr<ApiChannel>> channel = world.connect(options);
  if (!channel) return give_up(channel.error());
  Api api(std::move(*channel), options.url, world.surroundings);
  Session session{api,    world.in,       world.out,            world.err,
                  format, world.terminal, world.wall_clock_ms()};
  return line.run(session);
}

/// The first word that is neither an option nor the value of a global one.
std::string first_word(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word == "--api" || word == "--token-file" || word == "--ca" || word == "-o" ||
        word == "--output") {
      ++i;
    } else if (!word.starts_with('-')) {
      return word;
    }
  }
  return {};
}

/// CLI11's text, with the nearest command when a word is none.
Failure usage_failure(const CommandLine& line, const CLI::ParseError& error,
                      const std::vector<std::string>& arguments) {
  Failure failure{Exit::usage, error.what(), "`zonesync --help` lists commands and options", {}};
  const std::string word = first_word(arguments);
  Nearest nearest(word);
  for (const CLI::App* command : line.app->get_subcommands(nullptr)) {
    if (command->get_name() == word) {
      failure.hint = "`zonesync " + word + " --help` shows how it is used";
      return failure;
    }
    nearest.offer(command->get_name(), command->get_name());
  }
  if (!word.empty()) {
    failure.message = "no command '" + one_line(word) + "'" + did_you_mean(nearest.best());
  }
  return failure;
}

}  // namespace

int run_program(World& world, std::vector<std::string> arguments) {
  CommandLine line;
  // CLI11 takes arguments last first.
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  Format format = Format::table;
  Outcome<void> done;
  try {
    line.app->parse(reversed);
    Outcome<Format> chosen = format_of(line.output);
    if (chosen) {
      format = *chosen;
      done = dispatch(world, line, format);
    } else {
      done = give_up(chosen.error());
    }
  } catch (const CLI::CallForHelp&) {
    const auto chosen = line.app->get_subcommands();
    world.out << (chosen.empty() ? line.app->help() : chosen.front()->help());
    return 0;
  } catch (const CLI::CallForAllHelp&) {
    world.out << line.app->help("", CLI::AppFormatMode::All);
    return 0;
  } catch (const CLI::CallForVersion& version) {
    world.out << version.what() << '\n';
    return 0;
  } catch (const CLI::ParseError& error) {
    done = give_up(usage_failure(line, error, arguments));
  }
  world.out.flush();
  if (done) return static_cast<int>(Exit::ok);
  if (!done.error().message.empty()) {
    print_failure(world.out, world.err, format, done.error());
  }
  return static_cast<int>(done.error().exit);
}

}  // namespace zonesync::cli

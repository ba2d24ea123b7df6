// zonesync-conform: plays a zone against any hub and a hub against any SDK. docs/conformance.md.
#include <cstdio>
#include <fstream>
#include <string>

#include <CLI/CLI.hpp>

#include "conformance/adapters/sdk_zone.hpp"
#include "conformance/adapters/self_hub.hpp"
#include "conformance/adapters/target_hub.hpp"
#include "conformance/campaigns/campaigns.hpp"
#include "conformance/cmd/mutants_verb.hpp"
#include "conformance/cmd/parity_command.hpp"
#include "conformance/suite/clauses.hpp"
#include "conformance/suite/report.hpp"

namespace {

using namespace zonesync;
using namespace zonesync::conform;

constexpr int kUsage = 2;

struct RunArguments {
  bool self = false;
  TargetOptions target;
  std::string sdk;
  std::string mode = "both";
  std::string run, skip, known_failing;
  std::string report = "text";
  std::string out;
  std::uint64_t seed = 1;
  bool verbose = false;
};

int usage_error(const Error& error) {
  std::fprintf(stderr, "zonesync-conform: %s\n", describe(error).c_str());
  return kUsage;
}

std::string rendered(const RunResult& result, const std::string& format) {
  if (format == "json") return json_report(result);
  if (format == "junit") return junit_report(result);
  if (format == "html") return html_report(result);
  return text_report(result);
}

Result<std::unique_ptr<SubjectFactory>> subject_of(const RunArguments& arguments) {
  const int chosen = int{arguments.self} + int{!arguments.target.url.empty()} +
                     int{!arguments.sdk.empty()};
  if (chosen != 1) {
    return fail(ErrorCode::invalid_argument, "say what to test: exactly one of",
                "--self, --target, --sdk");
  }
  if (arguments.self) return make_self_factory();
  if (!arguments.sdk.empty()) return make_sdk_factory(arguments.sdk);
  return make_target_factory(arguments.target);
}

int run(const RunArguments& arguments) {
  auto factory = subject_of(arguments);
  if (!factory) return usage_error(factory.error());
  RunOptions options;
  options.fresh_subjects = arguments.target.url.empty();
  if (arguments.mode != "both") {
    options.modes = {arguments.mode == "delta" ? Mode::delta : Mode::v1};
  }
  options.run = arguments.run;
  options.skip = arguments.skip;
  options.seed = arguments.seed;
  if (!arguments.known_failing.empty()) {
    auto known = read_known_failing(arguments.known_failing);
    if (!known) return usage_error(known.error());
    options.known_failing = std::move(*known);
  }
  if (arguments.verbose) {
    options.on_case = [](const CaseResult& result) {
      std::fprintf(stderr, "%s\n", case_line(result).c_str());
    };
  }
  auto result = run_cases(catalogue(), **factory, options);
  if (!result) return usage_error(result.error());
  const std::string report = rendered(*result, arguments.report);
  const bool to_file = !arguments.out.empty();
  if (to_file) {
    std::ofstream file(arguments.out, std::ios::binary);
    if (!(file << report).flush()) {
      return usage_error({ErrorCode::storage_io, "cannot write the report", arguments.out});
    }
  } else {
    std::fputs(report.c_str(), stdout);
  }
  const bool report_on_stdout = !to_file && arguments.report != "text";
  std::fprintf(report_on_stdout ? stderr : stdout, "%s\n", closing_line(*result).c_str());
  return result->failed == 0 ? 0 : 1;
}

int list(bool with_clauses) {
  if (with_clauses) {
    for (const Clause& clause : clauses()) {
      std::printf("%.*s  %.*s\n", static_cast<int>(clause.id.size()), clause.id.data(),
                  static_cast<int>(clause.text.size()), clause.text.data());
    }
    return 0;
  }
  for (const Case& each : catalogue()) {
    std::string line = std::string(each.id) + "  " + std::string(to_string(each.face()));
    line += each.modes == Modes::both ? " both" : each.modes == Modes::delta ? " delta" : " v1";
    for (const std::string_view clause : each.clauses) line += " " + std::string(clause);
    std::puts(line.c_str());
  }
  std::fprintf(stderr, "%zu cases\n%s", catalogue().size(),
               to_text(coverage_of(catalogue())).c_str());
  return 0;
}

int explain(const std::string& id) {
  for (const Case& each : catalogue()) {
    if (each.id != id) continue;
    std::printf("%s: %s\nface %s\n", id.c_str(), std::string(each.title).c_str(),
                std::string(to_string(each.face())).c_str());
    for (const std::string_view need : each.needs) {
      std::printf("needs %s\n", std::string(need).c_str());
    }
    for (const std::string_view clause : each.clauses) {
      const Clause* found = find_clause(clause);
      std::printf("%s  %s\n", std::string(clause).c_str(),
                  found == nullptr ? "?" : std::string(found->text).c_str());
    }
    return 0;
  }
  if (const Clause* clause = find_clause(id); clause != nullptr) {
    std::printf("%s  %s\n", id.c_str(), std::string(clause->text).c_str());
    for (const Case& each : catalogue()) {
      for (const std::string_view named : each.clauses) {
        if (named == id) std::printf("  %s: %s\n", std::string(each.id).c_str(),
                                     std::string(each.title).c_str());
      }
    }
    return 0;
  }
  return usage_error({ErrorCode::not_found, "there is no case and no clause of that id", id});
}

void add_run(CLI::App& app, RunArguments& arguments) {
  CLI::App* run_command = app.add_subcommand("run", "Runs cases against a subject");
  run_command->add_flag("--self", arguments.self, "The product's own cores, in virtual time");
  CLI::Option* target =
      run_command->add_option("--target", arguments.target.url, "A hub: wss://host:port/sync");
  const auto of_target = [&](const char* name, std::string& value, const char* what) {
    return run_command->add_option(name, value, what)->needs(target);
  };
  of_target("--ca", arguments.target.ca_file, "CA of the hub's certificate (PEM)")
      ->check(CLI::ExistingFile);
  of_target("--token-file", arguments.target.token_file, "A zone token, or 'zone token' per line")
      ->check(CLI::ExistingFile);
  of_target("--mint-token", arguments.target.mint_command,
            "Command that prints a token for {zone}");
  of_target("--hub-control", arguments.target.control,
            "Command that speaks JSON lines, or rest:URL");
  of_target("--admin-token-file", arguments.target.admin_token_file, "API token for rest:URL")
      ->check(CLI::ExistingFile);
  of_target("--restart-command", arguments.target.restart_command,
            "Restarts the hub and returns when it is ready");
  run_command->add_option("--sdk", arguments.sdk, "Command of an SDK's adapter");
  run_command->add_option("--mode", arguments.mode, "Modes to run")
      ->check(CLI::IsMember({"delta", "v1", "both"}));
  run_command->add_option("--run", arguments.run, "Only cases whose id matches");
  run_command->add_option("--skip", arguments.skip, "Not the cases whose id matches");
  run_command->add_option("--known-failing", arguments.known_failing,
                          "File of case ids that may fail; one that passes is a failure");
  run_command->add_option("--report", arguments.report, "Form of the report")
      ->check(CLI::IsMember({"text", "json", "junit", "html"}));
  run_command->add_option("--out", arguments.out, "File for the report; none = stdout");
  run_command->add_option("--seed", arguments.seed, "Decides ids and orders");
  run_command->add_flag("--verbose", arguments.verbose, "A line per case on stderr");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Conformance suite of the zonesync protocol", "zonesync-conform"};
  app.require_subcommand(1);
  RunArguments arguments;
  add_run(app, arguments);
  bool with_clauses = false;
  CLI::App* list_command = app.add_subcommand("list", "The cases, and the clauses they cover");
  list_command->add_flag("--clauses", with_clauses, "The clauses instead");
  std::string id;
  CLI::App* explain_command = app.add_subcommand("explain", "What a case or a clause says");
  explain_command->add_option("id", id, "Case or clause")->required();
  std::function<int()> chosen;
  campaigns::add_campaign(app, campaigns::own_folder(), chosen);
  add_mutants(app, campaigns::own_folder(), chosen);
  add_parity(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;   // --help is no error
  }
  if (chosen) return chosen();
  if (app.got_subcommand("run")) return run(arguments);
  if (*list_command) return list(with_clauses);
  return explain(id);
}

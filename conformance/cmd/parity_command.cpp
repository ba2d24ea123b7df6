#include "conformance/cmd/parity_command.hpp"

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "conformance/parity/parity.hpp"

namespace zonesync::conform {
namespace {

constexpr int kUsage = 2;
constexpr std::size_t kResourcesMax = 200'000;
constexpr std::size_t kChangesMax = 1'000'000;

struct Flags {
  std::vector<std::string> files;
  parity::GenerateOptions generate{.resources = 0};
  std::size_t changes = 300;
  std::uint64_t seed = 1;
  std::string report = "text";
  std::string out;
  std::string write_resources;
};

int usage_error(const Error& error) {
  std::fprintf(stderr, "zonesync-conform: %s\n", describe(error).c_str());
  return kUsage;
}

bool write_to(const std::string& file, const std::string& text) {
  std::ofstream output(file, std::ios::binary);
  return static_cast<bool>((output << text).flush());
}

Result<parity::Documents> documents_of(const Flags& flags) {
  if (flags.files.empty() == (flags.generate.resources == 0)) {
    return fail(ErrorCode::invalid_argument, "say which resources: exactly one of",
                "--resources FILE..., --generate N");
  }
  if (!flags.files.empty()) return parity::read_documents(flags.files, flags.seed);
  parity::GenerateOptions options = flags.generate;
  options.seed = flags.seed;
  return parity::generate_documents(options);
}

std::string rendered(const parity::Figures& figures, const std::string& form) {
  if (form == "json") return parity::json_report(figures);
  if (form == "html") return parity::html_report(figures);
  return parity::text_report(figures);
}

int run_parity(const Flags& flags) {
  auto documents = documents_of(flags);
  if (!documents) return usage_error(documents.error());
  if (!flags.write_resources.empty() &&
      !write_to(flags.write_resources, parity::to_yaml(*documents))) {
    return usage_error({ErrorCode::storage_io, "cannot write the resources",
                        flags.write_resources});
  }
  const parity::Figures figures =
      parity::compare(*documents, {.seed = flags.seed, .changes = flags.changes});
  const std::string report = rendered(figures, flags.report);
  if (flags.out.empty()) {
    std::fputs(report.c_str(), stdout);
  } else if (!write_to(flags.out, report)) {
    return usage_error({ErrorCode::storage_io, "cannot write the report", flags.out});
  }
  const bool good = figures.replicas_equal && figures.skipped.empty();
  std::FILE* closing = flags.out.empty() && flags.report != "text" ? stderr : stdout;
  std::fprintf(closing, "replicas %s, %zu skipped\n", figures.replicas_equal ? "equal" : "DIFFER",
               figures.skipped.size());
  return good ? 0 : 1;
}

}  // namespace

void add_parity(CLI::App& app, std::function<int()>& run) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand(
      "parity", "Plays one history of resources in delta and in v1 and compares");
  command->add_option("--resources", flags->files, "YAML or JSON files of resources");
  command->add_option("--generate", flags->generate.resources, "Instead: a state of N resources")
      ->check(CLI::Range(std::size_t{1}, kResourcesMax));
  command->add_option("--spec-bytes", flags->generate.spec_bytes,
                      "Of a generated resource's spec, on average")
      ->check(CLI::Range(std::size_t{100}, std::size_t{1'000'000}))->capture_default_str();
  command->add_option("--changes", flags->changes, "Length of the history")
      ->check(CLI::Range(std::size_t{1}, kChangesMax))->capture_default_str();
  command->add_option("--seed", flags->seed, "Same seed, same history")->capture_default_str();
  command->add_option("--report", flags->report, "Form of the report")
      ->check(CLI::IsMember({"text", "json", "html"}))->capture_default_str();
  command->add_option("--out", flags->out, "File for the report; none = stdout");
  command->add_option("--write-resources", flags->write_resources,
                      "Also write the resources as YAML");
  command->callback([&run, flags] { run = [flags] { return run_parity(*flags); }; });
}

}  // namespace zonesync::conform

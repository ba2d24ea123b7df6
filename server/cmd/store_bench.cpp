// `zonesync-hub store bench`: a hub's log of a given size, beside what RocksDB does bare.
//
// Each phase is a process of its own, so that memory and caches of one are not those of the next.
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "server/auth/init.hpp"
#include "server/cmd/hub_process.hpp"
#include "server/cmd/store_commands.hpp"
#include "storage/rocksdb/raw_bench.hpp"
#include "storage/rocksdb/rocksdb_change_log.hpp"

namespace zonesync::cmd {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kPerBatch = 1'000;
constexpr std::uint64_t kResourcesMax = 1'000'000'000;
constexpr std::size_t kValueMaxBytes = 1u << 20;

struct BenchFlags {
  std::uint64_t resources = 1'000'000;
  std::size_t value_bytes = 1'024;
  std::string dir;
  bool as_json = false;
};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Hexadecimal digits that do not repeat: compresses to about half, as real specs do.
std::string hex_value(std::uint64_t index, std::size_t bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text(bytes, '0');
  std::uint64_t state = index * 0x9e3779b97f4a7c15u + 1;
  for (char& digit : text) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    digit = kDigits[state & 15];
  }
  return text;
}

std::uint64_t resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::strtoull(line.c_str() + 6, nullptr, 10);
  }
  return 0;
}

std::uint64_t bytes_in(const fs::path& directory) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (const auto& item : fs::recursive_directory_iterator(directory, error)) {
    if (item.path().filename() != "ballast") bytes += item.file_size(error);
  }
  return bytes;
}

/// Runs `phase` in a child process; what it answers.
Result<json::object> in_child(const std::function<Result<json::object>()>& phase) {
  int ends[2];
  if (::pipe(ends) != 0) return fail(ErrorCode::internal, "no pipe");
  const pid_t child = ::fork();
  if (child < 0) return fail(ErrorCode::internal, "no child process");
  if (child == 0) {
    ::close(ends[0]);
    const auto answer = phase();
    const std::string text =
        answer ? json::serialize(*answer)
               : json::serialize(json::object{{"error", describe(answer.error())}});
    const bool written = ::write(ends[1], text.data(), text.size()) ==
                         static_cast<ssize_t>(text.size());
    ::_exit(written ? 0 : 1);
  }
  ::close(ends[1]);
  std::string text;
  char buffer[4'096];
  for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  boost::system::error_code failed;
  json::value value = json::parse(text, failed);
  if (failed || !value.is_object()) return fail(ErrorCode::internal, "a phase ended early");
  if (const auto* error = value.as_object().if_contains("error")) {
    return fail(ErrorCode::storage_io, std::string(error->as_string()));
  }
  return value.as_object();
}

Result<json::object> raw_phase(const BenchFlags& flags, const fs::path& directory) {
  const auto rates = rocksdb_store::raw_rates(directory.string(), flags.resources, kPerBatch,
                                              hex_value, flags.value_bytes);
  if (!rates) return fail(rates.error());
  const auto count = static_cast<double>(flags.resources);
  return json::object{{"raw_write_per_s", count / rates->write_seconds},
                      {"raw_scan_per_s", count / rates->scan_seconds},
                      {"raw_disk_bytes", bytes_in(directory)}};
}

Result<HubConfig> bench_config(const auth::InitResult& made) {
  HubConfigSources sources;
  sources.file = made.config_file;
  sources.overrides = {{"listen.sync", "127.0.0.1:0"}};
  auto config = load_hub_config(sources);
  if (!config) return fail(config.error().front());
  return std::move(*config);
}

Result<Segment> next_segment(const TypeRegistry& types, Revision head, std::uint64_t first,
                             std::uint64_t end, std::size_t bytes) {
  Segment segment;
  for (std::uint64_t i = first; i < end; ++i) {
    hub::WriteRequest request;
    hub::WriteOp op;
    op.resource.key = {"MeshTimeout", "default", std::string(kGlobalOrigin),
                       "timeout-" + std::to_string(i)};
    op.resource.spec = R"({"value":")" + hex_value(i, bytes) + R"("})";
    request.ops.push_back(std::move(op));
    auto prepared = hub::prepare(types, request);
    if (!prepared) return fail(std::move(prepared.error()));
    head = head.next();
    segment.transactions.push_back({head, {std::move(prepared->ops[0].change)}});
  }
  return segment;
}

/// Measured is the append: the log's own work, encoding of the writer's values not included.
Result<json::object> fill_phase(const BenchFlags& flags, const HubConfig& config) {
  RocksDbOptions options;
  options.create = true;
  options.created_complete = true;
  auto log = RocksDbChangeLog::open(config.storage_dir.string(), options);
  if (!log) return fail(std::move(log.error()));
  Clock::duration appending{};
  for (std::uint64_t i = 0; i < flags.resources; i += kPerBatch) {
    auto segment = next_segment(*config.registry, (*log)->state().head, i,
                                std::min(flags.resources, i + kPerBatch), flags.value_bytes);
    if (!segment) return fail(std::move(segment.error()));
    Status appended;
    const auto start = Clock::now();
    (*log)->append(std::move(*segment), [&](Status status) { appended = std::move(status); });
    appending += Clock::now() - start;
    if (!appended) return fail(std::move(appended.error()));
  }
  const double seconds = std::chrono::duration<double>(appending).count();
  return json::object{{"write_per_s", static_cast<double>(flags.resources) / seconds}};
}

/// A whole hub on that log: how long until it accepts zones, and what it holds in memory then.
Result<json::object> start_phase(const BenchFlags& flags, const HubConfig& config) {
  const auto start = Clock::now();
  HubProcess::Options options;
  options.config = config;
  auto hub = HubProcess::start(std::move(options));
  if (!hub) return fail(std::move(hub.error()));
  json::object answer{{"start_s", seconds_since(start)}, {"start_rss_kib", resident_kib()}};
  const auto scan_start = Clock::now();
  ScanOptions scan;
  Position after = Position::start();
  std::uint64_t seen = 0;
  for (bool more = true; more;) {
    const auto page = (*hub)->log().scan(after, scan);
    if (!page) return fail(page.error());
    seen += page->entries.size();
    after = page->next;
    more = !page->at_head;
  }
  answer["scan_per_s"] = static_cast<double>(seen) / seconds_since(scan_start);
  answer["scanned"] = seen;
  answer["scan_rss_kib"] = resident_kib();
  answer["as_expected"] = seen == flags.resources;
  (*hub)->stop();
  return answer;
}

Result<json::object> run_phases(const BenchFlags& flags, const fs::path& directory) {
  auth::InitOptions init;
  init.now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto made = auth::init_directory(directory / "hub", init);
  if (!made) return fail(made.error());
  const auto config = bench_config(*made);
  if (!config) return fail(config.error());
  json::object report{{"resources", flags.resources}, {"value_bytes", flags.value_bytes}};
  const auto add = [&](const Result<json::object>& phase) {
    if (!phase) return Status(fail(phase.error()));
    for (const auto& item : *phase) report[item.key()] = item.value();
    return Status();
  };
  Status status = add(in_child([&] { return raw_phase(flags, directory / "raw"); }));
  std::error_code ignored;
  fs::remove_all(directory / "raw", ignored);
  if (status) status = add(in_child([&] { return fill_phase(flags, *config); }));
  if (status) report["disk_bytes"] = bytes_in(config->storage_dir);
  if (status) status = add(in_child([&] { return start_phase(flags, *config); }));
  if (!status) return fail(status.error());
  return report;
}

/// A rate without fractions, seconds with three digits.
std::string plain_text(const json::value& value) {
  if (!value.is_double()) return json::serialize(value);
  constexpr double kWhole = 100;
  char text[64];
  std::snprintf(text, sizeof text, value.get_double() < kWhole ? "%.3f" : "%.0f",
                value.get_double());
  return text;
}

int run_bench(const BenchFlags& flags) {
  std::string pattern = (fs::path(flags.dir.empty() ? fs::temp_directory_path().string()
                                                    : flags.dir) / "zonesync-bench-XXXXXX")
                            .string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    print_error(Error{ErrorCode::storage_io, "cannot make a folder to measure in", pattern});
    return kFailed;
  }
  const auto report = run_phases(flags, pattern);
  std::error_code ignored;
  fs::remove_all(pattern, ignored);
  if (!report) {
    print_error(report.error());
    return exit_code_of(report.error());
  }
  if (flags.as_json) {
    std::cout << json::serialize(*report) << '\n';
  } else {
    for (const auto& item : *report) {
      std::cout << item.key() << ": " << plain_text(item.value()) << '\n';
    }
  }
  return kOk;
}

}  // namespace

void add_store_bench(CLI::App& store, Run& run) {
  auto flags = std::make_shared<BenchFlags>();
  CLI::App* bench = store.add_subcommand(
      "bench", "Measure a log of that size here: start, memory, disk, rates; RocksDB bare beside");
  bench->add_option("--resources", flags->resources, "How many")
      ->check(CLI::Range(std::uint64_t{1}, kResourcesMax))
      ->capture_default_str();
  bench->add_option("--value-bytes", flags->value_bytes, "Size of a value")
      ->check(CLI::Range(std::size_t{1}, kValueMaxBytes))
      ->capture_default_str();
  bench->add_option("--dir", flags->dir, "Folder to measure in; absent = the temporary folder");
  bench->add_flag("--json", flags->as_json, "One JSON object");
  bench->callback([&run, flags] { run = [flags] { return run_bench(*flags); }; });
}

}  // namespace zonesync::cmd

// zonesync-conform-defects: does the suite find deliberate bugs of the product?
//
//   mutants [--json] [--markdown FILE] [--only N,M] [--jobs J]   exit 1 when one survives, or the
//                                                                product without bugs does not pass
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "conformance/adapters/self_hub.hpp"
#include "conformance/simulator/mutants.hpp"
#include "conformance/suite/runner.hpp"
#include "protocol/model/defect.hpp"

namespace {

using namespace zonesync;
using namespace zonesync::conform;
namespace json = boost::json;

constexpr unsigned kSecondsMax = 120;   // for one mutant; longer counts as found

/// What one run of the catalogue found first.
struct Kill {
  bool killed = false;
  std::string case_id, mode, clause, text;
};

Kill judge(std::uint32_t defect) {
  auto factory = make_self_factory();
  const auto modes = factory->modes();
  std::uint64_t number = 0;
  for (const Case& each : catalogue()) {
    ++number;
    for (const Mode mode : modes) {
      const bool wanted = each.modes == Modes::both ||
                          (each.modes == Modes::delta) == (mode == Mode::delta);
      if (!wanted) continue;
      defects::switches() = {};
      defects::switches().defect = defect;
      VariantResult result;
      try {
        result = run_variant(each, mode, *factory, 1'000 + number, "");
      } catch (const defects::AssertionFailed& failed) {
        result.outcome = Outcome::failed;
        result.text = "assertion: " + failed.text;
      }
      if (result.outcome != Outcome::failed) continue;
      return {true, std::string(each.id), std::string(to_string(mode)),
              std::string(each.clauses.front()), result.text.substr(0, 200)};
    }
  }
  return {};
}

/// In a process of its own: a mutant may hang or crash. Fields are parted by tabs.
struct Child {
  pid_t pid = -1;
  int from = -1;
};

Child spawn(std::uint32_t defect) {
  int ends[2];
  if (::pipe(ends) != 0) return {};
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    ::alarm(kSecondsMax);
    const Kill kill = judge(defect);
    std::string line = std::string(kill.killed ? "1" : "0") + "\t" + kill.case_id + "\t" +
                       kill.mode + "\t" + kill.clause + "\t" + kill.text;
    for (char& byte : line) byte = byte == '\n' ? ' ' : byte;
    const ssize_t written = ::write(ends[1], line.data(), line.size());
    ::_exit(written == static_cast<ssize_t>(line.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  return {pid, ends[0]};
}

Kill collect(const Child& child) {
  std::string line;
  char bytes[4'096];
  for (ssize_t got = 0; (got = ::read(child.from, bytes, sizeof bytes)) > 0;) {
    line.append(bytes, static_cast<std::size_t>(got));
  }
  ::close(child.from);
  int status = 0;
  ::waitpid(child.pid, &status, 0);
  if (!WIFEXITED(status) || line.empty()) {
    return {true, "(process)", "", "", "the mutant crashed or hung, signal " +
                                           std::to_string(WTERMSIG(status))};
  }
  std::vector<std::string> fields;
  std::size_t begin = 0;
  for (int at = 0; at < 4; ++at) {
    const auto end = line.find('\t', begin);
    fields.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return {fields[0] == "1", fields[1], fields[2], fields[3], line.substr(begin)};
}

struct Row {
  const sim::Mutant* mutant = nullptr;   // null = the product without bugs
  Kill kill;
};

std::vector<Row> run_all(const std::vector<std::uint32_t>& only, std::size_t jobs) {
  std::vector<Row> rows(1);   // the product without bugs
  for (const sim::Mutant& mutant : sim::mutants()) {
    const bool wanted = only.empty() ||
                        std::find(only.begin(), only.end(), mutant.id) != only.end();
    if (wanted) rows.push_back({&mutant, {}});
  }
  std::vector<std::pair<std::size_t, Child>> running;
  const auto reap = [&] {
    rows[running.front().first].kill = collect(running.front().second);
    running.erase(running.begin());
  };
  for (std::size_t at = 0; at < rows.size(); ++at) {
    if (running.size() == jobs) reap();
    running.emplace_back(at, spawn(rows[at].mutant == nullptr ? 0 : rows[at].mutant->id));
  }
  while (!running.empty()) reap();
  return rows;
}

std::string to_json(const std::vector<Row>& rows) {
  json::array kills;
  json::array survivors;
  for (const Row& row : rows) {
    if (row.mutant == nullptr) continue;
    if (!row.kill.killed) {
      survivors.push_back(row.mutant->id);
      continue;
    }
    json::object each;
    each["id"] = row.mutant->id;
    each["bug"] = row.mutant->text;
    each["class"] = row.mutant->cls;
    each["case"] = row.kill.case_id;
    each["mode"] = row.kill.mode;
    each["clause"] = row.kill.clause;
    each["text"] = row.kill.text;
    kills.push_back(std::move(each));
  }
  json::object out;
  out["mutants"] = rows.size() - 1;
  out["killed"] = kills.size();
  out["unmutated_clean"] = !rows.front().kill.killed;
  out["survivors"] = std::move(survivors);
  out["kills"] = std::move(kills);
  return json::serialize(out);
}

std::string to_markdown(const std::vector<Row>& rows) {
  std::string page = "# Which case kills which deliberate bug\n\n"
                     "Written by `zonesync-conform-defects mutants --markdown`: the catalogue runs "
                     "against the product's own cores with one bug\nat a time; the first case that "
                     "fails is named. A survivor is a missing case. The bugs are those of\n"
                     "[simulation.md](simulation.md).\n\n"
                     "| id | class | bug | clause | killed by |\n"
                     "|---|---|---|---|---|\n";
  for (const Row& row : rows) {
    if (row.mutant == nullptr) continue;
    page += "| " + std::to_string(row.mutant->id) + " | " + std::string(row.mutant->cls) + " | " +
            std::string(row.mutant->text) + " | " + std::string(row.mutant->clause) + " | " +
            (row.kill.killed ? "`" + row.kill.case_id + "` " + row.kill.mode
                             : std::string("**survives**")) +
            " |\n";
  }
  return page;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Conformance suite against deliberate bugs", "zonesync-conform-defects"};
  app.require_subcommand(1);
  bool as_json = false;
  std::string markdown;
  std::vector<std::uint32_t> only;
  std::size_t jobs = 2;
  CLI::App* command = app.add_subcommand("mutants", "Runs the catalogue once per bug");
  command->add_flag("--json", as_json, "One JSON object on stdout");
  command->add_option("--markdown", markdown, "Writes the kill matrix");
  command->add_option("--only", only, "Only these bugs")->delimiter(',');
  command->add_option("--jobs", jobs, "Processes at once")->check(CLI::Range(1, 64));
  CLI11_PARSE(app, argc, argv);
  const std::vector<Row> rows = run_all(only, jobs);
  bool clean = !rows.front().kill.killed;
  if (!clean) {
    std::fprintf(stderr, "without bugs: %s fails: %s\n", rows.front().kill.case_id.c_str(),
                 rows.front().kill.text.c_str());
  }
  std::size_t killed = 0;
  for (const Row& row : rows) killed += row.mutant != nullptr && row.kill.killed;
  if (as_json) std::puts(to_json(rows).c_str());
  if (!markdown.empty()) std::ofstream(markdown) << to_markdown(rows);
  if (!as_json) {
    for (const Row& row : rows) {
      if (row.mutant == nullptr || row.kill.killed) continue;
      std::printf("survivor %u: %s (%s)\n", row.mutant->id, std::string(row.mutant->text).c_str(),
                  std::string(row.mutant->clause).c_str());
    }
    std::printf("%zu of %zu killed\n", killed, rows.size() - 1);
  }
  return clean && killed == rows.size() - 1 ? 0 : 1;
}

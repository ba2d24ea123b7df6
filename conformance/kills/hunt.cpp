#include "conformance/kills/hunt.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <regex>

#include "conformance/adapters/self_hub.hpp"
#include "conformance/suite/runner.hpp"
#include "protocol/model/defect.hpp"

namespace zonesync::kills {
namespace {

using namespace conform;

constexpr std::size_t kTextMax = 200;

/// The lines of one child: `@case<tab>mode<tab>variants` before each variant, then one result line.
class Reports {
 public:
  explicit Reports(int to) : to_(to) {}
  void begin(const Kill& at) { line("@" + at.case_id + "\t" + at.mode + "\t" + number(at)); }
  void end(const Kill& kill) {
    line(std::string(kill.killed ? "1" : "0") + "\t" + kill.case_id + "\t" + kill.mode + "\t" +
         number(kill) + "\t" + kill.text);
  }

 private:
  static std::string number(const Kill& kill) { return std::to_string(kill.variants); }
  void line(std::string text) const {
    std::replace(text.begin(), text.end(), '\n', ' ');
    text += '\n';
    if (::write(to_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) ::_exit(1);
  }
  int to_;
};

VariantResult run_one(const Case& which, Mode mode, SubjectFactory& factory, std::uint32_t defect) {
  defects::switches() = {};
  defects::switches().defect = defect;
  try {
    // The seed of a case is the one that `run --self --seed 1` gives it.
    const auto number = static_cast<std::uint64_t>(&which - catalogue().data()) + 1;
    return run_variant(which, mode, factory, 1'000 + number, "");
  } catch (const defects::AssertionFailed& failed) {
    VariantResult result;
    result.outcome = Outcome::failed;
    result.text = "assertion: " + failed.text;
    return result;
  }
}

void judge(const Defect* defect, const HuntOptions& options, Reports& reports) {
  auto factory = make_self_factory();
  Kill at;
  for (const Case* each : in_order_for(defect == nullptr ? "" : defect->clause, options.run)) {
    for (const Mode mode : factory->modes()) {
      const bool wanted = each->modes == Modes::both ||
                          (each->modes == Modes::delta) == (mode == Mode::delta);
      if (!wanted) continue;
      at.case_id = each->id;
      at.mode = to_string(mode);
      ++at.variants;
      reports.begin(at);
      const VariantResult result =
          run_one(*each, mode, *factory, defect == nullptr ? 0 : defect->id);
      if (result.outcome != Outcome::failed) continue;
      at.killed = true;
      at.text = result.text.substr(0, kTextMax);
      return reports.end(at);
    }
  }
  at.case_id.clear();
  at.mode.clear();
  reports.end(at);
}

struct Child {
  std::size_t row = 0;
  pid_t pid = -1;
  int from = -1;
};

Child spawn(std::size_t row, const Defect* defect, const HuntOptions& options) {
  int ends[2];
  if (::pipe(ends) != 0) return {row, -1, -1};
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    ::alarm(options.seconds_max);
    Reports reports(ends[1]);
    judge(defect, options, reports);
    ::_exit(0);
  }
  ::close(ends[1]);
  return {row, pid, ends[0]};
}

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::size_t begin = 0;
  for (std::size_t end; (end = line.find('\t', begin)) != std::string::npos; begin = end + 1) {
    fields.push_back(line.substr(begin, end - begin));
  }
  fields.push_back(line.substr(begin));
  return fields;
}

/// `said` = all lines of a child that ended so.
Kill understood(const std::string& said, int status) {
  const auto last_begin = said.size() < 2 ? 0 : said.rfind('\n', said.size() - 2) + 1;
  auto fields = fields_of(said.substr(last_begin, said.size() - last_begin - !said.empty()));
  fields.resize(std::max<std::size_t>(fields.size(), 5));
  Kill kill;
  kill.case_id = fields[1];
  kill.mode = fields[2];
  kill.variants = static_cast<std::uint32_t>(std::strtoul(fields[3].c_str(), nullptr, 10));
  kill.killed = fields[0] == "1";
  kill.text = fields[4];
  if (fields[0] == "1" || fields[0] == "0") return kill;
  kill.killed = true;  // it ended inside a case
  kill.case_id = fields[0].empty() ? "(no case)" : fields[0].substr(1);
  kill.mode = fields[1];
  kill.variants = static_cast<std::uint32_t>(std::strtoul(fields[2].c_str(), nullptr, 10));
  const bool hung = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
  kill.text = hung ? "the case hangs" : "the case crashes, wait status " + std::to_string(status);
  return kill;
}

Kill collect(const Child& child) {
  std::string said;
  char bytes[4'096];
  for (ssize_t got = 0; (got = ::read(child.from, bytes, sizeof bytes)) > 0;) {
    said.append(bytes, static_cast<std::size_t>(got));
  }
  ::close(child.from);
  int status = 0;
  ::waitpid(child.pid, &status, 0);
  return understood(said, status);
}

std::string clause_of(const Kill& kill, std::string_view wanted) {
  for (const Case& each : catalogue()) {
    if (each.id != kill.case_id) continue;
    const bool proves =
        std::find(each.clauses.begin(), each.clauses.end(), wanted) != each.clauses.end();
    return std::string(proves ? wanted : each.clauses.front());
  }
  return {};
}

std::vector<Row> wanted_rows(const HuntOptions& options) {
  std::vector<Row> rows(1);
  for (const Defect& defect : all_defects()) {
    const bool chosen = options.only.empty() || std::find(options.only.begin(), options.only.end(),
                                                          defect.id) != options.only.end();
    if (chosen && (options.group.empty() || options.group == defect.group)) {
      rows.push_back({&defect, {}});
    }
  }
  return rows;
}

}  // namespace

std::vector<const Case*> in_order_for(std::string_view clause, const std::string& run) {
  const std::regex wanted(run);
  std::vector<const Case*> cases;
  for (const Case& each : catalogue()) {
    if (std::regex_search(std::string(each.id), wanted)) cases.push_back(&each);
  }
  const std::string_view chapter = clause.substr(0, clause.find('-') + 1);
  const auto distance = [&](const Case* each) {
    int nearest = 2;
    for (const std::string_view named : each->clauses) {
      if (named == clause) return 0;
      if (!chapter.empty() && named.starts_with(chapter)) nearest = 1;
    }
    return nearest;
  };
  std::stable_sort(cases.begin(), cases.end(), [&](const Case* a, const Case* b) {
    return distance(a) < distance(b);
  });
  return cases;
}

std::vector<Row> hunt(const HuntOptions& options) {
  std::vector<Row> rows = wanted_rows(options);
  std::vector<Child> running;
  const auto reap = [&] {
    const Child child = running.front();
    running.erase(running.begin());
    Row& row = rows[child.row];
    row.kill = collect(child);
    if (row.kill.killed) {
      row.kill.clause = clause_of(row.kill, row.defect == nullptr ? "" : row.defect->clause);
    }
    if (options.on_row) options.on_row(row);
  };
  for (std::size_t at = 0; at < rows.size(); ++at) {
    if (running.size() >= std::max<std::size_t>(1, options.jobs)) reap();
    running.push_back(spawn(at, rows[at].defect, options));
  }
  while (!running.empty()) reap();
  return rows;
}

}  // namespace zonesync::kills

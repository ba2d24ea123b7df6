#include "conformance/kills/matrix.hpp"

#include <map>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace zonesync::kills {
namespace {

namespace json = boost::json;

constexpr std::string_view kHead =
    R"(# Which case of the conformance suite kills which deliberate bug

Written by `zonesync-conform mutants --markdown docs/conformance-kill-matrix.md`. The catalogue of
cases runs against the product's own cores with one deliberate bug at a time, likely finders first,
until the first case fails; that one is named. *Variants* is how many cases (in their modes) ran
until then. A survivor is a missing case. How to run it: [conformance.md](conformance.md); classes,
and the bugs of the group `catalogue`: [simulation.md](simulation.md).

)";

constexpr std::string_view kReviewerHead =
    R"(
## Bugs of a reviewer

What does the suite find of bugs that nobody had in mind when its cases were written? A reviewer who
had not read the cases wrote these down as typical mistakes, put them into the product, and only
then ran the suite. *At first* names the case that found a bug without any change of the suite. 201
to 210 are of the time when the suite was young; 306 to 310 are another reviewer's, of the time when
every bug before them had died.

)";

constexpr std::string_view kColumns = "| id | class | bug | clause | killed by | variants |";
constexpr std::string_view kLine = "\n|---|---|---|---|---|---|";

std::string killer(const Row& row) {
  if (!row.kill.killed) return "**survives**";
  return "`" + row.kill.case_id + "` " + row.kill.mode;
}

std::string line_of(const Row& row) {
  std::string line = "| " + std::to_string(row.defect->id);
  for (const std::string_view part : {row.defect->cls, row.defect->text, row.defect->clause}) {
    line += " | " + std::string(part);
  }
  return line + " | " + killer(row) + " | " + std::to_string(row.kill.variants) + " |";
}

bool of_second_reviewer(const Defect& defect) {
  return defect.group == kReviewer && defect.id >= 300;
}

std::string count_of(std::size_t some, std::size_t all) {
  return std::to_string(some) + " of " + std::to_string(all);
}

std::string reviewer_table(const std::vector<Row>& rows, const Sums& sums) {
  std::string page(kReviewerHead);
  std::size_t late = 0;
  std::size_t late_at_first = 0;
  for (const Row& row : rows) {
    if (row.defect == nullptr || !of_second_reviewer(*row.defect)) continue;
    ++late;
    late_at_first += row.defect->found_at_first.empty() ? 0 : 1;
  }
  page += count_of(sums.reviewer_at_first - late_at_first, sums.reviewer - late) +
          " of the first reviewer's and " + count_of(late_at_first, late) +
          " of the second's were found at first.\n\n" + std::string(kColumns) + " at first |" +
          std::string(kLine) + "---|\n";
  for (const Row& row : rows) {
    if (row.defect == nullptr || row.defect->group != kReviewer) continue;
    const std::string_view first = row.defect->found_at_first;
    page += line_of(row) + " " + (first.empty() ? "–" : "`" + std::string(first) + "`") + " |\n";
  }
  return page;
}

}  // namespace

Sums sums_of(const std::vector<Row>& rows) {
  Sums sums;
  for (const Row& row : rows) {
    if (row.defect == nullptr) {
      sums.unmutated_clean = !row.kill.killed;
      continue;
    }
    ++sums.mutants;
    sums.killed += row.kill.killed ? 1 : 0;
    if (row.defect->group != kReviewer) continue;
    ++sums.reviewer;
    sums.reviewer_at_first += row.defect->found_at_first.empty() ? 0 : 1;
  }
  return sums;
}

std::string to_json(const std::vector<Row>& rows) {
  json::array kills;
  json::array survivors;
  std::map<std::string_view, std::pair<std::size_t, std::size_t>> groups;
  for (const Row& row : rows) {
    if (row.defect == nullptr) continue;
    ++groups[row.defect->group].first;
    if (!row.kill.killed) {
      survivors.push_back(row.defect->id);
      continue;
    }
    ++groups[row.defect->group].second;
    kills.push_back(json::object{{"id", row.defect->id},
                                 {"group", row.defect->group},
                                 {"class", row.defect->cls},
                                 {"bug", row.defect->text},
                                 {"clause", row.kill.clause},
                                 {"case", row.kill.case_id},
                                 {"mode", row.kill.mode},
                                 {"variants", row.kill.variants},
                                 {"text", row.kill.text}});
  }
  json::object by_group;
  for (const auto& [name, counts] : groups) {
    by_group[name] = json::object{{"mutants", counts.first}, {"killed", counts.second}};
  }
  const Sums sums = sums_of(rows);
  return json::serialize(json::object{{"mutants", sums.mutants},
                                      {"killed", sums.killed},
                                      {"unmutated_clean", sums.unmutated_clean},
                                      {"survivors", std::move(survivors)},
                                      {"groups", std::move(by_group)},
                                      {"kills", std::move(kills)}});
}

std::string to_text(const std::vector<Row>& rows) {
  std::string text;
  for (const Row& row : rows) {
    if (row.defect == nullptr && row.kill.killed) {
      text += "without a bug: " + row.kill.case_id + " fails in " + row.kill.mode + ": " +
              row.kill.text + "\n";
    } else if (row.defect != nullptr && !row.kill.killed) {
      text += "survivor " + std::to_string(row.defect->id) + ": " + std::string(row.defect->text) +
              " (" + std::string(row.defect->clause) + ")\n";
    }
  }
  const Sums sums = sums_of(rows);
  return text + std::to_string(sums.killed) + " of " + std::to_string(sums.mutants) + " killed\n";
}

std::string to_markdown(const std::vector<Row>& rows) {
  const Sums sums = sums_of(rows);
  std::string page(kHead);
  page += std::to_string(sums.killed) + " of " + std::to_string(sums.mutants) +
          " killed; without a bug the catalogue " +
          (sums.unmutated_clean ? "passes" : "**fails**") + ".\n\n";
  page += std::string(kColumns) + std::string(kLine) + "\n";
  for (const Row& row : rows) {
    if (row.defect != nullptr && row.defect->group != kReviewer) page += line_of(row) + "\n";
  }
  if (sums.reviewer > 0) page += reviewer_table(rows, sums);
  return page;
}

}  // namespace zonesync::kills

#include <algorithm>
#include <set>

#include "conformance/suite/clauses.hpp"

namespace zonesync::conform {

const Clause* find_clause(std::string_view id) {
  const auto found = std::find_if(clauses().begin(), clauses().end(),
                                  [&](const Clause& clause) { return clause.id == id; });
  return found == clauses().end() ? nullptr : &*found;
}

Coverage coverage_of(const std::vector<Case>& cases) {
  Coverage coverage;
  std::set<std::string_view> named;
  for (const Case& each : cases) {
    for (const std::string_view id : each.clauses) {
      named.insert(id);
      if (find_clause(id) != nullptr) continue;
      coverage.unknown.push_back(std::string(each.id) + " names " + std::string(id));
    }
  }
  for (const Clause& clause : clauses()) {
    if (named.contains(clause.id)) {
      coverage.covered.push_back(clause.id);
    } else if (!clause.untestable.empty()) {
      coverage.listed.push_back(clause.id);
    } else {
      coverage.uncovered.push_back(clause.id);
    }
  }
  return coverage;
}

std::string to_text(const Coverage& coverage) {
  std::string text = "clauses: " + std::to_string(coverage.covered.size()) + " covered of " +
                     std::to_string(clauses().size()) + ", " +
                     std::to_string(coverage.listed.size()) + " listed with a reason, " +
                     std::to_string(coverage.uncovered.size()) + " uncovered\n";
  for (const std::string_view id : coverage.listed) {
    text += "  listed " + std::string(id) + ": " + std::string(find_clause(id)->untestable) + "\n";
  }
  for (const std::string_view id : coverage.uncovered) {
    text += "  uncovered " + std::string(id) + ": " + std::string(find_clause(id)->text) + "\n";
  }
  for (const std::string& each : coverage.unknown) text += "  unknown clause: " + each + "\n";
  return text;
}

}  // namespace zonesync::conform

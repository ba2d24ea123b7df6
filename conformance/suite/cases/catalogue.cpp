#include <algorithm>

#include "conformance/suite/cases/groups.hpp"

namespace zonesync::conform {
namespace {

std::vector<Case> collect() {
  std::vector<Case> all;
  for (const cases::Group group :
       {cases::session_hub(), cases::session_zone(), cases::cursor_hub(), cases::cursor_zone(),
        cases::cut_hub(), cases::cut_zone(), cases::credit_hub(), cases::credit_zone(),
        cases::hostile_hub(), cases::hostile_zone(), cases::hostile_limits(), cases::up_hub(),
        cases::up_zone(), cases::view_and_rest(), cases::v1_hub(), cases::v1_zone()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  std::sort(all.begin(), all.end(), [](const Case& a, const Case& b) { return a.id < b.id; });
  return all;
}

}  // namespace

const std::vector<Case>& catalogue() {
  static const std::vector<Case> cases = collect();
  return cases;
}

}  // namespace zonesync::conform

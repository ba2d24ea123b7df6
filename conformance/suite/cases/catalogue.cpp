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
        cases::up_zone(), cases::view_and_rest(), cases::v1_hub(), cases::v1_zone(),
        cases::repair_hub(), cases::repair_zone(), cases::zip_hub(), cases::zip_zone(),
        cases::patch_hub(), cases::patch_zone(), cases::switching_zone(),
        cases::edges_hub(), cases::edges_zone(), cases::stage_hub(), cases::stage_zone(),
        cases::view_moves()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  std::sort(all.begin(), all.end(), [](const Case& a, const Case& b) { return a.id < b.id; });
  return all;
}

}  // namespace

std::vector<Case> cases::of_feature(std::string_view feature, std::vector<Case> all) {
  for (Case& each : all) {
    if (!each.id.ends_with("not-negotiated")) each.needs.push_back(feature);
  }
  return all;
}

const std::vector<Case>& catalogue() {
  static const std::vector<Case> cases = collect();
  return cases;
}

}  // namespace zonesync::conform

// The clauses of docs/protocol.md, embedded at build time, and which of them cases cover.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conformance/suite/case.hpp"

namespace zonesync::conform {

struct Clause {
  std::string_view id;
  std::string_view text;
  std::string_view untestable;   // the reason why no case names it; empty = one must
};

/// In the order of the page. Generated.
[[nodiscard]] const std::vector<Clause>& clauses();
[[nodiscard]] const Clause* find_clause(std::string_view id);

struct Coverage {
  std::vector<std::string_view> covered;
  std::vector<std::string_view> uncovered;     // neither a case nor a reason
  std::vector<std::string_view> listed;        // with a reason
  std::vector<std::string> unknown;            // "case names clause": no such clause
};
[[nodiscard]] Coverage coverage_of(const std::vector<Case>& cases);
/// "clauses: 88 covered of 90, 1 listed with a reason, 1 uncovered" and the ids.
[[nodiscard]] std::string to_text(const Coverage& coverage);

}  // namespace zonesync::conform

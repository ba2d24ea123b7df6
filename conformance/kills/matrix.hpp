// What a hunt found, as JSON, text and the page docs/conformance-kill-matrix.md.
#pragma once

#include <string>
#include <vector>

#include "conformance/kills/hunt.hpp"

namespace zonesync::kills {

struct Sums {
  std::size_t mutants = 0;
  std::size_t killed = 0;
  std::size_t reviewer = 0;           // of the group `reviewer`
  std::size_t reviewer_at_first = 0;  // found before any case was written for one
  bool unmutated_clean = false;
  [[nodiscard]] bool good() const { return unmutated_clean && killed == mutants; }
};
[[nodiscard]] Sums sums_of(const std::vector<Row>& rows);

/// {mutants, killed, unmutated_clean, survivors: [id], groups: {name: {mutants, killed}},
///  kills: [{id, group, class, bug, clause, case, mode, variants, text}]}
[[nodiscard]] std::string to_json(const std::vector<Row>& rows);
[[nodiscard]] std::string to_text(const std::vector<Row>& rows);
[[nodiscard]] std::string to_markdown(const std::vector<Row>& rows);

}  // namespace zonesync::kills

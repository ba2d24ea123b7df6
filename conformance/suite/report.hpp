// Results as text, JSON, JUnit and one HTML file. Everything but times is the same for one seed.
#pragma once

#include <string>

#include "conformance/suite/runner.hpp"

namespace zonesync::conform {

/// One line per case that is worth a line.
[[nodiscard]] std::string case_line(const CaseResult& result);
/// "N passed, N failed, N skipped".
[[nodiscard]] std::string closing_line(const RunResult& result);
/// Failures with their transcripts, skips, coverage.
[[nodiscard]] std::string text_report(const RunResult& result);
[[nodiscard]] std::string json_report(const RunResult& result);
[[nodiscard]] std::string junit_report(const RunResult& result);

/// One file, readable without network: matrix of cases and modes, clauses, failing transcripts.
[[nodiscard]] std::string html_report(const RunResult& result);

/// For XML and HTML.
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace zonesync::conform

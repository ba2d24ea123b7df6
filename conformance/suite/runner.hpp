// Runs cases against a subject and counts.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "conformance/suite/case.hpp"
#include "conformance/suite/subject.hpp"

namespace zonesync::conform {

enum class Outcome : std::uint8_t { passed, failed, skipped };
[[nodiscard]] std::string_view to_string(Outcome outcome);

/// One case in one mode.
struct VariantResult {
  Mode mode = Mode::delta;
  Outcome outcome = Outcome::passed;
  std::string text;             // why it failed or was skipped
  std::string transcript;       // of a failure
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  double milliseconds = 0;
};

/// A case passes if all its variants do, and is skipped if all are.
struct CaseResult {
  const Case* which = nullptr;
  Outcome outcome = Outcome::passed;
  std::vector<VariantResult> variants;
};

struct RunOptions {
  std::vector<Mode> modes{Mode::delta, Mode::v1};
  std::string run;              // regular expression over ids; empty = all
  std::string skip;
  std::map<std::string, std::string> known_failing;   // case id -> reason
  std::uint64_t seed = 1;
  bool fresh_subjects = true;   // false: one subject lives through the run
  std::function<void(const CaseResult&)> on_case;
};

struct RunResult {
  std::string subject;
  std::uint64_t seed = 1;
  std::vector<CaseResult> cases;
  std::size_t passed = 0, failed = 0, skipped = 0;
};

/// Errors: invalid_argument (a regular expression; nothing left to run).
[[nodiscard]] Result<RunResult> run_cases(const std::vector<Case>& cases, SubjectFactory& factory,
                                          const RunOptions& options);
/// One variant alone.
[[nodiscard]] VariantResult run_variant(const Case& which, Mode mode, SubjectFactory& factory,
                                        std::uint64_t seed, const std::string& suffix);

/// "id reason" per line, `#` starts a comment. Errors: invalid_argument (unknown case), not_found.
[[nodiscard]] Result<std::map<std::string, std::string>> read_known_failing(
    const std::string& file);

}  // namespace zonesync::conform

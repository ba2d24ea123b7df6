#include "conformance/suite/runner.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <optional>
#include <regex>

#include "conformance/suite/test.hpp"

namespace zonesync::conform {
namespace {

bool wants(Modes modes, Mode mode) {
  if (modes == Modes::both) return true;
  return (modes == Modes::delta) == (mode == Mode::delta);
}

std::string missing_need(const Case& which, const Capabilities& has) {
  std::string missing;
  for (const std::string_view need : which.needs) {
    if (!has.contains(need)) missing += (missing.empty() ? "" : ", ") + std::string(need);
  }
  return missing;
}

VariantResult skipped(Mode mode, std::string why) {
  VariantResult result;
  result.mode = mode;
  result.outcome = Outcome::skipped;
  result.text = std::move(why);
  return result;
}

template <class Test>
void play(VariantResult& result, Test& test, const std::function<void(Test&)>& script) {
  const auto began = std::chrono::steady_clock::now();
  try {
    script(test);
  } catch (const Failed& failed) {
    result.outcome = Outcome::failed;
    result.text = failed.text;
    result.transcript = test.transcript.text();
  }
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
  result.milliseconds = took.count();
  result.messages = test.transcript.messages();
  result.bytes = test.transcript.bytes();
}

Outcome sum_of(const std::vector<VariantResult>& variants) {
  bool any_passed = false;
  for (const VariantResult& variant : variants) {
    if (variant.outcome == Outcome::failed) return Outcome::failed;
    any_passed = any_passed || variant.outcome == Outcome::passed;
  }
  return any_passed ? Outcome::passed : Outcome::skipped;
}

/// A known failure counts as skipped; one that passes is a failure of the list.
void judge_known(CaseResult& result, const std::string& reason) {
  if (result.outcome == Outcome::failed) {
    result.outcome = Outcome::skipped;
    for (VariantResult& variant : result.variants) {
      if (variant.outcome == Outcome::failed) variant.text = "known: " + reason + "; " +
          variant.text;
    }
  } else if (result.outcome == Outcome::passed) {
    result.outcome = Outcome::failed;
    result.variants.front().text = "is on the list of known failures and passes";
    result.variants.front().outcome = Outcome::failed;
  }
}

Result<std::optional<std::regex>> compiled(const std::string& text, const char* option) {
  if (text.empty()) return std::optional<std::regex>();
  try {
    return std::optional<std::regex>(std::regex(text));
  } catch (const std::regex_error& error) {
    return fail(ErrorCode::invalid_argument,
                "'" + text + "' is no regular expression: " + error.what(), option);
  }
}

}  // namespace

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::passed: return "passed";
    case Outcome::failed: return "failed";
    case Outcome::skipped: return "skipped";
  }
  return "?";
}

VariantResult run_variant(const Case& which, Mode mode, SubjectFactory& factory,
                          std::uint64_t seed, const std::string& suffix) {
  VariantResult result;
  result.mode = mode;
  const auto modes = factory.modes();
  if (std::find(modes.begin(), modes.end(), mode) == modes.end()) {
    return skipped(mode, "the subject does not speak " + std::string(to_string(mode)));
  }
  if (which.face() == Face::hub) {
    auto subject = factory.hub(seed);
    if (!subject) return skipped(mode, "the subject has no hub");
    if (auto missing = missing_need(which, subject->capabilities()); !missing.empty()) {
      return skipped(mode, "needs " + missing);
    }
    HubTest test(std::move(subject), mode, suffix);
    play<HubTest>(result, test, which.hub_script);
  } else {
    auto subject = factory.zone(seed);
    if (!subject) return skipped(mode, "the subject has no client");
    if (auto missing = missing_need(which, subject->capabilities()); !missing.empty()) {
      return skipped(mode, "needs " + missing);
    }
    ZoneTest test(std::move(subject), mode);
    play<ZoneTest>(result, test, which.zone_script);
  }
  return result;
}

Result<RunResult> run_cases(const std::vector<Case>& cases, SubjectFactory& factory,
                            const RunOptions& options) {
  auto run = compiled(options.run, "--run");
  if (!run) return fail(run.error());
  auto skip = compiled(options.skip, "--skip");
  if (!skip) return fail(skip.error());
  RunResult all;
  all.subject = factory.name();
  all.seed = options.seed;
  std::size_t number = 0;
  for (const Case& each : cases) {
    ++number;
    const std::string id(each.id);
    if (*run && !std::regex_search(id, **run)) continue;
    if (*skip && std::regex_search(id, **skip)) continue;
    if (!(each.face() == Face::hub ? factory.has_hub() : factory.has_zone())) continue;
    CaseResult result;
    result.which = &each;
    for (const Mode mode : options.modes) {
      if (!wants(each.modes, mode)) continue;
      const std::string suffix =
          options.fresh_subjects
              ? std::string()
              : "-" + std::to_string(number) + (mode == Mode::delta ? "d" : "v");
      result.variants.push_back(
          run_variant(each, mode, factory, options.seed * 1'000 + number, suffix));
    }
    if (result.variants.empty()) continue;
    result.outcome = sum_of(result.variants);
    if (const auto known = options.known_failing.find(id); known != options.known_failing.end()) {
      judge_known(result, known->second);
    }
    (result.outcome == Outcome::passed   ? all.passed
     : result.outcome == Outcome::failed ? all.failed
                                         : all.skipped)++;
    if (options.on_case) options.on_case(result);
    all.cases.push_back(std::move(result));
  }
  if (all.cases.empty()) {
    return fail(ErrorCode::invalid_argument,
                "no case of this subject is left; see `zonesync-conform list`",
                "--run, --skip, --mode");
  }
  return all;
}

Result<std::map<std::string, std::string>> read_known_failing(const std::string& file) {
  std::ifstream input(file);
  if (!input) return fail(ErrorCode::not_found, "cannot read the file", file);
  std::map<std::string, std::string> known;
  std::string line;
  for (int number = 1; std::getline(input, line); ++number) {
    line = line.substr(0, line.find('#'));
    const auto first = line.find_first_not_of(" \t");
    if (first == std::string::npos) continue;
    const auto end = std::min(line.find_first_of(" \t", first), line.size());
    const std::string id = line.substr(first, end - first);
    const bool there = std::any_of(catalogue().begin(), catalogue().end(),
                                   [&](const Case& each) { return each.id == id; });
    if (!there) {
      return fail(ErrorCode::invalid_argument, "there is no case " + id,
                  file + ":" + std::to_string(number));
    }
    const auto reason = line.find_first_not_of(" \t", end);
    known[id] = reason == std::string::npos ? "no reason given" : line.substr(reason);
  }
  return known;
}

}  // namespace zonesync::conform

// Whole command lines against a hub that answers from a script.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "server/cli/program.hpp"

namespace zonesync::cli {

/// What a command line printed and asked for.
struct Ran {
  int code = -1;
  std::string out;
  std::string err;
  std::vector<HttpClientRequest> requests;  // GET /types left out
  std::vector<Duration> slept;
  ApiOptions options;
};

/// Answers requests in the order of the script; GET /types has an answer of its own, so that
/// scripts show only what matters. An unexpected request gets 599.
/// Life cycle: one per test. Time stands still except for what the program sleeps.
class ScriptedHub {
 public:
  using Answer = std::function<Result<HttpResponse>(const HttpClientRequest&)>;

  ScriptedHub& answer(unsigned status, std::string body, HttpHeaders headers = {});
  ScriptedHub& answer(Answer answer);
  ScriptedHub& lose();  // no answer: the connection is gone
  /// A stream of lines; then it ends.
  ScriptedHub& lines(std::vector<std::string> lines);
  ScriptedHub& types(unsigned status, std::string body);
  ScriptedHub& environment(std::string name, std::string value);
  /// An interrupt after that many sleeps and streams.
  ScriptedHub& interrupt_after(int pauses);

  /// Runs `zonesync` with blank-separated arguments.
  [[nodiscard]] Ran run(const std::string& arguments, const std::string& input = {});
  [[nodiscard]] bool used_up() const { return script_.empty(); }

 private:
  friend class ScriptedChannel;

  struct Step {
    Answer answer;
    std::vector<std::string> lines;
  };
  std::deque<Step> script_;
  HttpResponse types_{404, {}, {}};
  std::vector<std::pair<std::string, std::string>> environment_;
  int pauses_left_ = 1'000;
  TimePoint now_{};
  Ran ran_;
};

}  // namespace zonesync::cli

#include "server/cli/tests/scripted_hub.hpp"

#include <sstream>

namespace zonesync::cli {

class ScriptedChannel final : public ApiChannel {
 public:
  explicit ScriptedChannel(ScriptedHub& hub) : hub_(hub) {}

  Result<HttpResponse> request(HttpClientRequest request) override {
    if (request.target == "/types" && request.method == "GET") return hub_.types_;
    const Result<ScriptedHub::Step> step = next(request);
    return step ? step->answer(request) : fail(step.error());
  }

  Result<HttpResponse> stream(HttpClientRequest request,
                              const BlockingHttpClient::LineHandler& on_line,
                              const BlockingHttpClient::KeepGoing& /*keep_going*/) override {
    const Result<ScriptedHub::Step> step = next(request);
    if (!step) return fail(step.error());
    --hub_.pauses_left_;
    for (const std::string& line : step->lines) {
      if (!on_line(line)) break;
    }
    return step->answer ? step->answer(request) : HttpResponse{};
  }

 private:
  Result<ScriptedHub::Step> next(const HttpClientRequest& request) {
    hub_.ran_.requests.push_back(request);
    if (hub_.script_.empty()) {
      return fail(ErrorCode::internal, "unexpected " + request.method + " " + request.target);
    }
    ScriptedHub::Step step = std::move(hub_.script_.front());
    hub_.script_.pop_front();
    return step;
  }

  ScriptedHub& hub_;
};

ScriptedHub& ScriptedHub::answer(unsigned status, std::string body, HttpHeaders headers) {
  return answer([=](const HttpClientRequest&) { return HttpResponse{status, headers, body}; });
}

ScriptedHub& ScriptedHub::answer(Answer answer) {
  script_.push_back({std::move(answer), {}});
  return *this;
}

ScriptedHub& ScriptedHub::lose() {
  return answer([](const HttpClientRequest&) -> Result<HttpResponse> {
    return fail(ErrorCode::unavailable, "connection lost");
  });
}

ScriptedHub& ScriptedHub::lines(std::vector<std::string> lines) {
  script_.push_back({{}, std::move(lines)});
  return *this;
}

ScriptedHub& ScriptedHub::types(unsigned status, std::string body) {
  types_ = {status, {}, std::move(body)};
  return *this;
}

ScriptedHub& ScriptedHub::environment(std::string name, std::string value) {
  environment_.emplace_back(std::move(name), std::move(value));
  return *this;
}

ScriptedHub& ScriptedHub::interrupt_after(int pauses) {
  pauses_left_ = pauses;
  return *this;
}

Ran ScriptedHub::run(const std::string& arguments, const std::string& input) {
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  World world{in, out, err, false, {}, {}, [] { return std::int64_t{1'000'000}; }, {}};
  world.environment = [&](const char* name) -> std::optional<std::string> {
    for (const auto& [key, value] : environment_) {
      if (key == name) return value;
    }
    return {};
  };
  world.connect = [&](const ApiOptions& options) -> Outcome<std::unique_ptr<ApiChannel>> {
    ran_.options = options;
    return std::make_unique<ScriptedChannel>(*this);
  };
  world.surroundings.sleep = [&](Duration duration) {
    ran_.slept.push_back(duration);
    now_ += duration;
    --pauses_left_;
  };
  world.surroundings.now = [&] { return now_; };
  world.surroundings.keep_going = [&] { return pauses_left_ > 0; };
  std::vector<std::string> words;
  std::istringstream split(arguments);
  for (std::string word; split >> word;) words.push_back(word);
  ran_.code = run_program(world, std::move(words));
  ran_.out = out.str();
  ran_.err = err.str();
  return ran_;
}

}  // namespace zonesync::cli

#include "conformance/adapters/json_lines.hpp"
#include "conformance/adapters/resource_json.hpp"
#include "conformance/adapters/target_hub.hpp"

namespace zonesync::conform {
namespace {

namespace json = boost::json;

class CommandControl final : public HubControl {
 public:
  explicit CommandControl(std::unique_ptr<JsonLines> lines) : lines_(std::move(lines)) {}

  Result<Capabilities> capabilities() override {
    auto answer = lines_->call("capabilities", {});
    if (!answer) return fail(answer.error());
    Capabilities all;
    for (const std::string& word : texts_at(*answer, "capabilities")) all.insert(word);
    has_clock_ = all.contains("clock");
    return all;
  }
  Result<Revision> write(const std::vector<ControlOp>& ops) override {
    json::object request;
    request["ops"] = to_json(ops);
    auto answer = lines_->call("write", std::move(request));
    if (!answer) return fail(answer.error());
    return Revision{number_at(*answer, "revision")};
  }
  Result<std::vector<Resource>> state() override {
    auto answer = lines_->call("get_state", {});
    if (!answer) return fail(answer.error());
    return resources_of(*answer);
  }
  Result<ZoneFacts> zone(const std::string& name) override {
    json::object request;
    request["zone"] = name;
    auto answer = lines_->call("get_zone", std::move(request));
    if (!answer) return fail(answer.error());
    ZoneFacts facts;
    facts.connected = flag_at(*answer, "connected");
    facts.generation = number_at(*answer, "generation");
    if (answer->contains("acked")) facts.acked = number_at(*answer, "acked");
    if (answer->contains("up_revision")) facts.up_revision = number_at(*answer, "up_revision");
    facts.hold = text_at(*answer, "hold");
    facts.rejects = number_at(*answer, "rejects");
    facts.mode = text_at(*answer, "mode");
    facts.converged = text_at(*answer, "converged");
    return facts;
  }
  Status set_zone(const std::string& name, const std::string& command) override {
    json::object request;
    request["zone"] = name;
    request["command"] = command;
    return done(lines_->call("set_zone", std::move(request)));
  }
  Status restart() override { return done(lines_->call("restart", {})); }
  Status fault(const std::string& name, std::uint64_t argument) override {
    json::object request;
    request["name"] = name;
    request["argument"] = argument;
    return done(lines_->call("fault", std::move(request)));
  }
  Result<std::string> mint_token(const std::string& zone) override {
    json::object request;
    request["zone"] = zone;
    auto answer = lines_->call("mint_token", std::move(request));
    if (!answer) return fail(answer.error());
    return text_at(*answer, "token");
  }
  bool advance(Duration by) override {
    if (!has_clock_) return false;
    json::object request;
    request["ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(by).count();
    return lines_->call("advance_clock", std::move(request)).has_value();
  }

 private:
  static Status done(const Result<json::object>& answer) {
    if (!answer) return fail(answer.error());
    return {};
  }
  std::unique_ptr<JsonLines> lines_;
  bool has_clock_ = false;
};

}  // namespace

Result<std::unique_ptr<HubControl>> make_command_control(const TargetOptions& options) {
  auto lines = JsonLines::start(options.control);
  if (!lines) return fail(lines.error());
  return std::make_unique<CommandControl>(std::move(*lines));
}

}  // namespace zonesync::conform

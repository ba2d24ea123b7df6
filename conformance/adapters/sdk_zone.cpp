#include "conformance/adapters/sdk_zone.hpp"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>

#include "conformance/adapters/json_lines.hpp"
#include "conformance/adapters/resource_json.hpp"
#include "conformance/adapters/ws_link.hpp"
#include "conformance/adapters/ws_listener.hpp"

namespace zonesync::conform {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kBackoffBaseMs = 20;
constexpr std::uint64_t kBackoffMaxMs = 500;
constexpr std::uint64_t kBackoffAuthMs = 12'000;
/// Time is real here: neither the backoff above nor a wait that a case asks for is longer.
constexpr auto kPatience = std::chrono::seconds(32);
constexpr std::string_view kToken = "token-of-the-suite";

json::array list_of(const std::vector<std::string>& texts) {
  json::array list;
  for (const std::string& text : texts) list.push_back(json::value(text));
  return list;
}

class SdkZone final : public ZoneSubject {
 public:
  SdkZone(std::unique_ptr<JsonLines> lines, Capabilities capabilities)
      : lines_(std::move(lines)),
        capabilities_(std::move(capabilities)),
        context_(std::make_shared<boost::asio::io_context>(1)),
        listener_(context_) {
    std::string pattern = (std::filesystem::temp_directory_path() / "conform-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) store_dir_ = pattern;
  }
  ~SdkZone() override {
    lines_.reset();
    std::error_code ignored;
    if (!store_dir_.empty()) std::filesystem::remove_all(store_dir_, ignored);
  }

  [[nodiscard]] Capabilities capabilities() const override { return capabilities_; }
  Status start(const ClientOptions& options) override;
  std::unique_ptr<Link> accept(Mode mode) override {
    auto accepted = listener_.accept(std::string(subprotocol(mode)), std::string(kToken));
    if (!accepted.socket) return nullptr;
    return std::make_unique<WsLink>(context_, std::move(accepted.socket),
                                    std::move(accepted.frames));
  }
  bool refuse_next(unsigned http_status, std::optional<std::uint32_t> retry_after_s) override {
    return listener_.refuse(http_status, retry_after_s);
  }
  bool attempts_within(Duration within) override {
    return listener_.attempt_within(std::min<Duration>(within, kPatience));
  }
  void advance(Duration by) override {
    run_until(*context_, by, [] { return false; });
  }
  Result<std::vector<Resource>> store() override {
    auto answer = call("store", {});
    if (!answer) return fail(answer.error());
    return resources_of(*answer);
  }
  Result<ClientFacts> status() override;
  Status set_verdict(const std::string& word) override {
    json::object request;
    request["word"] = word;
    return done(call("set_verdict", std::move(request)));
  }
  Status publish(const std::vector<ControlOp>& ops) override {
    json::object request;
    request["ops"] = to_json(ops);
    return done(call("publish", std::move(request)));
  }
  Status publish_complete() override { return done(call("publish_complete", {})); }
  Status approve_mass_delete() override { return done(call("approve_mass_delete", {})); }
  Status barrier() override { return done(call("barrier", {})); }
  std::optional<std::uint64_t> barrier_done() override {
    auto answer = call("barrier_done", {});
    if (!answer || !answer->contains("revision")) return std::nullopt;
    return number_at(*answer, "revision");
  }
  Status restart() override { return done(call("restart", {})); }
  Status stop() override { return done(call("stop", {})); }
  Status fault(const std::string& name, std::uint64_t argument) override {
    json::object request;
    request["name"] = name;
    request["argument"] = argument;
    return done(call("fault", std::move(request)));
  }

 private:
  Result<json::object> call(std::string_view op, json::object request) {
    return lines_->call(op, std::move(request), [this] {
      run_until(*context_, std::chrono::milliseconds(1), [] { return false; });
    });
  }
  static Status done(const Result<json::object>& answer) {
    if (!answer) return fail(answer.error());
    return {};
  }

  std::unique_ptr<JsonLines> lines_;
  Capabilities capabilities_;
  std::shared_ptr<boost::asio::io_context> context_;
  WsListener listener_;
  std::string store_dir_;
};

Status SdkZone::start(const ClientOptions& options) {
  json::object backoff;
  backoff["base_ms"] = kBackoffBaseMs;
  backoff["max_ms"] = kBackoffMaxMs;
  backoff["auth_ms"] = kBackoffAuthMs;
  json::object request;
  request["hub_url"] = listener_.url();
  request["ca_file"] = listener_.ca_file();
  request["token"] = kToken;
  request["zone"] = options.zone;
  request["types"] = list_of(options.types);
  request["meshes"] = list_of(options.meshes);
  request["durable"] = options.durable;
  request["mode"] = to_string(options.mode);
  request["store_dir"] = store_dir_;
  request["backoff"] = std::move(backoff);
  return done(call("start", std::move(request)));
}

Result<ClientFacts> SdkZone::status() {
  auto answer = call("status", {});
  if (!answer) return fail(answer.error());
  ClientFacts facts;
  facts.state = text_at(*answer, "state");
  facts.mode = text_at(*answer, "mode");
  facts.connected = flag_at(*answer, "connected");
  facts.held = text_at(*answer, "held");
  facts.peer_held = text_at(*answer, "peer_held");
  facts.revision = number_at(*answer, "revision");
  facts.rejects = number_at(*answer, "rejects");
  facts.publish_rejects = number_at(*answer, "publish_rejects");
  facts.outbox_acked = number_at(*answer, "outbox_acked");
  facts.outbox_head = number_at(*answer, "outbox_head");
  facts.close_code = static_cast<std::uint16_t>(number_at(*answer, "close_code"));
  return facts;
}

class SdkFactory final : public SubjectFactory {
 public:
  SdkFactory(std::string command, Capabilities capabilities, std::vector<Mode> modes)
      : command_(std::move(command)),
        capabilities_(std::move(capabilities)),
        modes_(std::move(modes)) {}
  [[nodiscard]] std::string name() const override { return command_; }
  [[nodiscard]] bool has_hub() const override { return false; }
  std::shared_ptr<HubSubject> hub(std::uint64_t) override { return nullptr; }
  std::shared_ptr<ZoneSubject> zone(std::uint64_t) override {
    auto lines = JsonLines::start(command_);
    if (!lines) return nullptr;
    return std::make_shared<SdkZone>(std::move(*lines), capabilities_);
  }
  [[nodiscard]] std::vector<Mode> modes() const override { return modes_; }

 private:
  std::string command_;
  Capabilities capabilities_;
  std::vector<Mode> modes_;
};

}  // namespace

Result<std::unique_ptr<SubjectFactory>> make_sdk_factory(const std::string& command) {
  auto lines = JsonLines::start(command);
  if (!lines) return fail(lines.error());
  auto answer = (*lines)->call("capabilities", {});
  if (!answer) {
    return fail(answer.error().code, "the adapter does not tell its capabilities: " +
                                         answer.error().message, "--sdk " + command);
  }
  Capabilities capabilities{"clock", "transport"};
  for (const std::string& word : texts_at(*answer, "capabilities")) capabilities.insert(word);
  std::vector<Mode> modes;
  for (const std::string& word : texts_at(*answer, "modes")) {
    if (word == "delta") modes.push_back(Mode::delta);
    if (word == "v1") modes.push_back(Mode::v1);
  }
  if (modes.empty()) modes.push_back(Mode::delta);
  return std::make_unique<SdkFactory>(command, std::move(capabilities), std::move(modes));
}

}  // namespace zonesync::conform

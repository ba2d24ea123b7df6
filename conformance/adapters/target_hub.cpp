#include "conformance/adapters/target_hub.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "conformance/adapters/ws_link.hpp"
#include "protocol/http/client.hpp"

namespace zonesync::conform {
namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// First line that a command prints; empty when it failed.
std::string output_of(const std::string& command) {
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  std::string output;
  char bytes[4'096];
  while (std::fgets(bytes, sizeof bytes, pipe) != nullptr) output += bytes;
  if (::pclose(pipe) != 0) return {};
  return output.substr(0, output.find('\n'));
}

/// One attempt to connect; kept alive by its handlers.
struct Opening {
  std::shared_ptr<FrameInjector> frames;
  std::optional<tl::expected<WebSocketPtr, ConnectFailure>> answer;
};

class TargetHub final : public HubSubject {
 public:
  TargetHub(TargetOptions options, ConnectTarget target, std::unique_ptr<HubControl> control,
            Capabilities capabilities)
      : options_(std::move(options)),
        target_(std::move(target)),
        control_(std::move(control)),
        capabilities_(std::move(capabilities)),
        context_(std::make_shared<boost::asio::io_context>(1)) {}

  [[nodiscard]] Capabilities capabilities() const override { return capabilities_; }
  tl::expected<std::unique_ptr<Link>, DialRefusal> connect(const DialOptions& options) override;
  void advance(Duration by) override {
    if (control_ && control_->advance(by)) return;
    run_until(*context_, by, [] { return false; });
  }
  Result<Revision> write(const std::vector<ControlOp>& ops) override {
    if (!control_) return none();
    return control_->write(ops);
  }
  Result<std::vector<Resource>> state() override {
    if (!control_) return none();
    return control_->state();
  }
  Result<ZoneFacts> zone(const std::string& name) override {
    if (!control_) return none();
    return control_->zone(name);
  }
  Status set_zone(const std::string& name, const std::string& command) override {
    if (!control_) return none();
    return control_->set_zone(name, command);
  }
  Status restart() override {
    if (options_.restart_command.empty()) return control_ ? control_->restart() : Status(none());
    if (std::system(options_.restart_command.c_str()) != 0) {
      return fail(ErrorCode::unavailable, "the restart command failed");
    }
    return {};
  }
  Status fault(const std::string& name, std::uint64_t argument) override {
    if (!control_) return none();
    return control_->fault(name, argument);
  }

 private:
  static tl::unexpected<Error> none() {
    return fail(ErrorCode::unsupported, "there is no hub-control");
  }
  Result<std::string> token_of(const std::string& zone);

  TargetOptions options_;
  ConnectTarget target_;
  std::unique_ptr<HubControl> control_;
  Capabilities capabilities_;
  std::shared_ptr<boost::asio::io_context> context_;
  std::map<std::string, std::string> tokens_;
};

Result<std::string> TargetHub::token_of(const std::string& zone) {
  if (const auto known = tokens_.find(zone); known != tokens_.end()) return known->second;
  std::string token;
  if (!options_.mint_command.empty()) {
    token = output_of(replaced(options_.mint_command, "{zone}", zone));
  } else if (control_ && options_.token_file.empty()) {
    auto minted = control_->mint_token(zone);
    if (!minted) return minted;
    token = std::move(*minted);
  } else {
    std::ifstream file(options_.token_file);
    std::string line;
    while (std::getline(file, line)) {
      std::istringstream words(line);
      std::string first;
      std::string second;
      words >> first >> second;
      if (second.empty()) token = first;
      if (first == zone) token = second;
      if (first == zone) break;
    }
  }
  if (token.empty()) return fail(ErrorCode::unauthenticated, "no token for zone " + zone);
  tokens_[zone] = token;
  return token;
}

tl::expected<std::unique_ptr<Link>, DialRefusal> TargetHub::connect(const DialOptions& options) {
  WebSocketClientOptions wanted;
  wanted.target = target_;
  wanted.path = options.path;
  wanted.subprotocols = options.subprotocols;
  wanted.user_agent = "zonesync-conform";
  if (options.token) {
    wanted.bearer_token = *options.token;
  } else {
    auto token = token_of(options.zone);
    if (!token) return tl::unexpected(DialRefusal{0, {}, describe(token.error()), false});
    wanted.bearer_token = *token;
  }
  auto opening = std::make_shared<Opening>();
  connect_stream(*context_, wanted.target, wanted.connect_timeout,
                 [opening, wanted](Result<ByteStreamPtr> stream) {
    if (!stream) {
      opening->answer = tl::unexpected(ConnectFailure{stream.error(), 0, {}, {}});
      return;
    }
    auto [wrapped, frames] = injectable(std::move(*stream), FrameEnd::client);
    opening->frames = std::move(frames);
    upgrade_websocket(std::move(wrapped), wanted,
                      [opening](tl::expected<WebSocketPtr, ConnectFailure> result) {
      opening->answer = std::move(result);
    });
  });
  run_until(*context_, std::chrono::seconds(30), [&] { return opening->answer.has_value(); });
  auto& answer = opening->answer;
  if (!answer) return tl::unexpected(DialRefusal{0, {}, "no answer to the upgrade", false});
  if (!*answer) {
    const ConnectFailure& failure = answer->error();
    return tl::unexpected(DialRefusal{failure.http_status, failure.body,
                                      describe(failure.error), failure.retry_after.has_value()});
  }
  return std::make_unique<WsLink>(context_, std::move(**answer), opening->frames);
}

class TargetFactory final : public SubjectFactory {
 public:
  TargetFactory(std::shared_ptr<TargetHub> hub, std::string url)
      : hub_(std::move(hub)), url_(std::move(url)) {}
  [[nodiscard]] std::string name() const override { return url_; }
  [[nodiscard]] bool has_zone() const override { return false; }
  std::shared_ptr<HubSubject> hub(std::uint64_t) override { return hub_; }
  std::shared_ptr<ZoneSubject> zone(std::uint64_t) override { return nullptr; }
  [[nodiscard]] std::vector<Mode> modes() const override { return {Mode::delta, Mode::v1}; }

 private:
  std::shared_ptr<TargetHub> hub_;
  std::string url_;
};

}  // namespace

Result<std::unique_ptr<SubjectFactory>> make_target_factory(TargetOptions options) {
  const std::string text = options.url;
  const bool tls = text.rfind("wss://", 0) == 0;
  if (!tls && text.rfind("ws://", 0) != 0) {
    return fail(ErrorCode::invalid_argument, "must start with wss:// or ws://", "--target");
  }
  if (options.token_file.empty() && options.mint_command.empty() &&
      (options.control.empty() || options.control.rfind("rest:", 0) == 0)) {
    return fail(ErrorCode::invalid_argument,
                "there are no credentials of zones: give --token-file, --mint-token, or a "
                "--hub-control command that mints", "--target");
  }
  auto url = HttpUrl::parse((tls ? "https" : "http") + text.substr(tls ? 3 : 2));
  if (!url) return fail(url.error());
  ConnectTarget target;
  target.host = url->host;
  target.port = url->port;
  if (tls) {
    TlsClientOptions client;
    client.ca_file = options.ca_file;
    auto context = TlsContext::client(client);
    if (!context) return fail(context.error());
    target.tls = std::move(*context);
  }
  Capabilities capabilities{"transport", "clock"};
  std::unique_ptr<HubControl> control;
  if (!options.control.empty()) {
    auto made = options.control.rfind("rest:", 0) == 0 ? make_rest_control(options)
                                                       : make_command_control(options);
    if (!made) return fail(made.error());
    control = std::move(*made);
    auto has = control->capabilities();
    if (!has) return fail(has.error());
    capabilities.insert(has->begin(), has->end());
  }
  if (!options.restart_command.empty()) capabilities.insert("restart");
  auto hub = std::make_shared<TargetHub>(options, std::move(target), std::move(control),
                                         std::move(capabilities));
  return std::make_unique<TargetFactory>(std::move(hub), options.url);
}

}  // namespace zonesync::conform

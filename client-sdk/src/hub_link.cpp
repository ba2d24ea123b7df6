#include "client-sdk/src/hub_link.hpp"

#include <fstream>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace zonesync::client {
namespace {

Result<std::string> read_token(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return fail(ErrorCode::not_found, "the token file '" + path + "' cannot be read",
                "token_file");
  }
  std::string token(limits::kTokenMaxBytes + 1, '\0');
  file.read(token.data(), static_cast<std::streamsize>(token.size()));
  token.resize(static_cast<std::size_t>(file.gcount()));
  if (token.size() > limits::kTokenMaxBytes) {
    return fail(ErrorCode::too_large, "the token file '" + path + "' holds no token",
                "token_file");
  }
  while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') token.pop_back();
  if (token.empty()) {
    return fail(ErrorCode::not_found, "the token file '" + path + "' is empty", "token_file");
  }
  for (const char c : token) {
    if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7f) {
      return fail(ErrorCode::invalid_argument, "the token file '" + path + "' holds no token",
                  "token_file");
    }
  }
  return token;
}

}  // namespace

HubLink::HubLink(boost::asio::io_context& context, const Config& config, HubUrl url,
                 const Clock& clock, Events events)
    : context_(context),
      config_(config),
      url_(std::move(url)),
      clock_(clock),
      events_(std::move(events)) {}

HubLink::~HubLink() = default;

Result<WebSocketClientOptions> HubLink::options() const {
  WebSocketClientOptions options;
  options.target.host = url_.host;
  options.target.port = url_.port;
  options.target.connect_address = config_.connect_address;
  options.path = url_.path;
  for (const SyncMode mode : events_.offers()) {
    options.subprotocols.emplace_back(subprotocol_of(mode));
  }
  options.user_agent = config_.software;
  options.bearer_token = config_.token;
  if (!config_.token_file.empty()) {
    auto token = read_token(config_.token_file);
    if (!token) return fail(token.error());
    options.bearer_token = std::move(*token);
  }
  if (url_.tls) {
    auto tls = TlsContext::client(TlsClientOptions{
        config_.ca_file, config_.client_certificate_file, config_.client_key_file});
    if (!tls) return fail(tls.error());
    options.target.tls = std::move(*tls);
  }
  return options;
}

void HubLink::connect() {
  attempt_ = std::make_shared<bool>(true);
  auto prepared = options();
  if (!prepared) return fail_later(prepared.error());
  connect_websocket(context_, *prepared,
                    [this, attempt = std::weak_ptr<bool>(attempt_)](
                        tl::expected<WebSocketPtr, ConnectFailure> result) {
                      if (attempt.expired()) return;  // also when we are gone
                      on_connected(std::move(result));
                    });
}

void HubLink::fail_later(Error error) {
  boost::asio::post(context_, [this, attempt = std::weak_ptr<bool>(attempt_),
                               error = std::move(error)] {
    if (attempt.expired()) return;
    attempt_.reset();
    events_.failed(ConnectProblem{error, 0, std::nullopt});
  });
}

void HubLink::on_connected(tl::expected<WebSocketPtr, ConnectFailure> result) {
  attempt_.reset();
  if (!result) {
    const ConnectFailure& failure = result.error();
    std::optional<Duration> retry_after;
    if (failure.retry_after) retry_after = *failure.retry_after;
    return events_.failed(ConnectProblem{failure.error, failure.http_status, retry_after});
  }
  const auto mode = mode_of_subprotocol((*result)->subprotocol());
  std::shared_ptr<Session> session = events_.opened(mode.value_or(SyncMode::delta));
  if (!session) return;
  driver_ = SessionDriver::make(std::move(*result), std::move(session), clock_);
  driver_->start();
}

void HubLink::cancel() { attempt_.reset(); }

void HubLink::wake() {
  if (driver_) driver_->wake();
}

}  // namespace zonesync::client

#include "server/cmd/sync_server.hpp"

#include <algorithm>
#include <utility>

namespace zonesync {
namespace {

/// What the 400 of an upgrade without a common subprotocol says.
std::string spoken(const std::vector<SyncMode>& modes) {
  std::string names;
  for (const SyncMode mode : modes) {
    names += (names.empty() ? "" : ", ") + std::string(subprotocol_of(mode));
  }
  return "this hub speaks: " + names;
}

std::chrono::milliseconds monotonic() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      steady_clock().now().time_since_epoch());
}

auth::UnixTime wall_clock() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

}  // namespace

/// What is known of a connection between its upgrade request and its session.
struct SyncServer::Upgrade {
  std::string peer;
  std::optional<auth::ZoneIdentity> identity;
  hub::ModeChoice mode;
  bool refused = false;
};

SyncServer::SyncServer(Options options, SessionServices& services, CredentialsSource credentials)
    : options_(std::move(options)),
      services_(services),
      credentials_(std::move(credentials)),
      limiter_(options_.attempts) {}

SyncServer::~SyncServer() = default;

Status SyncServer::start(IoPool& pool) {
  ListenerOptions listener;
  listener.address = options_.address;
  listener.port = options_.port;
  listener.tls = options_.tls;
  auto started = Listener::start(pool, listener, services_.logger,
                                 [this](ByteStreamPtr stream) { on_stream(std::move(stream)); });
  if (!started) return fail(std::move(started.error()));
  listener_ = std::move(*started);
  return {};
}

std::uint16_t SyncServer::port() const { return listener_->port(); }

std::uint64_t SyncServer::tls_failures() const {
  return listener_ ? listener_->handshakes_failed() : 0;
}

// -- upgrade --------------------------------------------------------------------------------------

void SyncServer::on_stream(ByteStreamPtr stream) {
  auto upgrade = std::make_shared<Upgrade>();
  upgrade->peer = stream->peer().address;
  accept_websocket(
      std::move(stream), WebSocketLimits{},
      [this, upgrade](const UpgradeRequest& request, UpgradeDecide decide) {
        on_upgrade(request, *upgrade, decide);
      },
      [this, upgrade](Result<WebSocketPtr> socket) { on_websocket(std::move(socket), *upgrade); });
}

void SyncServer::refuse(const UpgradeRequest&, Upgrade& upgrade, const UpgradeDecide& decide,
                        UpgradeDecision decision, std::string reason, std::string detail) {
  upgrade.refused = true;
  ++upgrades_refused_;
  services_.logger->log({LogLevel::warn,
                         "sync.upgrade.refused",
                         "a connection was refused before it became a session",
                         {{"peer", upgrade.peer},
                          {"reason", std::move(reason)},
                          {"status", std::to_string(decision.status)},
                          {"detail", std::move(detail)}}});
  decide(std::move(decision));
}

void SyncServer::on_upgrade(const UpgradeRequest& request, Upgrade& upgrade,
                            const UpgradeDecide& decide) {
  if (draining_) {
    auto decision = UpgradeDecision::reject(503, "Unavailable", "the hub is shutting down");
    decision.retry_after = std::chrono::seconds(5);
    return refuse(request, upgrade, decide, std::move(decision), "draining", "");
  }
  const std::string_view host = auth::host_of(upgrade.peer);
  if (const auto wait = limiter_.blocked_for(host, monotonic()); wait.count() > 0) {
    auto decision = UpgradeDecision::reject(429, "Too many attempts",
                                            "too many refused credentials; wait");
    decision.retry_after = std::chrono::ceil<std::chrono::seconds>(wait);
    upgrade.refused = true;  // counted; the log has the line of the penalty's beginning
    ++upgrades_refused_;
    return decide(std::move(decision));
  }
  const auto no_common = [&](std::optional<SyncMode> forced) {
    refuse(request, upgrade, decide,
           UpgradeDecision::reject(400, "No common subprotocol",
                                   spoken(hub::enabled_modes(options_.delta_enabled, forced))),
           "subprotocol", "");
  };
  if (!hub::choose_mode(request.subprotocols, true, std::nullopt)) return no_common(std::nullopt);
  auto identity = [&]() -> auth::AuthResult<auth::ZoneIdentity> {
    if (request.bearer_token.empty()) {
      return auth::refuse(auth::AuthEvent::token_missing, "no Authorization: Bearer header");
    }
    return credentials_()->verify_zone_token(request.bearer_token, wall_clock());
  }();
  if (!identity) {
    const auth::Refusal& why = identity.error();
    // A missing token is a mistake, not a guess; only guesses earn a penalty.
    if (why.event != auth::AuthEvent::token_missing && limiter_.failed(host, monotonic())) {
      services_.logger->log({LogLevel::warn,
                             std::string(to_string(auth::AuthEvent::attempts_limited)),
                             "an address is refused unseen for a while",
                             {{"port", "sync"}, {"peer", upgrade.peer}}});
    }
    return refuse(request, upgrade, decide,
                  UpgradeDecision::reject(401, "Unauthorized", why.public_error().message),
                  std::string(to_string(why.event)), why.detail);
  }
  limiter_.succeeded(host, monotonic());
  const auto forced = services_.table.forced_mode(identity->zone);
  auto mode = hub::choose_mode(request.subprotocols, options_.delta_enabled, forced);
  if (!mode) return no_common(forced);
  upgrade.identity = std::move(*identity);
  upgrade.mode = std::move(*mode);
  decide(UpgradeDecision::accept(std::string(subprotocol_of(upgrade.mode.mode))));
}

void SyncServer::on_websocket(Result<WebSocketPtr> socket, const Upgrade& upgrade) {
  if (!socket || !upgrade.identity) {
    if (upgrade.refused) return;
    ++upgrades_refused_;
    const Error error = socket ? Error{} : socket.error();
    services_.logger->log({LogLevel::warn,
                           "sync.upgrade.refused",
                           "a connection did not become a session",
                           {{"peer", upgrade.peer},
                            {"reason", std::string(to_string(error.code))},
                            {"detail", error.message}}});
    return;
  }
  SessionId id;
  std::shared_ptr<HubSession> session;
  {
    const std::lock_guard lock(mutex_);
    id.value = next_session_++;
    session = std::make_shared<HubSession>(services_, id, *upgrade.identity, upgrade.peer,
                                           upgrade.mode);
    sessions_[id.value] = session;
  }
  ++opened_;
  const auto driver = SessionDriver::make(std::move(*socket), session->port());
  session->attach(driver);
  driver->start();
}

// -- sessions -------------------------------------------------------------------------------------

std::vector<std::shared_ptr<HubSession>> SyncServer::live() const {
  std::vector<std::shared_ptr<HubSession>> found;
  const std::lock_guard lock(mutex_);
  found.reserve(sessions_.size());
  for (const auto& [id, weak] : sessions_) {
    if (auto session = weak.lock()) found.push_back(std::move(session));
  }
  return found;
}

void SyncServer::wake_all() {
  for (const auto& session : live()) session->wake();
}

void SyncServer::tick_all() {
  const auto credentials = credentials_();
  for (const auto& session : live()) session->tick(credentials);
}

std::shared_ptr<HubSession> SyncServer::find(SessionId id) const {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(id.value);
  return found == sessions_.end() ? nullptr : found->second.lock();
}

void SyncServer::close_session(SessionId id, std::uint16_t code, const std::string& reason,
                               Duration retry_after) {
  if (const auto session = find(id)) session->close(code, reason, retry_after);
}

void SyncServer::resync(SessionId id) {
  if (const auto session = find(id)) session->resync();
}

void SyncServer::fall_back(SessionId id, Duration ttl) {
  const auto session = find(id);
  if (session) session->close(close_code::kRestart, "v1 for a while, by an operator", {}, ttl);
}

void SyncServer::retry_held(SessionId id) {
  if (const auto session = find(id)) session->retry_held();
}

void SyncServer::forget(SessionId session) {
  const std::lock_guard lock(mutex_);
  sessions_.erase(session.value);
}

std::size_t SyncServer::sessions() const {
  const std::lock_guard lock(mutex_);
  return sessions_.size();
}

void SyncServer::drain(Duration spread) {
  draining_ = true;
  if (listener_) listener_->stop();
  const auto open = live();
  for (std::size_t at = 0; at < open.size(); ++at) {
    const auto share = spread * static_cast<std::int64_t>(at) /
                       static_cast<std::int64_t>(std::max<std::size_t>(open.size(), 1));
    open[at]->close(close_code::kRestart, "the hub is shutting down",
                    std::chrono::milliseconds(500) + share);
  }
}

}  // namespace zonesync

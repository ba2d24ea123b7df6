#include "server/admin/gate.hpp"

#include <algorithm>
#include <cctype>

namespace zonesync::admin {
namespace {

std::vector<Route> routes_of(Port port) {
  std::vector<Route> routes;
  for (const Route& route : route_table()) {
    if (route.port == port) routes.push_back(route);
  }
  return routes;
}

Problem wait_for(std::chrono::milliseconds left) {
  Problem problem =
      problem_of(Error{ErrorCode::resource_exhausted, "too many refused credentials; wait"});
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(left);
  problem.headers.set("Retry-After", std::to_string(seconds.count()));
  return problem;
}

/// A body in a content coding would be taken for what it is not.
std::optional<Problem> judge_encoding(const HttpRequest& request) {
  const std::string_view length = request.headers.get("Content-Length");
  std::string coding(request.headers.get("Content-Encoding"));
  std::transform(coding.begin(), coding.end(), coding.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (length.empty() || length == "0" || coding.empty() || coding == "identity") {
    return std::nullopt;
  }
  Problem problem{415, "unsupported_media_type", "send the body as it is, without a content coding",
                  {{"Content-Encoding", "is not one that the hub reads"}}};
  problem.headers.set("Accept-Encoding", "identity");
  return problem;
}

}  // namespace

Gate::Gate(ContextPtr context, std::shared_ptr<OwedReplies> owed, Port port)
    : context_(std::move(context)), owed_(std::move(owed)), port_(port), router_(routes_of(port)) {}

tl::expected<auth::UserIdentity, Problem> Gate::identify(const HttpRequest& request) const {
  const std::string_view host = auth::host_of(request.peer.address);
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
      context_->options.clock->now().time_since_epoch());
  auth::AttemptLimiter& limiter = context_->limiter;
  const auto blocked = limiter.blocked_for(host, now);
  if (blocked.count() > 0) return refuse(wait_for(blocked));
  auth::AuthResult<auth::UserIdentity> user =
      context_->credentials()->verify_api_token(request.bearer_token(), context_->wall_now());
  if (user) {
    limiter.succeeded(host, now);
    return std::move(*user);
  }
  const auth::Refusal& refusal = user.error();
  // A missing token is a mistake, not a guess; only guesses earn a penalty.
  if (refusal.event != auth::AuthEvent::token_missing && limiter.failed(host, now)) {
    // The one line of this penalty: what is refused unseen gives none.
    context_->logger->log({LogLevel::warn,
                           std::string(to_string(auth::AuthEvent::attempts_limited)),
                           "an address is refused unseen for a while",
                           {{"port", "api"}, {"peer", request.peer.address}}});
  }
  context_->logger->log({LogLevel::warn, std::string(auth::to_string(refusal.event)),
                         refusal.detail, {{"port", "api"}, {"peer", request.peer.address}}});
  return refuse(refusal.public_error());
}

tl::expected<Gate::Admitted, Gate::Refused> Gate::admit(const HttpRequest& request) const {
  Admitted admitted;
  if (port_ == Port::api) {
    auto user = identify(request);
    if (!user) return tl::unexpected(Refused{std::move(user.error()), "(refused)", ""});
    admitted.user = std::move(*user);
  }
  auto match = router_.match(request);
  if (!match) return tl::unexpected(Refused{std::move(match.error()), "(none)", ""});
  admitted.match = std::move(*match);
  const Route& route = *admitted.match.route;
  if (port_ == Port::api && !admitted.user.allows(route.role)) {
    const Error error{ErrorCode::forbidden,
                      "this needs the role " + std::string(to_string(route.role))};
    return tl::unexpected(Refused{problem_of(error), route.pattern, route.method});
  }
  if (auto problem = judge_encoding(request)) {
    return tl::unexpected(Refused{std::move(*problem), route.pattern, route.method});
  }
  return admitted;
}

std::optional<HttpResponse> Gate::precheck(const HttpRequest& head) const {
  const auto admitted = admit(head);
  if (admitted) return std::nullopt;
  const Refused& refused = admitted.error();
  context_->requests.count(refused.route, refused.method, refused.problem.status);
  return to_response(refused.problem);
}

void Gate::handle(HttpRequest request, HttpResponderPtr responder) const {
  auto reply = std::make_shared<Reply>(owed_, std::move(responder));
  const auto count = [this](const std::string& route, const std::string& method) {
    return [context = context_, route, method](unsigned status) {
      context->requests.count(route, method, status);
    };
  };
  auto admitted = admit(request);
  if (!admitted) {
    reply->on_sent(count(admitted.error().route, admitted.error().method));
    return reply->send(admitted.error().problem);
  }
  const Route& route = *admitted->match.route;
  reply->on_sent(count(route.pattern, route.method));
  reply->on_failed([context = context_, pattern = route.pattern,
                    method = route.method](const std::string& inside) {
    context->logger->log({LogLevel::error, "api.failed", inside,
                          {{"route", pattern}, {"method", method}}});
  });
  Call call;
  call.context = context_;
  call.http = std::move(request);
  call.path = std::move(admitted->match.path);
  call.user = std::move(admitted->user);
  call.reply = std::move(reply);
  route.handler(std::move(call));
}

}  // namespace zonesync::admin

#include "server/admin/gate.hpp"

namespace zonesync::admin {
namespace {

std::vector<Route> routes_of(Port port) {
  std::vector<Route> routes;
  for (const Route& route : route_table()) {
    if (route.port == port) routes.push_back(route);
  }
  return routes;
}

}  // namespace

Gate::Gate(ContextPtr context, std::shared_ptr<OwedReplies> owed, Port port)
    : context_(std::move(context)), owed_(std::move(owed)), port_(port), router_(routes_of(port)) {}

tl::expected<auth::UserIdentity, Problem> Gate::identify(const HttpRequest& request) const {
  auth::AuthResult<auth::UserIdentity> user =
      context_->credentials()->verify_api_token(request.bearer_token(), context_->wall_now());
  if (user) return std::move(*user);
  const auth::Refusal& refusal = user.error();
  context_->logger->log({LogLevel::warn, std::string(auth::to_string(refusal.event)),
                         refusal.detail, {{"port", "api"}, {"peer", request.peer.address}}});
  return refuse(refusal.public_error());
}

void Gate::handle(HttpRequest request, HttpResponderPtr responder) const {
  auto reply = std::make_shared<Reply>(owed_, std::move(responder));
  auth::UserIdentity user;
  const auto count = [this](const std::string& route, const std::string& method) {
    return [context = context_, route, method](unsigned status) {
      context->requests.count(route, method, status);
    };
  };
  if (port_ == Port::api) {
    auto identified = identify(request);
    if (!identified) {
      reply->on_sent(count("(refused)", ""));
      return reply->send(identified.error());
    }
    user = std::move(*identified);
  }
  auto match = router_.match(request);
  if (!match) {
    reply->on_sent(count("(none)", ""));
    return reply->send(match.error());
  }
  const Route& route = *match->route;
  reply->on_sent(count(route.pattern, route.method));
  if (port_ == Port::api && !user.allows(route.role)) {
    return reply->send(problem_of(
        Error{ErrorCode::forbidden, "this needs the role " + std::string(to_string(route.role))}));
  }
  Call call;
  call.context = context_;
  call.http = std::move(request);
  call.path = std::move(match->path);
  call.user = std::move(user);
  call.reply = std::move(reply);
  route.handler(std::move(call));
}

}  // namespace zonesync::admin

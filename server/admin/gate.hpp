// From a request to its handler: who calls, which route, may they.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "server/admin/router.hpp"

namespace zonesync::admin {

/// Every request of one port passes here. On the API port the token is judged before the path, so
/// that strangers learn nothing. Immutable. Thread rule: any thread.
class Gate {
 public:
  Gate(ContextPtr context, std::shared_ptr<OwedReplies> owed, Port port);

  void handle(HttpRequest request, HttpResponderPtr responder) const;
  /// What handle() would refuse already by the head: asked before a body is read, so that strangers
  /// cannot make the hub hold theirs. Counted and logged like any other refusal.
  [[nodiscard]] std::optional<HttpResponse> precheck(const HttpRequest& head) const;

 private:
  struct Admitted {
    auth::UserIdentity user;  // nobody on the metrics port
    Router::Match match;
  };
  struct Refused {
    Problem problem;
    std::string route;  // as it is counted
    std::string method;
  };
  [[nodiscard]] tl::expected<Admitted, Refused> admit(const HttpRequest& request) const;
  [[nodiscard]] tl::expected<auth::UserIdentity, Problem> identify(
      const HttpRequest& request) const;

  const ContextPtr context_;
  const std::shared_ptr<OwedReplies> owed_;
  const Port port_;
  const Router router_;
};

}  // namespace zonesync::admin

// From a request to its handler: who calls, which route, may they.
#pragma once

#include <memory>

#include "server/admin/router.hpp"

namespace zonesync::admin {

/// Every request of one port passes here. On the API port the token is judged before the path, so
/// that strangers learn nothing. Immutable. Thread rule: any thread.
class Gate {
 public:
  Gate(ContextPtr context, std::shared_ptr<OwedReplies> owed, Port port);

  void handle(HttpRequest request, HttpResponderPtr responder) const;

 private:
  [[nodiscard]] tl::expected<auth::UserIdentity, Problem> identify(
      const HttpRequest& request) const;

  const ContextPtr context_;
  const std::shared_ptr<OwedReplies> owed_;
  const Port port_;
  const Router router_;
};

}  // namespace zonesync::admin

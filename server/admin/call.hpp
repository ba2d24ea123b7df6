// One request on its way through a handler, and what handlers share.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/runtime/logger.hpp"
#include "server/admin/admin_server.hpp"
#include "server/admin/executor.hpp"
#include "server/admin/reply.hpp"
#include "server/admin/request_counters.hpp"

namespace zonesync::admin {

class ChangeFeeds;

/// What every handler may use. Lives until the last reference: completions of the hub may hold one
/// longer than the server lives, and then use nothing but `executor`.
struct AdminContext {
  AdminContext(AdminOptions options_in, hub::HubApi& hub_in, IoPool& pool)
      : options(std::move(options_in)), hub(hub_in), executor(pool), limiter(options.attempts) {}

  const AdminOptions options;
  hub::HubApi& hub;
  CredentialsSource credentials;
  std::shared_ptr<Logger> logger;
  Executor executor;
  RequestCounters requests;
  auth::AttemptLimiter limiter;
  std::shared_ptr<ChangeFeeds> feeds;  // set before the first request
  std::atomic<std::size_t> waits{0};

  [[nodiscard]] auth::UnixTime wall_now() const { return options.now(); }
};
using ContextPtr = std::shared_ptr<AdminContext>;

struct Call {
  ContextPtr context;
  HttpRequest http;
  std::map<std::string, std::string, std::less<>> path;  // parameters of the path, decoded
  auth::UserIdentity user;                               // nobody on the metrics port
  ReplyPtr reply;

  [[nodiscard]] hub::HubApi& hub() const { return context->hub; }
  /// A path parameter; the route has it.
  [[nodiscard]] const std::string& param(std::string_view name) const;
  /// A query parameter as text.
  [[nodiscard]] std::optional<std::string> query(std::string_view name) const;
};

/// Answers through `call.reply`, at once or later.
using Handler = void (*)(Call call);

/// Handler of a function that answers at once.
template <Answer (*Function)(const Call&)>
void answer_at_once(Call call) {
  call.reply->send(Function(call));
}

// Query parameters. Errors: invalid_argument with the parameter's name.
[[nodiscard]] Result<bool> query_flag(const Call& call, std::string_view name);
[[nodiscard]] Result<std::optional<std::uint64_t>> query_number(const Call& call,
                                                                std::string_view name,
                                                                std::uint64_t min,
                                                                std::uint64_t max);
/// Digits with unit: "250ms", "10s", "2m".
[[nodiscard]] Result<std::optional<std::chrono::milliseconds>> query_duration(
    const Call& call, std::string_view name, std::chrono::milliseconds max);
/// Decimal digits only, nothing around them.
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text);

}  // namespace zonesync::admin

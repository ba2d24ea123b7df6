// GET /changes: the log as a stream.
#include <limits>

#include "server/admin/change_feed.hpp"
#include "server/admin/handlers.hpp"

namespace zonesync::admin {
namespace {

constexpr std::string_view kLastEventId = "Last-Event-ID";

Result<Revision> read_since(const Call& call) {
  if (call.http.headers.has(kLastEventId)) {
    const auto number = parse_number(call.http.headers.get(kLastEventId));
    if (number) return Revision{*number};
    return fail(ErrorCode::invalid_argument, "must be a revision", std::string(kLastEventId));
  }
  const auto since = query_number(call, "since", 0, std::numeric_limits<std::int64_t>::max());
  if (!since) return fail(since.error());
  return Revision{since->value_or(0)};
}

Result<ChangeFeedRequest> read_request(const Call& call) {
  ChangeFeedRequest request;
  const Result<Revision> since = read_since(call);
  if (!since) return fail(since.error());
  request.since = *since;
  const Result<bool> watch = query_flag(call, "watch");
  if (!watch) return fail(watch.error());
  request.watch = *watch;
  if (const std::optional<std::string> type = call.query("type")) {
    const auto registry = call.hub().registry();
    if (const auto known = registry->require(*type); !known) {
      return fail(known.error().code, known.error().message, "type");
    }
    request.type = *type;
  }
  request.mesh = call.query("mesh");
  request.events =
      call.http.headers.get("Accept").find("text/event-stream") != std::string_view::npos;
  return request;
}

/// 410 when a stream from there could not tell the whole story.
std::optional<Problem> judge_since(const LogState& log, Revision since) {
  std::string why;
  if (since > log.head) {
    why = "this hub never had revision " + std::to_string(since.value) + ", its head is " +
          std::to_string(log.head.value);
  } else if (since.value != 0 && since < log.tombstone_floor) {
    why = "leaves after revision " + std::to_string(since.value) + " are gone, the oldest is " +
          std::to_string(log.tombstone_floor.value);
  }
  if (why.empty()) return std::nullopt;
  return Problem{410, "gone", why + "; list again, or start from 0"};
}

}  // namespace

void get_changes(Call call) {
  Result<ChangeFeedRequest> request = read_request(call);
  if (!request) return call.reply->send(problem_of(request.error()));
  if (const auto gone = judge_since(call.hub().log().state(), request->since)) {
    return call.reply->send(*gone);
  }
  ChangeFeeds& feeds = *call.context->feeds;
  if (const Status room = feeds.check_room(); !room) {
    return call.reply->send(problem_of(room.error()));
  }
  if (HttpResponderPtr responder = call.reply->take(200)) {
    feeds.open(call, std::move(*request), std::move(responder));
  }
}

}  // namespace zonesync::admin

// One reader of GET /changes: a cursor into the log behind a streamed answer.
//
//   pump: scan a page ─► lines ─► write until the buffer is full ─► wait for on_writable ─► ...
//         at the head ─► mark ─► wait for wake() (a commit) or the heartbeat
//
// A reader that takes nothing for `slow_reader_max` is cut with an `end` line that names where to
// continue; one that takes nothing at all is cut by the server's write timeout.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include <boost/asio/io_context.hpp>

#include "protocol/http/server.hpp"
#include "protocol/runtime/timer.hpp"
#include "server/admin/call.hpp"
#include "server/admin/change_lines.hpp"
#include "server/admin/resource_json.hpp"

namespace zonesync::admin {

struct ChangeFeedRequest {
  Revision since;
  std::string type;                  // empty = every type
  std::optional<std::string> mesh;
  bool watch = false;
  bool events = false;               // server-sent events instead of NDJSON
};

/// Life cycle: start() once; ends by itself or by stop(). Thread rule: start(), wake() and the
/// responder's callbacks from any thread; the rest runs on `loop`. stop() and destruction only on
/// the loop or when it runs no more.
class ChangeFeed : public std::enable_shared_from_this<ChangeFeed> {
 public:
  using Ended = std::function<void()>;

  ChangeFeed(const Call& call, ChangeFeedRequest request, boost::asio::io_context& loop,
             HttpResponderPtr responder, Ended ended);

  void start();
  /// The log moved.
  void wake();
  void stop();

 private:
  void post(void (ChangeFeed::*function)());
  void pump();
  void resume();
  /// True when everything was taken.
  bool flush();
  [[nodiscard]] bool may_go_on();
  void read_page();
  void append_line(const LogEntry& entry, bool last_of_revision);
  void reach_head();
  void beat();
  /// Ends the stream with a last line.
  void end(std::string_view reason, std::string_view detail);
  void finish();

  const ContextPtr context_;
  const auth::UserIdentity user_;
  const ResourceWriter writer_;
  const ChangeFeedRequest request_;
  const LineFormat format_;
  boost::asio::io_context& loop_;
  HttpResponderPtr responder_;        // null = ended
  Ended ended_;
  Timer heartbeat_;

  ScanOptions scan_;
  Position position_;
  Revision complete_;                 // everything up to here was read from the log
  Revision sent_;                     // the same before the page in `pending_`
  Revision marked_;                   // of the last mark
  bool any_mark_ = false;
  std::string pending_;               // lines not taken yet, from `taken_` on
  std::size_t taken_ = 0;
  bool paused_ = false;
  TimePoint paused_since_;
  bool ending_ = false;               // only `pending_` is left to send
};

/// All feeds of a server, woken together by the hub's commits.
/// Life cycle: stop() ends them once the loops run no more. Thread rule: any thread.
class ChangeFeeds : public std::enable_shared_from_this<ChangeFeeds> {
 public:
  ChangeFeeds(IoPool& pool, std::size_t max) : pool_(pool), max_(max) {}

  /// Errors: resource_exhausted (too many readers).
  [[nodiscard]] Status check_room() const;
  void open(const Call& call, ChangeFeedRequest request, HttpResponderPtr responder);
  void wake_all();
  void stop_all();
  [[nodiscard]] std::size_t size() const;

 private:
  void close(std::uint64_t id);

  IoPool& pool_;
  const std::size_t max_;
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::shared_ptr<ChangeFeed>> feeds_;
  std::uint64_t next_id_ = 1;
};

}  // namespace zonesync::admin

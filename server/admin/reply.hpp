// One answer that is still owed, wherever the request waits.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <unordered_set>

#include "protocol/http/server.hpp"
#include "server/admin/problem.hpp"

namespace zonesync::admin {

class Reply;

/// Every reply that is owed, so that stop() can let go of the sockets behind them: completions of
/// the hub may keep a reply longer than the server lives.
/// Thread rule: any thread.
class OwedReplies {
 public:
  /// Takes the responder away from every reply; later replies are empty from the start.
  void drop_all();

 private:
  friend class Reply;
  std::mutex mutex_;
  std::unordered_set<Reply*> replies_;
  bool dropped_ = false;
};

/// Answers once, and reports the status that was sent. Destroyed unanswered, the client gets 500.
/// Thread rule: any of the server's own threads; destruction on any thread.
class Reply {
 public:
  using Sent = std::function<void(unsigned status)>;
  using Failed = std::function<void(const std::string& inside)>;

  Reply(std::shared_ptr<OwedReplies> owed, HttpResponderPtr responder);
  ~Reply();
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;

  void on_sent(Sent sent);
  /// Told why, before a Problem is sent whose cause lies inside the hub.
  void on_failed(Failed failed);
  void send(HttpResponse response);
  void send(const Problem& problem);
  void send(Answer answer);
  /// For a streamed answer: the caller answers from now on. Null after drop_all().
  [[nodiscard]] HttpResponderPtr take(unsigned status);

 private:
  friend class OwedReplies;

  const std::shared_ptr<OwedReplies> owed_;
  std::mutex mutex_;
  HttpResponderPtr responder_;
  Sent sent_;
  Failed failed_;
};

using ReplyPtr = std::shared_ptr<Reply>;

}  // namespace zonesync::admin

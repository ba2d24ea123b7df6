#include "server/admin/reply.hpp"

#include <utility>
#include <vector>

namespace zonesync::admin {

void OwedReplies::drop_all() {
  std::vector<HttpResponderPtr> responders;  // destroyed without the lock
  const std::lock_guard lock(mutex_);
  dropped_ = true;
  for (Reply* reply : replies_) {
    const std::lock_guard reply_lock(reply->mutex_);
    responders.push_back(std::exchange(reply->responder_, nullptr));
  }
}

Reply::Reply(std::shared_ptr<OwedReplies> owed, HttpResponderPtr responder)
    : owed_(std::move(owed)), responder_(std::move(responder)) {
  const std::lock_guard lock(owed_->mutex_);
  if (owed_->dropped_) responder_.reset();
  owed_->replies_.insert(this);
}

Reply::~Reply() {
  const std::lock_guard lock(owed_->mutex_);
  owed_->replies_.erase(this);
}

void Reply::on_sent(Sent sent) {
  const std::lock_guard lock(mutex_);
  sent_ = std::move(sent);
}

void Reply::on_failed(Failed failed) {
  const std::lock_guard lock(mutex_);
  failed_ = std::move(failed);
}

HttpResponderPtr Reply::take(unsigned status) {
  HttpResponderPtr responder;
  Sent sent;
  {
    const std::lock_guard lock(mutex_);
    responder = std::exchange(responder_, nullptr);
    sent = std::exchange(sent_, nullptr);
  }
  if (responder && sent) sent(status);
  return responder;
}

void Reply::send(HttpResponse response) {
  if (const HttpResponderPtr responder = take(response.status)) {
    responder->respond(std::move(response));
  }
}

void Reply::send(const Problem& problem) {
  Failed failed;
  {
    const std::lock_guard lock(mutex_);
    failed = std::exchange(failed_, nullptr);
  }
  if (failed && !problem.inside.empty()) failed(problem.inside);
  send(to_response(problem));
}

void Reply::send(Answer answer) {
  answer ? send(std::move(*answer)) : send(answer.error());
}

}  // namespace zonesync::admin

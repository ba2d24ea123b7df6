#include "server/hub/commit_queue.hpp"

#include "protocol/model/assert.hpp"

namespace zonesync::hub {

Status CommitQueue::check(std::size_t bytes) const {
  const bool full = requests_ + 1 > limits_.requests || bytes_ + bytes > limits_.bytes;
  if (!full || requests_ == 0) return {};
  return fail(ErrorCode::resource_exhausted,
              "the commit queue is full (" + std::to_string(requests_) + " requests, " +
                  std::to_string(bytes_) + " bytes); retry later");
}

void CommitQueue::push(const std::string& source, Entry entry) {
  ++requests_;
  bytes_ += entry.bytes;
  auto& queue = waiting_[source];
  if (queue.empty()) turns_.push_back(source);
  queue.push_back(std::move(entry));
}

const CommitQueue::Entry& CommitQueue::front() const {
  ZS_ASSERT(!turns_.empty());
  return waiting_.at(turns_.front()).front();
}

CommitQueue::Entry CommitQueue::pop() {
  ZS_ASSERT(!turns_.empty());
  std::string source = std::move(turns_.front());
  turns_.pop_front();
  const auto queue = waiting_.find(source);
  Entry entry = std::move(queue->second.front());
  queue->second.pop_front();
  if (queue->second.empty()) {
    waiting_.erase(queue);
  } else {
    turns_.push_back(std::move(source));
  }
  --requests_;
  bytes_ -= entry.bytes;
  return entry;
}

}  // namespace zonesync::hub

#include "protocol/http/exchange.hpp"

#include <cstdio>
#include <utility>

namespace zonesync {

bool Exchange::claim(bool streaming) {
  const std::lock_guard lock(mutex_);
  if (claimed_) return false;
  claimed_ = true;
  streaming_ = streaming;
  return true;
}

bool Exchange::claimed() const {
  const std::lock_guard lock(mutex_);
  return claimed_;
}

bool Exchange::append(const std::string& bytes) {
  const std::lock_guard lock(mutex_);
  if (!streaming_ || ended_ || finished_) return false;
  if (bytes.empty()) return true;  // an empty chunk would end the stream
  const std::size_t held = buffer_.size() + in_flight_;
  if (held != 0 && held + bytes.size() > buffer_max_bytes_) {
    was_full_ = true;
    return false;
  }
  if (chunked_) {
    char head[24];
    const int size = std::snprintf(head, sizeof head, "%zx\r\n", bytes.size());
    buffer_.append(head, static_cast<std::size_t>(size));
  }
  buffer_ += bytes;
  if (chunked_) buffer_ += "\r\n";
  return true;
}

bool Exchange::end() {
  const std::lock_guard lock(mutex_);
  if (!streaming_ || ended_ || finished_) return false;
  ended_ = true;
  if (chunked_) buffer_ += "0\r\n\r\n";
  return true;
}

std::string Exchange::take(bool& last) {
  const std::lock_guard lock(mutex_);
  last = ended_;
  in_flight_ = buffer_.size();
  return std::exchange(buffer_, {});
}

void Exchange::written() {
  std::function<void()> callback;
  {
    const std::lock_guard lock(mutex_);
    in_flight_ = 0;
    if (was_full_ && buffer_.size() < buffer_max_bytes_ / 2) {
      was_full_ = false;
      callback = writable_callback_;
    }
  }
  if (callback) callback();
}

void Exchange::finish() {
  std::function<void()> callback;
  std::function<void()> dropped;  // destroyed without the lock: it may own the responder
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    callback.swap(closed_callback_);
    dropped.swap(writable_callback_);
    buffer_.clear();
  }
  if (callback) callback();
}

bool Exchange::finished() const {
  const std::lock_guard lock(mutex_);
  return finished_;
}

void Exchange::on_closed(std::function<void()> callback) {
  {
    const std::lock_guard lock(mutex_);
    if (!finished_) {
      closed_callback_.swap(callback);
      return;
    }
  }
  callback();
}

void Exchange::on_writable(std::function<void()> callback) {
  const std::lock_guard lock(mutex_);
  if (!finished_) writable_callback_.swap(callback);
}

}  // namespace zonesync

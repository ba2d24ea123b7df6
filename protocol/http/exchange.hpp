// What a responder (any thread) and its connection (one thread) share about one request.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "protocol/http/server.hpp"

namespace zonesync {

/// Bounded buffer of a streamed answer and the state around it.
/// Thread rule: any thread; callbacks run without the lock.
class Exchange {
 public:
  Exchange(std::size_t buffer_max_bytes, bool chunked)
      : buffer_max_bytes_(buffer_max_bytes), chunked_(chunked) {}

  /// True for the first answer only.
  [[nodiscard]] bool claim(bool streaming);
  [[nodiscard]] bool claimed() const;
  /// Takes bytes for the stream; false = full, ended or gone.
  [[nodiscard]] bool append(const std::string& bytes);
  /// No more bytes will come. False when that was known.
  [[nodiscard]] bool end();
  /// Bytes to write now; `last` = the stream ends after them. Empty and not last = nothing to do.
  [[nodiscard]] std::string take(bool& last);
  /// What take() gave has left; may report on_writable.
  void written();
  /// The client is gone or the stream is over: reports on_closed once.
  void finish();
  [[nodiscard]] bool finished() const;
  /// The stream is sent in chunks (HTTP/1.1), not delimited by its end.
  [[nodiscard]] bool chunked() const { return chunked_; }

  void on_closed(std::function<void()> callback);
  void on_writable(std::function<void()> callback);

 private:
  const std::size_t buffer_max_bytes_;
  const bool chunked_;
  mutable std::mutex mutex_;
  bool claimed_ = false;
  bool streaming_ = false;
  bool ended_ = false;
  bool finished_ = false;
  bool was_full_ = false;
  std::size_t in_flight_ = 0;
  std::string buffer_;
  std::function<void()> closed_callback_;
  std::function<void()> writable_callback_;
};

}  // namespace zonesync

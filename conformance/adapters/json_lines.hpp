// An adapter process: one JSON object per line on its stdin and stdout.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include <boost/json/object.hpp>

#include "protocol/model/result.hpp"

namespace zonesync::conform {

/// Life cycle: start, call as often as wanted; the destructor closes its stdin, then kills it.
/// Thread rule: one thread.
class JsonLines {
 public:
  /// `command` is run by /bin/sh. Errors: unavailable.
  [[nodiscard]] static Result<std::unique_ptr<JsonLines>> start(const std::string& command);
  ~JsonLines();
  JsonLines(const JsonLines&) = delete;
  JsonLines& operator=(const JsonLines&) = delete;

  /// Sends {id, op, ...} and waits for the answer of that id; `meanwhile` runs every few
  /// milliseconds. Errors: unavailable (it ended), timeout, protocol (no JSON), and the adapter's
  /// own `error` as invalid_argument.
  [[nodiscard]] Result<boost::json::object> call(std::string_view op, boost::json::object request,
                                                 const std::function<void()>& meanwhile = {});

 private:
  JsonLines() = default;
  [[nodiscard]] Result<std::string> read_line(const std::function<void()>& meanwhile);
  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
  std::string buffer_;
  std::uint64_t next_id_ = 1;
};

}  // namespace zonesync::conform

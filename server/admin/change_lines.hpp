// The lines of GET /changes: NDJSON or server-sent events.
#pragma once

#include <string>
#include <string_view>

#include "protocol/model/ids.hpp"

namespace zonesync::admin {

/// Turns JSON lines into the bytes of the stream. No state.
class LineFormat {
 public:
  explicit LineFormat(bool events) : events_(events) {}

  /// `complete`: newest revision that a reader has whole once it got this line; what it would
  /// continue from.
  [[nodiscard]] std::string line(std::string_view kind, std::string_view json,
                                 Revision complete) const;
  [[nodiscard]] std::string_view content_type() const {
    return events_ ? "text/event-stream" : "application/x-ndjson";
  }
  /// Where the line that contains byte `at` of `bytes` ends; `at` itself when a line starts there.
  [[nodiscard]] std::size_t line_end(std::string_view bytes, std::size_t at) const;

 private:
  [[nodiscard]] std::string_view terminator() const { return events_ ? "\n\n" : "\n"; }
  bool events_;
};

/// {"kind":"mark","revision":N}: everything up to N was sent.
[[nodiscard]] std::string mark_json(Revision complete);
/// The last line of a stream that the hub ends; `revision` is where to continue.
[[nodiscard]] std::string end_json(Revision complete, std::string_view reason,
                                   std::string_view detail);

}  // namespace zonesync::admin

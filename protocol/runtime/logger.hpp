// Structured log events: a stable event code, a sentence, fields. No secret ever goes in.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace zonesync {

enum class LogLevel { debug, info, warn, error };

[[nodiscard]] std::string_view to_string(LogLevel level);

struct LogField {
  std::string name;
  std::string value;
};

struct LogEvent {
  LogLevel level = LogLevel::info;
  std::string event;    // stable code: "tls.handshake_failed"
  std::string message;  // one sentence for a person
  std::vector<LogField> fields = {};
};

/// Where events go. Thread rule: log() from any thread; it never throws and never blocks for long.
class Logger {
 public:
  virtual ~Logger() = default;
  virtual void log(const LogEvent& event) noexcept = 0;
  [[nodiscard]] virtual bool enabled(LogLevel level) const noexcept = 0;
};

enum class LogFormat { json, logfmt };

struct StderrLoggerOptions {
  LogFormat format = LogFormat::logfmt;
  LogLevel level = LogLevel::info;
  std::size_t line_max_bytes = 4096;  // longer lines are cut and marked
};

/// One line per event on stderr; control characters (C0, DEL, C1, newline, ANSI) are escaped.
[[nodiscard]] std::shared_ptr<Logger> make_stderr_logger(const StderrLoggerOptions& options);

/// One event as one line without the newline; `time` is already text (RFC 3339).
[[nodiscard]] std::string format_event(const LogEvent& event, LogFormat format,
                                       std::string_view time, std::size_t line_max_bytes);

/// Drops everything.
[[nodiscard]] std::shared_ptr<Logger> null_logger();

/// Keeps events for tests. Thread rule: any thread.
class CapturingLogger final : public Logger {
 public:
  void log(const LogEvent& event) noexcept override;
  [[nodiscard]] bool enabled(LogLevel) const noexcept override { return true; }
  [[nodiscard]] std::vector<LogEvent> events() const;
  /// How often `event` was logged so far.
  [[nodiscard]] std::size_t count(std::string_view event) const;

 private:
  mutable std::mutex mutex_;
  std::vector<LogEvent> events_;
};

}  // namespace zonesync

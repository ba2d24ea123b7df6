// The only file that includes spdlog.
#include <chrono>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "protocol/runtime/logger.hpp"

namespace zonesync {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warn: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string rfc3339_now() {
  const auto now = std::chrono::system_clock::now();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds), ms.count() % 1000);
}

class StderrLogger final : public Logger {
 public:
  explicit StderrLogger(const StderrLoggerOptions& options)
      : options_(options), out_("zonesync", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    out_.set_pattern("%v");
    out_.set_level(to_spdlog(options.level));
    out_.flush_on(spdlog::level::trace);
  }

  void log(const LogEvent& event) noexcept override {
    if (!enabled(event.level)) return;
    try {
      const std::string line =
          format_event(event, options_.format, rfc3339_now(), options_.line_max_bytes);
      out_.log(to_spdlog(event.level), spdlog::string_view_t(line));
    } catch (...) {  // a log line is never worth the process
    }
  }

  [[nodiscard]] bool enabled(LogLevel level) const noexcept override {
    return level >= options_.level;
  }

 private:
  StderrLoggerOptions options_;
  spdlog::logger out_;
};

}  // namespace

std::shared_ptr<Logger> make_stderr_logger(const StderrLoggerOptions& options) {
  return std::make_shared<StderrLogger>(options);
}

}  // namespace zonesync

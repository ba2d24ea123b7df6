#include "server/cmd/log_report.hpp"

#include <string>

namespace zonesync {

void log_what_was_opened(const RocksDbChangeLog& log, Logger& logger) {
  const OpenReport& report = log.report();
  const LogState state = log.state();
  const std::string head = std::to_string(state.head.value);
  const std::string era = to_hex(state.current_era().id);
  if (!report.text.empty()) {
    logger.log({LogLevel::error, "storage.open.attention", report.text,
                {{"lineage", std::string(to_string(report.lineage))},
                 {"found_head", std::to_string(report.found_head.value)},
                 {"anchor_head", std::to_string(report.anchor_head.value)}}});
  }
  if (report.restored && report.restored->revision == report.found_head) {
    logger.log({LogLevel::info, "hub.log.restored",
                "this log was restored from a backup that ends at revision " +
                    std::to_string(report.restored->revision.value) +
                    ": zones that know more are compared under the guards, and what they publish "
                    "comes back (docs/backup-and-restore.md)",
                {{"restored_at_ms", std::to_string(report.restored->at_ms)},
                 {"era", era},
                 {"complete", state.complete ? "true" : "false"}}});
  }
  if (state.complete || !report.text.empty()) return;
  // A new log is partial by nature: nothing to worry about, but somebody has to say the word.
  logger.log({report.created ? LogLevel::info : LogLevel::warn, "hub.log.partial",
              "the log is partial: what it does not name counts as unknown, so zones keep what "
              "they have of it; once it holds everything, say so: "
              "zonesync-hub store complete --config FILE",
              {{"head", head}, {"era", era}}});
}

}  // namespace zonesync

// Which commands and options there are. Only program.cpp and command_line.cpp know CLI11.
#pragma once

#include <memory>
#include <string>

#include "server/cli/commands.hpp"

namespace CLI {
class App;
}

namespace zonesync::cli {

inline constexpr const char* kDefaultApi = "https://127.0.0.1:5681";

/// The parser and what it fills. Life cycle: one per run; parse `app`, then run(). Not movable: the
/// parser holds addresses of the members.
class CommandLine {
 public:
  CommandLine();
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// Runs the command that was parsed.
  [[nodiscard]] Outcome<void> run(Session& session) const;

  std::unique_ptr<CLI::App> app;
  CLI::App* version = nullptr;
  std::string api;
  std::string token_file;
  std::string ca_file;
  std::string output = "table";

 private:
  void add_resource_commands();
  void add_past_commands();
  void add_follow_commands();
  void add_zone_commands();
  void add_zone_operations(CLI::App& zones);
  void add_sync_commands();
  [[nodiscard]] Outcome<void> run_operation(Session& session) const;

  ApplyCommand apply_;
  GetCommand get_;
  DeleteCommand delete_;
  HistoryCommand history_;
  DiffCommand diff_;
  RevertCommand revert_;
  JobsCommand jobs_;
  WatchCommand watch_;
  WaitCommand wait_;
  ZoneCommand zone_;
  ZoneOperation operation_;
  ScopeCommand scope_;
  TypeCommand type_;
  ExplainCommand explain_;
  CLI::App* scope_set_ = nullptr;
  CLI::App* types_add_ = nullptr;
  CLI::App* sync_explain_ = nullptr;
  CLI::App* sync_status_ = nullptr;
  CLI::App* sync_errors_command_ = nullptr;
  std::string fallback_;
  SyncErrorsCommand sync_errors_;
  std::string apply_timeout_ = "30s";
  std::string wait_timeout_ = "30s";
  std::string interval_ = "1s";
  bool once_ = false;
};

/// "500ms", "30s", "2m": the unit is mandatory. Failures: usage.
[[nodiscard]] Outcome<Duration> parse_duration(std::string_view text);

}  // namespace zonesync::cli

// The commands. Each prints its answer and returns how it went; failures are printed by the caller.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "server/cli/apply.hpp"
#include "server/cli/output.hpp"

namespace zonesync::cli {

/// What every command gets.
struct Session {
  Api& api;
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  Format format = Format::table;
  bool terminal = false;      // `out` is one: watching may redraw
  std::int64_t now_ms = 0;    // wall clock when the command began, for ages
};

struct ApplyCommand {
  std::vector<std::string> files;
  bool atomic = false;
  bool dry_run = false;
  bool lenient = false;
  std::string if_match;   // of one document: only when this is its revision
  bool wait = false;
  Duration timeout = std::chrono::seconds(30);
};

/// The revision that a resource must be at; empty = any. Failure: usage (no number).
[[nodiscard]] Outcome<std::optional<std::uint64_t>> parse_if_match(const std::string& text);

struct GetCommand {
  std::string type;
  std::string name;
  std::string mesh;
  std::string origin;
  std::string revision;  // empty = the newest state
  bool watch = false;    // zones only
  Duration interval = std::chrono::seconds(1);
};

struct DeleteCommand {
  std::string type;
  std::string name;
  std::string mesh;
  std::string if_match;
  bool dry_run = false;
  bool cascade = false;   // a mesh with all that is in it, as a job
  bool wait = false;      // with cascade: until it has ended
};

/// After `delete mesh NAME` without --cascade, or its dry run: a hint with the number of resources
/// that are left in no mesh. Nothing when there are none.
void tell_what_is_left(Session& session, const DeleteCommand& command);

struct JobsCommand {
  std::string id;         // empty = all
  bool cancel = false;
  bool wait = false;
};

struct HistoryCommand {
  std::string type;
  std::string name;
  std::string mesh;
  std::string origin;
  unsigned limit = 20;
};

struct DiffCommand {
  std::string type;      // empty = every type
  std::string name;      // empty = whole states
  std::string mesh;
  std::string origin;
  std::string from;      // of one resource, empty = before its newest change
  std::string to;        // empty = now
};

struct RevertCommand {
  std::string revision;
  std::string type;
  std::string name;
  std::string mesh;
  bool dry_run = false;
};

struct WatchCommand {
  std::string type;
  std::string mesh;
  std::string since;      // empty = from now on
  bool follow = true;
};

struct WaitCommand {
  std::string revision = "head";
  std::vector<std::string> zones;
  Duration timeout = std::chrono::seconds(30);
};

struct ZoneCommand {
  enum class Verb : std::uint8_t { add, remove, approve, mode };
  Verb verb = Verb::add;
  std::string zone;
  bool force = false;
  std::string mode;        // delta, v1, default
  Duration fallback{};     // with v1: only for so long
};

struct SyncErrorsCommand {
  std::string zone;        // empty = all
};

/// `zones enable|disable|pause|resume|resync|drain ZONE`: POST /zones/ZONE/word.
struct ZoneOperation {
  std::string word;
  std::string zone;
  std::string retry_after;        // drain
};

/// `zones scope set ZONE`: everything that is not named is allowed.
struct ScopeCommand {
  std::string zone;
  std::vector<std::string> types;
  std::vector<std::string> meshes;
  std::vector<std::string> labels;  // label=value, again for more values
};

struct TypeCommand {
  std::string name;
  std::string plural;             // empty = the name in lower case with an s
  bool global = false;            // lives outside meshes
  bool to_zones = false;
  bool from_zones = false;
  bool across_zones = false;
  bool sensitive = false;
  std::vector<std::string> scope_labels;
};

struct ExplainCommand {
  std::string type;
  std::string name;
  std::string mesh;
  std::string origin;
  std::string zone;
};

[[nodiscard]] Outcome<void> run_zone_operation(Session& session, const ZoneOperation& command);
[[nodiscard]] Outcome<void> run_scope_set(Session& session, const ScopeCommand& command);
[[nodiscard]] Outcome<void> run_types_add(Session& session, const TypeCommand& command);
[[nodiscard]] Outcome<void> run_explain(Session& session, const ExplainCommand& command);
[[nodiscard]] Outcome<void> run_sync_status(Session& session);

[[nodiscard]] Outcome<void> run_apply(Session& session, const ApplyCommand& command);
[[nodiscard]] Outcome<void> run_get(Session& session, const GetCommand& command);
[[nodiscard]] Outcome<void> run_get_zones(Session& session, const GetCommand& command);
[[nodiscard]] Outcome<void> run_delete(Session& session, const DeleteCommand& command);
[[nodiscard]] Outcome<void> run_history(Session& session, const HistoryCommand& command);
[[nodiscard]] Outcome<void> run_jobs(Session& session, const JobsCommand& command);
/// `delete mesh NAME --cascade`.
[[nodiscard]] Outcome<void> delete_mesh(Session& session, const DeleteCommand& command);
[[nodiscard]] Outcome<void> run_diff(Session& session, const DiffCommand& command);
[[nodiscard]] Outcome<void> run_revert(Session& session, const RevertCommand& command);
[[nodiscard]] Outcome<void> run_watch(Session& session, const WatchCommand& command);
[[nodiscard]] Outcome<void> run_wait(Session& session, const WaitCommand& command);
[[nodiscard]] Outcome<void> run_zone(Session& session, const ZoneCommand& command);
[[nodiscard]] Outcome<void> run_sync_errors(Session& session, const SyncErrorsCommand& command);

/// Waits until the zones (all connected ones when empty) durably applied `revision` (0 = the head
/// now). Failures: timeout, naming the zones that are missing.
[[nodiscard]] Outcome<boost::json::value> wait_for_zones(Api& api, std::uint64_t revision,
                                                         const std::vector<std::string>& zones,
                                                         Duration timeout);

/// Path of a resource or, with an empty name, of a list. A mesh-scoped resource without mesh is
/// looked for in `default`; a list without mesh covers all. Failures: usage (mesh for a type
/// outside meshes).
[[nodiscard]] Outcome<Target> resource_target(const TypeInfo& info, const std::string& mesh,
                                              const std::string& name);

}  // namespace zonesync::cli

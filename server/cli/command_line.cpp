#include "server/cli/command_line.hpp"

#include <CLI/CLI.hpp>

#include "server/cli/json_fields.hpp"

namespace zonesync::cli {
namespace {

CLI::App* command(CLI::App& app, const char* name, const char* what) {
  CLI::App* added = app.add_subcommand(name, what);
  added->fallthrough();  // global options may stand after the command
  return added;
}

}  // namespace

Outcome<Duration> parse_duration(std::string_view text) {
  const auto unit = text.find_first_not_of("0123456789");
  const auto number = parse_number(text.substr(0, unit == text.npos ? text.size() : unit));
  const std::string_view name = unit == text.npos ? std::string_view() : text.substr(unit);
  constexpr std::uint64_t kMax = 1'000'000;
  if (number && *number <= kMax) {
    const auto count = static_cast<std::int64_t>(*number);
    if (name == "ms") return std::chrono::milliseconds(count);
    if (name == "s") return std::chrono::seconds(count);
    if (name == "m") return std::chrono::minutes(count);
    if (name == "h") return std::chrono::hours(count);
  }
  return give_up(Exit::usage, "'" + one_line(text) + "' is not a duration",
                 "write a number with its unit: 500ms, 30s, 2m, 1h");
}

CommandLine::CommandLine()
    : app(std::make_unique<CLI::App>("zonesync - command line of a zonesync hub", "zonesync")) {
  app->require_subcommand(1);
  app->set_version_flag("--version", std::string("zonesync ") + ZONESYNC_VERSION);
  app->add_option("--api", api, "address of the hub's API (ZONESYNC_API; default " +
                                    std::string(kDefaultApi) + ")");
  app->add_option("--token-file", token_file, "file with an API token (ZONESYNC_TOKEN_FILE)");
  app->add_option("--ca", ca_file,
                  "PEM file with the hub's CA (ZONESYNC_CA; default: the system's trust store)");
  app->add_option("-o,--output", output, "table, wide, json or yaml")->capture_default_str();
  app->footer("Exit codes: 0 ok, 1 failed, 2 usage, 3 cannot connect, 4 not allowed, 5 not found,\n"
              "6 conflict, 7 refused by validation, 8 timeout, 130 interrupted.");
  add_resource_commands();
  add_past_commands();
  add_follow_commands();
  add_zone_commands();
  add_sync_commands();
  version = command(*app, "version", "print the version of this program");
}

CommandLine::~CommandLine() = default;

void CommandLine::add_resource_commands() {
  CLI::App* apply = command(*app, "apply", "write the documents of files (changes the hub)");
  apply->add_option("-f,--filename", apply_.files, "file, directory or - for standard input")
      ->required();
  apply->add_flag("--atomic", apply_.atomic, "one transaction: all documents or none");
  apply->add_flag("--dry-run", apply_.dry_run, "let the hub judge, write nothing");
  apply->add_option("--if-match", apply_.if_match,
                    "of one document: only when this is its revision");
  apply->add_flag("--lenient", apply_.lenient, "keep unknown top-level fields under spec");
  apply->add_flag("--wait", apply_.wait, "wait until all connected zones applied it");
  apply->add_option("--timeout", apply_timeout_, "with --wait")->capture_default_str();

  CLI::App* get = command(*app, "get", "show resources, `get zones` or `get types`");
  get->add_option("type", get_.type, "type, its plural, zones or types")->required();
  get->add_option("name", get_.name, "one resource or zone; all when left out");
  get->add_option("-m,--mesh", get_.mesh, "mesh (one resource: default; a list: all)");
  get->add_option("--origin", get_.origin, "owner: global or a zone");
  get->add_option("--rev", get_.revision, "the state at a past revision");
  get->add_flag("-w,--watch", get_.watch, "zones: show again and again");
  get->add_option("--interval", interval_, "with -w")->capture_default_str();

  CLI::App* remove = command(*app, "delete", "remove a resource (changes the hub)");
  remove->add_option("type", delete_.type, "type or its plural")->required();
  remove->add_option("name", delete_.name, "the resource")->required();
  remove->add_option("-m,--mesh", delete_.mesh, "mesh (default: default)");
  remove->add_option("--if-match", delete_.if_match, "only when this is its revision");
  remove->add_flag("--dry-run", delete_.dry_run, "let the hub judge, remove nothing");
  remove->add_flag("--cascade", delete_.cascade, "a mesh with everything in it, as a job");
  remove->add_flag("--wait", delete_.wait, "with --cascade: until the job has ended");

  CLI::App* history = command(*app, "history", "versions of a resource, newest first");
  history->add_option("type", history_.type, "type or its plural")->required();
  history->add_option("name", history_.name, "the resource")->required();
  history->add_option("-m,--mesh", history_.mesh, "mesh (default: default)");
  history->add_option("--origin", history_.origin, "owner: global or a zone");
  history->add_option("--limit", history_.limit, "versions at most")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
}

void CommandLine::add_past_commands() {
  CLI::App* diff = command(*app, "diff", "what differs between two revisions");
  diff->add_option("type", diff_.type, "type or its plural; all when left out");
  diff->add_option("name", diff_.name, "one resource: its fields; else whole states");
  diff->add_option("-m,--mesh", diff_.mesh, "mesh (one resource: default; states: all)");
  diff->add_option("--origin", diff_.origin, "owner: global or a zone");
  diff->add_option("--from", diff_.from, "this revision (one resource: before its newest change)");
  diff->add_option("--to", diff_.to, "and this one (default: now)");

  CLI::App* jobs = command(*app, "jobs", "mass operations and how far they are");
  jobs->add_option("id", jobs_.id, "one job; all when left out");
  jobs->add_flag("--cancel", jobs_.cancel, "stop it (what is gone stays gone)");
  jobs->add_flag("--wait", jobs_.wait, "until it has ended");

  CLI::App* revert = command(
      *app, "revert", "make resources what they were at a revision (changes the hub)");
  revert->add_option("revision", revert_.revision, "a past revision")->required();
  revert->add_option("type", revert_.type, "only this type");
  revert->add_option("name", revert_.name, "only this resource");
  revert->add_option("-m,--mesh", revert_.mesh, "only this mesh (one resource: default)");
  revert->add_flag("--dry-run", revert_.dry_run, "show what it would do, write nothing");
}

void CommandLine::add_follow_commands() {
  CLI::App* watch = command(*app, "watch", "print changes as they are committed");
  watch->add_option("type", watch_.type, "only this type");
  watch->add_option("-m,--mesh", watch_.mesh, "only this mesh");
  watch->add_option("--since", watch_.since, "after this revision; 0 = from the beginning");
  watch->add_flag("--once", once_, "end when everything up to now was printed");

  CLI::App* wait = command(*app, "wait", "wait until zones durably applied a revision");
  wait->add_option("--revision", wait_.revision, "a number, or head")->capture_default_str();
  wait->add_option("-z,--zone", wait_.zones, "a zone; repeat for more (default: all connected)");
  wait->add_option("--timeout", wait_timeout_, "exit 8 after it")->capture_default_str();
}

void CommandLine::add_zone_commands() {
  CLI::App* zones = command(*app, "zones", "register, delete and release zones (changes the hub)");
  zones->require_subcommand(1);
  const auto verb = [&](const char* name, const char* what, ZoneCommand::Verb value) {
    CLI::App* added = command(*zones, name, what);
    added->add_option("zone", zone_.zone, "name of the zone")->required();
    added->callback([this, value] { zone_.verb = value; });
    return added;
  };
  verb("add", "register a zone", ZoneCommand::Verb::add);
  verb("rm", "delete a zone with all its resources", ZoneCommand::Verb::remove)
      ->add_flag("--force", zone_.force, "also when it is connected");
  verb("approve", "let a mass delete that the zone publishes through, once "
       "(one that the zone holds: zonesync-agent approve)", ZoneCommand::Verb::approve);
  CLI::App* mode = verb("mode", "choose delta or v1 for a zone", ZoneCommand::Verb::mode);
  mode->add_option("mode", zone_.mode, "delta, v1, or default (as the hub is configured)")
      ->required()
      ->check(CLI::IsMember({"delta", "v1", "default"}));
  mode->add_option("--for", fallback_, "v1 only for so long, then delta is tried again");

  add_zone_operations(*zones);
}

void CommandLine::add_zone_operations(CLI::App& zones) {
  const auto operation = [&](const char* word, const char* what) {
    CLI::App* added = command(zones, word, what);
    added->add_option("zone", operation_.zone, "name of the zone")->required();
    added->callback([this, word] { operation_.word = word; });
    return added;
  };
  operation("enable", "other zones see its resources again");
  operation("disable", "its resources leave the other zones; it stays connected");
  operation("pause", "send it no data");
  operation("resume", "send it data again");
  operation("resync", "let it ask for everything again");
  operation("drain", "end its session; it comes back later")
      ->add_option("--retry-after", operation_.retry_after, "not before this (default 30s)");
  CLI::App* scope = command(zones, "scope", "what a zone may see");
  scope->require_subcommand(1);
  scope_set_ = command(*scope, "set", "allow what is named; all of what is not");
  scope_set_->add_option("zone", scope_.zone, "name of the zone")->required();
  scope_set_->add_option("--type", scope_.types, "a type; repeat for more");
  scope_set_->add_option("--mesh", scope_.meshes, "a mesh; repeat for more");
  scope_set_->add_option("--label", scope_.labels, "scope label=value; repeat for more");
}

void CommandLine::add_sync_commands() {
  CLI::App* types = command(*app, "types", "register resource types (changes the hub)");
  types->require_subcommand(1);
  types_add_ = command(*types, "add", "register a type; live for all zones");
  types_add_->add_option("name", type_.name, "its name, like MeshWidget")->required();
  types_add_->add_option("--plural", type_.plural, "path segment (default: lower case and s)");
  types_add_->add_flag("--global", type_.global, "it lives outside meshes");
  types_add_->add_flag("--to-zones", type_.to_zones, "the global side provides it to zones");
  types_add_->add_flag("--from-zones", type_.from_zones, "zones provide it to the hub");
  types_add_->add_flag("--across-zones", type_.across_zones,
                       "what one zone provides reaches the others");
  types_add_->add_flag("--sensitive", type_.sensitive, "its specs are secrets");
  types_add_->add_option("--scope-label", type_.scope_labels,
                         "a label that decides who sees a resource; repeat for more");

  CLI::App* sync = command(*app, "sync", "how the zones are doing");
  sync->require_subcommand(1);
  sync_status_ = command(*sync, "status", "all zones in a few numbers");
  sync_errors_command_ = command(*sync, "errors", "versions that a side refuses, with reasons");
  sync_errors_command_->add_option("-z,--zone", sync_errors_.zone, "only this zone's");
  sync_explain_ = command(*sync, "explain", "why a resource is at a zone, or is not");
  sync_explain_->add_option("type", explain_.type, "type or its plural")->required();
  sync_explain_->add_option("name", explain_.name, "the resource")->required();
  sync_explain_->add_option("-z,--zone", explain_.zone, "the zone")->required();
  sync_explain_->add_option("-m,--mesh", explain_.mesh, "mesh (default: default)");
  sync_explain_->add_option("--origin", explain_.origin, "owner: global or a zone");
}

Outcome<void> CommandLine::run_operation(Session& session) const {
  if (types_add_->parsed()) return run_types_add(session, type_);
  if (sync_explain_->parsed()) return run_explain(session, explain_);
  if (sync_status_->parsed()) return run_sync_status(session);
  if (sync_errors_command_->parsed()) return run_sync_errors(session, sync_errors_);
  if (scope_set_->parsed()) return run_scope_set(session, scope_);
  if (!operation_.word.empty()) return run_zone_operation(session, operation_);
  ZoneCommand zone = zone_;
  if (!fallback_.empty()) {
    const Outcome<Duration> fallback = parse_duration(fallback_);
    if (!fallback) return give_up(fallback.error());
    zone.fallback = *fallback;
  }
  return run_zone(session, zone);
}

Outcome<void> CommandLine::run(Session& session) const {
  const auto chosen = [&](const char* name) { return app->get_subcommand(name)->parsed(); };
  if (chosen("apply")) {
    const Outcome<Duration> timeout = parse_duration(apply_timeout_);
    if (!timeout) return give_up(timeout.error());
    ApplyCommand apply = apply_;
    apply.timeout = *timeout;
    return run_apply(session, apply);
  }
  if (chosen("get")) {
    const Outcome<Duration> interval = parse_duration(interval_);
    if (!interval) return give_up(interval.error());
    GetCommand get = get_;
    get.interval = *interval;
    return run_get(session, get);
  }
  if (chosen("wait")) {
    const Outcome<Duration> timeout = parse_duration(wait_timeout_);
    if (!timeout) return give_up(timeout.error());
    WaitCommand wait = wait_;
    wait.timeout = *timeout;
    return run_wait(session, wait);
  }
  if (chosen("watch")) {
    WatchCommand watch = watch_;
    watch.follow = !once_;
    return run_watch(session, watch);
  }
  if (chosen("delete")) return run_delete(session, delete_);
  if (chosen("jobs")) return run_jobs(session, jobs_);
  if (chosen("diff")) return run_diff(session, diff_);
  if (chosen("revert")) return run_revert(session, revert_);
  if (chosen("history")) return run_history(session, history_);
  return run_operation(session);
}

}  // namespace zonesync::cli

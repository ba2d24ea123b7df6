// `apply -f` as a command: reads, sends, waits, reports.
#include <istream>
#include <ostream>

#include "server/cli/commands.hpp"
#include "server/cli/type_names.hpp"

namespace zonesync::cli {
namespace {

Failure refused_failure(const ApplyReport& report, const ApplyCommand& command) {
  Failure failure;
  failure.exit = report.changed_since ? Exit::conflict : Exit::rejected;
  failure.message = std::to_string(report.refusals.size()) + " document" +
                    (report.refusals.size() == 1 ? " was" : "s were") + " refused";
  if (command.atomic) failure.message += ", so nothing was written";
  failure.hint = "each refusal names its file, line and reason";
  return failure;
}

}  // namespace

Outcome<void> run_apply(Session& session, const ApplyCommand& command) {
  const Outcome<TypeRegistry> registry = fetch_types(session.api);
  if (!registry) return give_up(registry.error());
  Outcome<Documents> documents =
      read_documents(command.files, session.in, *registry, {command.lenient});
  if (!documents) return give_up(documents.error());
  if (documents->good.empty() && documents->refused.empty()) {
    return give_up(Exit::usage, "no document in " + command.files.front(),
                   "a document has at least type and name");
  }
  const Outcome<std::optional<std::uint64_t>> if_match = parse_if_match(command.if_match);
  if (!if_match) return give_up(if_match.error());
  if (*if_match && documents->good.size() + documents->refused.size() != 1) {
    return give_up(Exit::usage, "--if-match holds for one document, here are more",
                   "send them one by one");
  }
  ApplyOptions options;
  options.if_match = *if_match;
  options.atomic = command.atomic;
  options.dry_run = command.dry_run;
  const ApplyReport report = apply_documents(session.api, std::move(*documents), options);

  std::optional<Failure> failure = report.failure;
  if (failure && report.not_sent > 0) {
    failure->message += "; " + std::to_string(report.not_sent) + " documents were not judged";
  }
  if (!failure && command.wait && !command.dry_run && report.revision > 0) {
    const auto reached = wait_for_zones(session.api, report.revision, {}, command.timeout);
    if (!reached) failure = reached.error();
  }
  if (!failure && !report.refusals.empty()) failure = refused_failure(report, command);
  // The failure comes first: the counts are the last line whatever happened.
  if (for_people(session.format)) {
    const std::string text = report_text(report);
    const auto before = text.rfind('\n', text.size() - 2);
    const auto last = before == text.npos ? 0 : before + 1;
    session.out << text.substr(0, last);
    if (failure) print_failure(session.out, session.err, Format::table, *failure);
    session.out << text.substr(last);
  } else {
    if (failure) print_failure(session.out, session.err, Format::table, *failure);
    print_value(session.out, session.format, report_json(report));
  }
  session.out.flush();
  if (failure) return give_up(failure->exit, {});  // printed already
  return {};
}

}  // namespace zonesync::cli

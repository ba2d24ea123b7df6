// `jobs`, and `delete mesh NAME --cascade`.
#include <ostream>

#include "server/cli/commands.hpp"
#include "server/cli/json_fields.hpp"

namespace zonesync::cli {
namespace {

namespace json = boost::json;

constexpr auto kPollInterval = std::chrono::milliseconds(500);

std::string count_text(const json::value& job, std::string_view name) {
  const auto number = number_of(job, name);
  return number ? std::to_string(*number) : "-";
}

void print_jobs(Session& session, const json::array& jobs) {
  Table table({"ID", "KIND", "MESH", "STATE", "DONE", "TOTAL", "KEPT", "STARTED", "BY"});
  for (const json::value& job : jobs) {
    const auto started = number_of(job, "started_ms");
    table.add({text_of(job, "id"), text_of(job, "kind"), text_of(job, "mesh"),
               text_of(job, "state"), count_text(job, "done"), count_text(job, "total"),
               count_text(job, "kept"),
               started ? time_text(static_cast<std::int64_t>(*started)) : "-",
               text_of(job, "actor")});
  }
  session.out << table.text();
}

void print_job(Session& session, const json::value& job) {
  if (for_people(session.format)) {
    print_jobs(session, json::array{job});
  } else {
    print_value(session.out, session.format, job);
  }
}

/// Until it has ended. Failures: failed (canceled), interrupted.
Outcome<json::value> wait_for_job(Session& session, const std::string& id) {
  while (session.api.surroundings().keep_going()) {
    const Outcome<json::value> job = session.api.get(Target{"jobs", id}.text());
    if (!job) {
      Failure failure = job.error();
      if (failure.exit == Exit::not_found || failure.exit == Exit::auth) return give_up(failure);
      failure.message += "; job " + id + " goes on";
      failure.hint = "`zonesync jobs " + id + " --wait` waits for it again, once the hub answers";
      return give_up(std::move(failure));
    }
    if (text_of(*job, "state") != "running") return job;
    session.api.surroundings().sleep(kPollInterval);
  }
  return give_up(Exit::interrupted, "interrupted; the job goes on",
                 "`zonesync jobs " + id + "` shows it, --cancel stops it");
}

Outcome<void> show_end(Session& session, const std::string& id) {
  const Outcome<json::value> job = wait_for_job(session, id);
  if (!job) return give_up(job.error());
  print_job(session, *job);
  if (text_of(*job, "state") == "done") return {};
  return give_up(Exit::failed, "job " + id + " ended as " + text_of(*job, "state"));
}

Outcome<json::value> post_deletion(Session& session, const std::string& mesh, bool dry_run) {
  json::object body;
  body["kind"] = "delete_mesh";
  body["mesh"] = mesh;
  Target target{"jobs"};
  if (dry_run) target.query("dryRun", "true");
  return session.api.send("POST", target.text(), text::write_canonical(std::move(body)));
}

}  // namespace

void tell_what_is_left(Session& session, const DeleteCommand& command) {
  const Outcome<json::value> plan = post_deletion(session, command.name, true);
  if (!plan && plan.error().exit == Exit::not_found) return;
  const std::string mesh = "mesh " + one_line(command.name);
  const std::string remedy = "; `zonesync delete Mesh " + one_line(command.name) + " --cascade` ";
  std::string hint = "what is in " + mesh + " stays" + remedy + "removes it, with an admin's token";
  if (plan) {
    const std::uint64_t kept = number_of(*plan, "kept").value_or(0);
    std::uint64_t left = number_of(*plan, "total").value_or(0) + kept;
    if (command.dry_run && left > 0) --left;  // the Mesh itself
    if (left == 0) return;
    hint = std::to_string(left) + (left == 1 ? " resource of " : " resources of ") + mesh +
           (command.dry_run ? " would be left without it" : " are left without it") +
           (kept == 0 ? "" : ", " + std::to_string(kept) + " of them of zones") + remedy +
           "removes those of the hub";
  }
  session.out.flush();
  session.err << "hint: " << hint << '\n';
}

Outcome<void> run_jobs(Session& session, const JobsCommand& command) {
  if (command.id.empty()) {
    if (command.cancel || command.wait) {
      return give_up(Exit::usage, "say which job", "`zonesync jobs` lists them");
    }
    const Outcome<json::value> answer = session.api.get("/jobs");
    if (!answer) return give_up(answer.error());
    const json::array* items = array_of(*answer, "items");
    if (items == nullptr) return give_up(Exit::failed, "the hub's list has no items");
    if (for_people(session.format)) {
      print_jobs(session, *items);
    } else {
      print_value(session.out, session.format, *answer);
    }
    return {};
  }
  if (command.wait) return show_end(session, command.id);
  const Outcome<json::value> job =
      command.cancel ? session.api.send("POST", Target{"jobs", command.id, "cancel"}.text())
                     : session.api.get(Target{"jobs", command.id}.text());
  if (!job) return give_up(job.error());
  print_job(session, *job);
  return {};
}

Outcome<void> delete_mesh(Session& session, const DeleteCommand& command) {
  const Outcome<json::value> job = post_deletion(session, command.name, command.dry_run);
  if (!job) return give_up(job.error());
  if (command.wait && !command.dry_run) return show_end(session, text_of(*job, "id"));
  print_job(session, *job);
  return {};
}

}  // namespace zonesync::cli

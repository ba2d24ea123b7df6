// `watch` and `wait`: following the log and the zones.
#include <algorithm>
#include <ostream>

#include "server/cli/commands.hpp"
#include "server/cli/json_fields.hpp"
#include "server/cli/type_names.hpp"

namespace zonesync::cli {
namespace {

namespace json = boost::json;

constexpr Duration kReconnectAfter = std::chrono::seconds(1);
constexpr Duration kWaitSlice = std::chrono::seconds(20);  // below the client's own timeout

/// Takes the lines of a stream and remembers where to continue.
/// Life cycle: one per `watch`, over all its reconnects. Thread rule: one thread.
class LinePrinter {
 public:
  LinePrinter(Session& session, std::uint64_t since) : session_(session), mark_(since) {}

  /// False ends the stream.
  bool take(std::string_view line) {
    if (line.empty()) return true;
    const auto change = text::parse_json(line);
    if (!change) {
      broken_ = Failure{Exit::failed, "the hub sent a line that is not JSON", {}, {}};
      return false;
    }
    const std::string kind = text_of(*change, "kind");
    const std::uint64_t revision = number_of(*change, "revision").value_or(0);
    if (kind == "mark") {
      mark_ = std::max(mark_, revision);
      return true;
    }
    if (kind == "end") {
      mark_ = std::max(mark_, revision);
      end_ = *change;
      return false;
    }
    print(*change, line, kind, revision);
    return true;
  }

  [[nodiscard]] std::uint64_t mark() const { return mark_; }
  /// The reason of an end line since the last call; empty = the stream was cut.
  [[nodiscard]] std::string take_end_reason() {
    std::string reason = text_of(end_, "reason");
    end_ = nullptr;
    return reason;
  }
  [[nodiscard]] const std::optional<Failure>& broken() const { return broken_; }

 private:
  void print(const json::value& change, std::string_view line, const std::string& kind,
             std::uint64_t revision) {
    if (session_.format == Format::json) {
      session_.out << line << '\n';
    } else if (session_.format == Format::yaml) {
      session_.out << "---\n";
      print_value(session_.out, session_.format, change);
    } else {
      ResourceKey key;
      if (const json::value* fields = member(change, "key")) {
        key = {text_of(*fields, "type"), text_of(*fields, "mesh"), text_of(*fields, "origin"),
               text_of(*fields, "name")};
      }
      session_.out << revision << "  " << one_line(kind) << "  " << one_line(to_string(key))
                   << '\n';
    }
    session_.out.flush();
  }

  Session& session_;
  std::uint64_t mark_;
  json::value end_;
  std::optional<Failure> broken_;
};

Outcome<std::uint64_t> head_of(Api& api) {
  const Outcome<json::value> hub = api.get("/");
  if (!hub) return give_up(hub.error());
  const auto head = number_of(*hub, "head");
  if (!head) return give_up(Exit::failed, "the hub does not say where its log stands");
  return *head;
}

Outcome<std::uint64_t> first_revision(Api& api, const std::string& since) {
  if (since.empty() || since == "head") return head_of(api);
  const auto revision = parse_number(since);
  if (!revision) {
    return give_up(Exit::usage, "'" + since + "' is not a revision",
                   "--since takes a number, 0 for everything, or head");
  }
  return *revision;
}

/// A stream that ended for one of these reasons ends again at once.
bool is_final(const std::string& reason) {
  return reason == "token_expired" || reason == "token_revoked";
}

std::string joined(const json::array* names) {
  std::string text;
  if (names == nullptr) return text;
  for (const json::value& name : *names) {
    if (!name.is_string()) continue;
    if (!text.empty()) text += ", ";
    text += std::string(name.get_string().data(), name.get_string().size());
  }
  return text;
}

}  // namespace

Outcome<void> run_watch(Session& session, const WatchCommand& command) {
  Api& api = session.api;
  std::string type;
  if (!command.type.empty()) {
    const Outcome<TypeRegistry> registry = fetch_types(api);
    if (!registry) return give_up(registry.error());
    const Outcome<const TypeInfo*> info = resolve_type(*registry, command.type);
    if (!info) return give_up(info.error());
    type = (*info)->name;
  }
  const Outcome<std::uint64_t> since = first_revision(api, command.since);
  if (!since) return give_up(since.error());
  LinePrinter printer(session, *since);
  bool connected = false;
  while (api.surroundings().keep_going()) {
    Target target{"changes"};
    target.query("since", std::to_string(printer.mark()))
        .query_if("type", type)
        .query_if("mesh", command.mesh);
    if (command.follow) target.query("watch", "true");
    const Outcome<void> ended =
        api.stream(target.text(), [&](std::string_view line) {
          connected = true;
          return printer.take(line);
        });
    if (printer.broken()) return give_up(*printer.broken());
    // A hub that was there comes back; one that never answered is a wrong address.
    const bool lost = !ended && ended.error().exit == Exit::cannot_connect && connected;
    if (!ended && !lost) {
      Failure failure = ended.error();
      if (failure.exit == Exit::not_found && failure.hint.empty()) {
        failure.hint = "watch without --since: from now on";
      }
      return give_up(std::move(failure));
    }
    const std::string reason = printer.take_end_reason();
    if (is_final(reason)) {
      return give_up(Exit::auth, "the hub ended the stream: " + reason, "use a fresh token");
    }
    if (!command.follow && ended) return {};
    if (api.surroundings().keep_going()) api.surroundings().sleep(kReconnectAfter);
  }
  return {};
}

Outcome<json::value> wait_for_zones(Api& api, std::uint64_t revision,
                                    const std::vector<std::string>& zones, Duration timeout) {
  const Surroundings& around = api.surroundings();
  const TimePoint deadline = around.now() + timeout;
  std::string names;
  for (const std::string& zone : zones) names += (names.empty() ? "" : ",") + zone;
  for (;;) {
    const Duration left = std::max(deadline - around.now(), Duration::zero());
    const auto slice = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::min<Duration>(left, kWaitSlice));
    Target target{"wait"};
    if (revision != 0) target.query("revision", std::to_string(revision));
    target.query_if("zones", names).query("timeout", std::to_string(slice.count()) + "ms");
    Outcome<json::value> answer = api.get(target.text());
    if (!answer || flag_of(*answer, "reached")) return answer;
    if (revision == 0) revision = number_of(*answer, "revision").value_or(0);
    if (!around.keep_going()) return give_up(Exit::interrupted, "interrupted");
    if (around.now() >= deadline) {
      return give_up(Exit::timeout,
                     "not all zones reached revision " + std::to_string(revision) +
                         " in time; missing: " + joined(array_of(*answer, "missing_zones")),
                     "`zonesync get zones -o wide` shows where they stand");
    }
  }
}

Outcome<void> run_wait(Session& session, const WaitCommand& command) {
  std::uint64_t revision = 0;
  if (command.revision == "head") {
    const Outcome<std::uint64_t> head = head_of(session.api);
    if (!head) return give_up(head.error());
    revision = *head;
  } else {
    const auto number = parse_number(command.revision);
    if (!number || *number == 0) {
      return give_up(Exit::usage, "'" + command.revision + "' is not a revision",
                     "--revision takes a number from 1, or head");
    }
    revision = *number;
  }
  const Outcome<json::value> answer =
      wait_for_zones(session.api, revision, command.zones, command.timeout);
  if (!answer) return give_up(answer.error());
  if (!for_people(session.format)) {
    print_value(session.out, session.format, *answer);
    return {};
  }
  const std::string reached = joined(array_of(*answer, "reached_zones"));
  session.out << "reached revision " << revision << ": "
              << (reached.empty() ? "no zone is connected" : one_line(reached)) << '\n';
  return {};
}

}  // namespace zonesync::cli

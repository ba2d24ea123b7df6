// GET of one resource, of lists and of histories.
#include <boost/json/array.hpp>

#include "protocol/text/json_value.hpp"
#include "server/admin/handlers.hpp"
#include "server/admin/past.hpp"
#include "server/admin/resource_json.hpp"
#include "server/admin/resource_path.hpp"
#include "server/auth/jwt.hpp"

namespace zonesync::admin {
namespace {

constexpr std::uint64_t kPageDefault = 100;
constexpr std::uint64_t kPageMax = 1'000;
constexpr std::uint64_t kHistoryDefault = 20;
constexpr std::uint64_t kHistoryMax = 100;
constexpr std::size_t kPageStep = 50;              // entries read from the log at a time
constexpr std::size_t kPageMaxBytes = 8u << 20;    // a page ends early beyond it

/// ?rev=N, judged; nothing = the newest.
tl::expected<std::optional<Revision>, Problem> past_of(const Call& call,
                                                       const std::string& type) {
  const auto revision = query_revision(call, "rev");
  if (!revision) return refuse(revision.error());
  if (*revision) {
    if (auto past = judge_past(past_of_type(call.hub().log(), type), **revision, "rev")) {
      return refuse(std::move(*past));
    }
  }
  return *revision;
}

/// Whether trimming passed what was just read.
std::optional<Problem> trimmed_meanwhile(const Call& call, std::optional<Revision> past,
                                         const std::string& type) {
  if (!past) return std::nullopt;
  return judge_past(past_of_type(call.hub().log(), type), *past, "rev");
}

Result<LogEntry> read_past(const ChangeLog& log, const ResourceKey& key, Revision revision) {
  auto entry = log.entry_at(key, revision);
  if (!entry) return fail(std::move(entry.error()));
  if (*entry && (*entry)->change.kind == ChangeKind::upsert) return std::move(**entry);
  return fail(ErrorCode::not_found, "there was no " + to_string(key) + " at revision " +
                                        std::to_string(revision.value));
}

/// The live version. Errors: not_found (says when it was deleted), and those of the log.
Result<LogEntry> read_live(const ChangeLog& log, const ResourceKey& key) {
  // A version that is superseded between the two reads may be trimmed: look once more.
  for (int attempt = 0;; ++attempt) {
    const Result<std::optional<LatestEntry>> latest = log.latest(key);
    if (!latest) return fail(latest.error());
    if (!*latest) return fail(ErrorCode::not_found, "there is no " + to_string(key));
    const Revision revision = (*latest)->position.revision;
    if ((*latest)->kind == ChangeKind::leave) {
      return fail(ErrorCode::not_found, to_string(key) + " was deleted at revision " +
                                            std::to_string(revision.value));
    }
    Result<LogEntry> entry = log.read((*latest)->position);
    if (entry || entry.error().code != ErrorCode::not_found || attempt > 0) return entry;
  }
}

std::string offset_of(const ResourceKey& key) {
  boost::json::array parts;
  parts.emplace_back(key.mesh);
  parts.emplace_back(key.origin);
  parts.emplace_back(key.name);
  return auth::base64url_encode(text::write_canonical(std::move(parts)));
}

Result<std::optional<ResourceKey>> key_of_offset(const Call& call, const std::string& type) {
  const std::optional<std::string> offset = call.query("offset");
  if (!offset) return std::nullopt;
  const Error wrong{ErrorCode::invalid_argument, "must be the 'next' of the page before",
                    "offset"};
  const Result<std::string> json = auth::base64url_decode(*offset);
  if (!json) return fail(wrong);
  const Result<boost::json::value> value = text::parse_json(*json);
  if (!value || !value->is_array() || value->get_array().size() != 3) return fail(wrong);
  ResourceKey key;
  key.type = type;
  std::string* parts[] = {&key.mesh, &key.origin, &key.name};
  for (std::size_t i = 0; i < 3; ++i) {
    const boost::json::value& part = value->get_array()[i];
    if (!part.is_string()) return fail(wrong);
    *parts[i] = part.get_string();
  }
  return key;
}

struct Page {
  std::string items;
  std::optional<ResourceKey> next;
};

Result<Page> read_page(const Call& call, const ListFilter& filter,
                       std::optional<ResourceKey> after, std::size_t size) {
  const ResourceWriter writer(call);
  Page page;
  while (size > 0 && page.items.size() < kPageMaxBytes) {
    const Result<ListPage> step =
        call.hub().log().list(filter, after, std::min(size, kPageStep));
    if (!step) return fail(step.error());
    for (const LogEntry& entry : step->entries) {
      const Result<std::string> item = writer.item(entry);
      if (!item) return fail(item.error());
      page.items += (page.items.empty() ? "" : ",") + *item;
    }
    page.next = after = step->next;
    size -= std::min(size, step->entries.size());
    if (!step->next) break;
  }
  return page;
}

/// A log that trims, or knows that it lacks something, cannot tell what never was.
std::string no_version_text(const ChangeLog& log, const ResourceKey& key) {
  const LogState state = log.state();
  const Revision floor = state.tombstone_floor;
  if (floor.value == 0 && state.complete) return "there never was a " + to_string(key);
  std::string text = "the log has no version of " + to_string(key) + " (any more)";
  if (floor.value == 0) return text + ": nobody has declared this log complete";
  return text + ": of what was removed up to revision " + std::to_string(floor.value) +
         " nothing is kept";
}

}  // namespace

Answer get_resource(const Call& call) {
  const auto registry = call.hub().registry();
  const Result<ResourceKey> key = key_of_path(call, *registry);
  if (!key) return refuse(key.error());
  const auto past = past_of(call, key->type);
  if (!past) return refuse(past.error());
  const ChangeLog& log = call.hub().log();
  const Result<LogEntry> entry = *past ? read_past(log, *key, **past) : read_live(log, *key);
  if (auto gone = trimmed_meanwhile(call, *past, key->type)) return refuse(std::move(*gone));
  if (!entry) return refuse(entry.error());
  Result<std::string> text = ResourceWriter(call).text(entry->change);
  if (!text) return refuse(text.error());
  HttpResponse response = json_response(200, std::move(*text));
  response.headers.set("ETag", '"' + std::to_string(entry->position.revision.value) + '"');
  return response;
}

Answer list_resources(const Call& call) {
  const auto registry = call.hub().registry();
  const Result<const TypeInfo*> info = type_of_path(call, *registry);
  if (!info) return refuse(info.error());
  const auto past = past_of(call, (*info)->name);
  if (!past) return refuse(past.error());
  Result<std::optional<std::string>> origin = origin_of_query(call);
  if (!origin) return refuse(origin.error());
  const auto size = query_number(call, "size", 1, kPageMax);
  if (!size) return refuse(size.error());
  Result<std::optional<ResourceKey>> after = key_of_offset(call, (*info)->name);
  if (!after) return refuse(after.error());

  ListFilter filter;
  filter.type = (*info)->name;
  filter.origin = std::move(*origin);
  if (call.path.contains("mesh")) filter.mesh = call.param("mesh");
  filter.at = *past;
  const Revision head = call.hub().log().state().head;  // before the page: a watch misses nothing
  const Result<Page> page =
      read_page(call, filter, std::move(*after), size->value_or(kPageDefault));
  if (auto gone = trimmed_meanwhile(call, *past, filter.type)) return refuse(std::move(*gone));
  if (!page) return refuse(page.error());
  std::string body = "{\"items\":[" + page->items + "],\"next\":";
  body += page->next ? '"' + offset_of(*page->next) + '"' : "null";
  body += ",\"revision\":" + std::to_string(past->value_or(head).value) + '}';
  return json_response(200, std::move(body));
}

Answer get_history(const Call& call) {
  const auto registry = call.hub().registry();
  const Result<ResourceKey> key = key_of_path(call, *registry);
  if (!key) return refuse(key.error());
  const auto limit = query_number(call, "limit", 1, kHistoryMax);
  if (!limit) return refuse(limit.error());
  const auto entries = call.hub().log().history(*key, limit->value_or(kHistoryDefault));
  if (!entries) return refuse(entries.error());
  if (entries->empty()) {
    return refuse(ErrorCode::not_found, no_version_text(call.hub().log(), *key));
  }
  const ResourceWriter writer(call);
  std::string items;
  for (const LogEntry& entry : *entries) {
    std::string item = "{\"kind\":";
    item += entry.change.kind == ChangeKind::leave ? "\"leave\"" : "\"upsert\"";
    item += ",\"origin\":";
    text::append_canonical_string(item, entry.change.key.origin);
    if (entry.change.kind == ChangeKind::upsert) {
      const Result<std::string> resource = writer.text(entry.change);
      if (!resource) return refuse(resource.error());
      item += ",\"resource\":" + *resource;
    }
    item += ",\"revision\":" + std::to_string(entry.position.revision.value) + '}';
    items += (items.empty() ? "" : ",") + item;
  }
  return json_response(200, "{\"items\":[" + items + "]}");
}

}  // namespace zonesync::admin

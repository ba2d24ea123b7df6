// GET /diff: two states of the hub; GET .../{name}/diff: two versions of one resource.
#include <boost/json/array.hpp>

#include "protocol/text/json_value.hpp"
#include "protocol/wire/codec.hpp"
#include "server/admin/handlers.hpp"
#include "server/admin/past.hpp"
#include "server/admin/resource_json.hpp"
#include "server/admin/resource_path.hpp"
#include "server/admin/value_diff.hpp"

namespace zonesync::admin {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kPageDefault = 100;
constexpr std::uint64_t kPageMax = 1'000;

struct Range {
  std::optional<Revision> from;
  Revision to;
};

tl::expected<Range, Problem> range_of(const Call& call, const LogState& log) {
  const auto from = query_revision(call, "from");
  if (!from) return refuse(from.error());
  const auto to = query_revision(call, "to");
  if (!to) return refuse(to.error());
  const Range range{*from, to->value_or(log.head)};
  if (range.from) {
    if (auto past = judge_past(log, *range.from, "from")) return refuse(std::move(*past));
  }
  if (auto past = judge_past(log, range.to, "to")) return refuse(std::move(*past));
  return range;
}

Result<PastFilter> filter_of(const Call& call) {
  PastFilter filter;
  if ((filter.type = call.query("type"))) {
    const auto registry = call.hub().registry();
    if (const auto known = registry->require(*filter.type); !known) {
      return fail(known.error().code, known.error().message, "type");
    }
  }
  filter.mesh = call.query("mesh");
  Result<std::optional<std::string>> origin = origin_of_query(call);
  if (!origin) return fail(std::move(origin.error()));
  filter.origin = std::move(*origin);
  return filter;
}

/// "12.3": everything up to the entry 3 of revision 12 was told.
Result<Position> position_of_query(const Call& call) {
  const std::optional<std::string> offset = call.query("offset");
  if (!offset) return Position::start();
  const std::size_t dot = offset->find('.');
  const auto revision = parse_number(offset->substr(0, dot));
  const auto index =
      dot == std::string::npos ? std::nullopt : parse_number(offset->substr(dot + 1));
  if (!revision || !index || *index > Position::start().index) {
    return fail(ErrorCode::invalid_argument, "must be the 'next' of the page before", "offset");
  }
  return Position{Revision{*revision}, static_cast<std::uint32_t>(*index)};
}

Result<std::string> version_json(const ResourceWriter& writer, const LogEntry& entry) {
  const Result<std::string> resource = writer.text(entry.change);
  if (!resource) return resource;
  return "{\"resource\":" + *resource +
         ",\"revision\":" + std::to_string(entry.position.revision.value) + '}';
}

Result<std::string> item_json(const ResourceWriter& writer, const PastDifference& item) {
  std::string out = "{";
  if (item.after) {
    const auto after = version_json(writer, *item.after);
    if (!after) return after;
    out += "\"after\":" + *after + ',';
  }
  if (item.before) {
    const auto before = version_json(writer, *item.before);
    if (!before) return before;
    out += "\"before\":" + *before + ',';
  }
  out += "\"change\":\"";
  out += !item.before ? "created" : item.after ? "updated" : "removed";
  out += "\",\"key\":" + text::write_canonical(key_json(item.key)) + '}';
  return out;
}

/// The newest change of a key: what was there just before it.
Revision before_newest(const std::optional<LogEntry>& newest, const LogState& log) {
  const std::uint64_t changed = newest ? newest->position.revision.value : 0;
  return std::max(log.trim_floor, Revision{changed == 0 ? 0 : changed - 1});
}

/// The resource for the answer, and its value for the comparison; empty and null = not there.
/// `content` is whole, also where the caller sees none of it: never shown, only compared.
struct Version {
  std::string text;
  json::value value;
  std::string content;
};

tl::expected<Version, Problem> version_at(const Call& call, const ResourceKey& key,
                                          Revision revision) {
  const auto entry = call.hub().log().entry_at(key, revision);
  if (!entry) return refuse(entry.error());
  Version version;
  if (!*entry || (*entry)->change.kind == ChangeKind::leave) return version;
  Result<Resource> resource = wire::resource_of((*entry)->change.payload);
  if (!resource) return refuse(resource.error());
  version.content = resource->spec + '\n' + resource->status;
  std::string text = ResourceWriter(call).text(std::move(*resource));
  Result<json::value> value = text::parse_json(text);
  if (!value) return refuse(value.error());
  version.text = std::move(text);
  version.value = std::move(*value);
  return version;
}

/// Field by field. What the caller may not see is one change without values: that it differs, and
/// nothing more.
json::array changes_between(const Version& before, const Version& after, bool hidden) {
  if (!before.value.is_object() || !after.value.is_object()) return {};
  json::array changes = value_differences(before.value, after.value);
  if (hidden && before.content != after.content) {
    changes.push_back(json::object{{"hidden", true}, {"path", "/spec"}});
  }
  return changes;
}

}  // namespace

Answer get_diff(const Call& call) {
  const ChangeLog& log = call.hub().log();
  const Result<PastFilter> filter = filter_of(call);
  if (!filter) return refuse(filter.error());
  const auto range = range_of(call, past_of_type(log, filter->type));
  if (!range) return refuse(range.error());
  if (!range->from) {
    return refuse(ErrorCode::invalid_argument, "say which revision to compare with", "from");
  }
  const auto size = query_number(call, "size", 1, kPageMax);
  if (!size) return refuse(size.error());
  const Result<Position> after = position_of_query(call);
  if (!after) return refuse(after.error());
  const auto page = compare_past(log, *range->from, range->to, *filter, *after,
                                 size->value_or(kPageDefault));
  if (!page) return refuse(page.error());
  const ResourceWriter writer(call);
  std::string items;
  for (const PastDifference& difference : page->items) {
    const Result<std::string> item = item_json(writer, difference);
    if (!item) return refuse(item.error());
    items += (items.empty() ? "" : ",") + *item;
  }
  const Revision oldest = std::min(*range->from, range->to);
  if (auto past = judge_past(past_of_type(log, filter->type), oldest, "from")) {
    return refuse(std::move(*past));
  }
  std::string body = "{\"from\":" + std::to_string(range->from->value) + ",\"items\":[" + items +
                     "],\"next\":";
  body += page->next ? '"' + std::to_string(page->next->revision.value) + '.' +
                           std::to_string(page->next->index) + '"'
                     : "null";
  body += ",\"to\":" + std::to_string(range->to.value) + '}';
  return json_response(200, std::move(body));
}

Answer get_resource_diff(const Call& call) {
  const auto registry = call.hub().registry();
  const Result<ResourceKey> key = key_of_path(call, *registry);
  if (!key) return refuse(key.error());
  const ChangeLog& log = call.hub().log();
  const LogState state = past_of_type(log, key->type);
  const auto range = range_of(call, state);
  if (!range) return refuse(range.error());
  const auto newest = log.entry_at(*key, range->to);
  if (!newest) return refuse(newest.error());
  const Revision from = range->from.value_or(before_newest(*newest, state));
  const auto before = version_at(call, *key, from);
  if (!before) return refuse(before.error());
  const auto after = version_at(call, *key, range->to);
  if (!after) return refuse(after.error());
  if (auto past = judge_past(past_of_type(log, key->type), std::min(from, range->to), "from")) {
    return refuse(std::move(*past));
  }
  if (before->value.is_null() && after->value.is_null()) {
    return refuse(ErrorCode::not_found, "there was no " + to_string(*key) + " at either revision");
  }
  json::array changes =
      changes_between(*before, *after, ResourceWriter(call).hides(key->type));
  std::string body = "{";
  if (!after->text.empty()) body += "\"after\":" + after->text + ',';
  if (!before->text.empty()) body += "\"before\":" + before->text + ',';
  body += "\"changes\":" + text::write_canonical(std::move(changes));
  body += ",\"from\":" + std::to_string(from.value);
  body += ",\"key\":" + text::write_canonical(key_json(*key));
  body += ",\"to\":" + std::to_string(range->to.value) + '}';
  return json_response(200, std::move(body));
}

}  // namespace zonesync::admin

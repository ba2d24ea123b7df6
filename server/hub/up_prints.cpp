#include "server/hub/up_prints.hpp"

#include <map>

#include "server/hub/system_entries.hpp"

namespace zonesync::hub {
namespace {

constexpr std::size_t kPage = 1'000;

/// Keys with an open reject: the live version, if there is one, is not what the zone offered last.
Result<std::map<Id128, Print>> rejected_of(const ChangeLog& log, const std::string& zone) {
  std::map<Id128, Print> rejected;
  ListFilter filter;
  filter.type = std::string(kOfferType);
  const std::string prefix = zone + ".";
  std::optional<ResourceKey> after = system_key(kOfferType, prefix);
  while (after) {
    auto page = log.list(filter, after, kPage);
    if (!page) return fail(std::move(page.error()));
    for (const LogEntry& entry : page->entries) {
      if (!entry.change.key.name.starts_with(prefix)) return rejected;
      auto record = decode_offer(entry.change);
      if (!record) return fail(std::move(record.error()));
      if (record->unconfirmed) continue;
      const Id128 key = fingerprint(record->key);
      rejected.emplace(key, Print{key, Hash128{}});
    }
    after = page->next;
  }
  return rejected;
}

}  // namespace

std::optional<std::vector<Print>> up_prints(const LogSource& source, const std::string& zone,
                                            const View& view) {
  auto table = source.fingerprints();
  auto rejected = rejected_of(source.log(), zone);
  if (!table || !rejected) return std::nullopt;
  std::vector<bool> mine;
  for (const Class& cls : (*table)->classes) {
    mine.push_back(cls.origin == zone && view.admits(cls));
  }
  std::vector<Print> prints;
  for (const auto& entry : (*table)->entries) {
    if (!mine[entry.cls]) continue;
    const bool again = rejected->erase(entry.print.key) > 0;
    prints.push_back(again ? Print{entry.print.key, Hash128{}} : entry.print);
  }
  for (const auto& [key, print] : *rejected) prints.push_back(print);
  if (prints.size() > limits::kRepairPrintsMax) return std::nullopt;
  return prints;
}

bool has_up_content(const LogSource& source, const View& view) {
  const auto digest = source.digest_at(source.head(), view);
  return digest && digest->count > 0;
}

UpSink::Events up_events(const LogSource& source, std::string zone, View view) {
  UpSink::Events events;
  events.has_content = [&source, view] { return has_up_content(source, view); };
  events.prints = [&source, zone = std::move(zone), view] { return up_prints(source, zone, view); };
  return events;
}

}  // namespace zonesync::hub

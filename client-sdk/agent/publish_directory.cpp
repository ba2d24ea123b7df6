#include "client-sdk/agent/publish_directory.hpp"

#include <algorithm>

#include "protocol/model/scope.hpp"
#include "protocol/text/resource_text.hpp"

namespace zonesync::agent {
namespace {

constexpr int kScansWaitedMax = 10;
constexpr int kReplacementsMax = 3;

/// What of `wanted` is still to be published after `have`, given as the index of the next version;
/// `wanted.size()` = nothing is.
std::size_t next_version(const Versions& have, const Versions& wanted) {
  const auto common = static_cast<std::size_t>(
      std::mismatch(have.begin(), have.end(), wanted.begin(), wanted.end()).first - have.begin());
  const bool same_end = !have.empty() && have.back() == wanted.back();
  if (common == wanted.size()) return same_end ? wanted.size() : wanted.size() - 1;
  if (common < have.size() && same_end) return wanted.size();
  return common;
}

/// The line of `file:line:column` or `file:line /pointer`, else `fallback`.
int line_of(const Error& error, const std::string& file, int fallback) {
  if (!error.field.starts_with(file + ':')) return fallback;
  int line = 0;
  for (std::size_t i = file.size() + 1; i < error.field.size(); ++i) {
    const char c = error.field[i];
    if (c < '0' || c > '9' || line > 100'000'000) break;
    line = line * 10 + (c - '0');
  }
  return line > 0 ? line : fallback;
}

}  // namespace

PublishDirectory::PublishDirectory(std::string zone, PublishMemory& memory)
    : zone_(std::move(zone)), memory_(memory) {}

bool PublishDirectory::observe(const PublishScan& scan, const TypeRegistry& registry,
                               const Reader& read, bool release) {
  const bool trusted = scan.present && scan.problem.empty();
  unsettled_ = !trusted;
  if (trusted) {
    std::erase_if(files_, [&](const auto& file) { return !scan.files.contains(file.first); });
  }
  for (const auto& [path, stamp] : scan.files) {
    auto known = files_.find(path);
    if (known != files_.end() && known->second.stamp == stamp) continue;
    if (settled(path, stamp)) {
      File file = understand(path, stamp, registry, read);
      remember(path, file);
      files_[path] = std::move(file);
      continue;
    }
    unsettled_ = true;  // new, or being written: what was understood last stands
    if (known == files_.end() && memory_.files().contains(path)) {
      File file;
      retain(file, path, nullptr);
      files_[path] = std::move(file);
    }
  }
  std::erase_if(restless_, [&](const auto& file) { return !scan.files.contains(file.first); });
  previous_ = scan;
  prune_refused_versions();
  return judge_absences(scan, release);
}

/// Whether nobody wrote since the last scan. A file that changes at every scan is taken after some
/// of them, sooner when it is replaced as a whole (another inode): it must not wait for ever.
bool PublishDirectory::settled(const std::string& path, const FileStamp& stamp) {
  const auto before = previous_.files.find(path);
  if (before == previous_.files.end()) return false;
  int& waited = restless_[path];
  const int patience = before->second.inode == stamp.inode ? kScansWaitedMax : kReplacementsMax;
  if (before->second != stamp && ++waited < patience) return false;
  restless_.erase(path);
  return true;
}

void PublishDirectory::prune_refused_versions() {
  if (refused_versions_.empty()) return;
  std::set<std::pair<ResourceKey, Hash128>> present;
  for (const auto& [path, file] : files_) {
    for (const Document& document : file.documents) present.insert({document.key, document.hash});
  }
  std::erase_if(refused_versions_,
                [&](const auto& version) { return !present.contains(version.first); });
}

void PublishDirectory::reconsider() {
  refused_versions_.clear();
  for (auto& [path, file] : files_) {
    if (!file.refused.empty()) file.stamp.reset();
  }
}

PublishDirectory::File PublishDirectory::understand(const std::string& path,
                                                    const FileStamp& stamp,
                                                    const TypeRegistry& registry,
                                                    const Reader& read) const {
  File file;
  file.stamp = stamp;
  auto text = read(path);
  if (!text) {
    file.refused.push_back({path, 1, {}, text.error().message});
    if (text.error().code == ErrorCode::storage_io) file.stamp.reset();  // read again
    retain(file, path, nullptr);
    return file;
  }
  const ParseOptions options{zone_, false, TextFormat::automatic};
  auto documents = parse_documents(*text, path, registry, options);
  if (!documents) {
    const Error& error = documents.error();
    file.refused.push_back({path, line_of(error, path, 1), {}, error.message});
    retain(file, path, nullptr);
    return file;
  }
  bool nameless = false;
  std::set<ResourceKey> refused_keys;
  for (ParsedDocument& document : *documents) {
    if (!document.resource) {
      const Error& error = document.resource.error();
      file.refused.push_back({path, line_of(error, path, document.line), {},
                              error.message + " (" + error.field + ")"});
      nameless = true;
      continue;
    }
    Resource& resource = *document.resource;
    if (auto allowed = may_write(registry, Writer{zone_}, resource); !allowed) {
      file.refused.push_back(
          {path, document.line, to_string(resource.key), allowed.error().message});
      refused_keys.insert(resource.key);  // its earlier version stays
      continue;
    }
    const Hash128 hash = hash_bytes(resource_to_json(resource));
    file.documents.push_back({document.line, resource.key, hash,
                              std::make_shared<const Resource>(std::move(resource))});
  }
  retain(file, path, nameless ? nullptr : &refused_keys);
  return file;
}

/// Adds what the file held before and does not name now, when it was not understood in full: all of
/// it, or only the keys whose new version was refused.
void PublishDirectory::retain(File& file, const std::string& path,
                              const std::set<ResourceKey>* only) const {
  const auto known = memory_.files().find(path);
  if (known == memory_.files().end()) return;
  std::set<ResourceKey> named;
  for (const Document& document : file.documents) named.insert(document.key);
  for (const RememberedDocument& old : known->second) {
    if (named.contains(old.key) || (only != nullptr && !only->contains(old.key))) continue;
    file.documents.push_back({old.line, old.key, old.hash, nullptr});
  }
}

void PublishDirectory::remember(const std::string& path, const File& file) {
  std::vector<RememberedDocument> documents;
  for (const Document& document : file.documents) {
    documents.push_back({document.line, document.key, document.hash});
  }
  memory_.set_file(path, std::move(documents));
}

std::map<ResourceKey, std::vector<PublishDirectory::Place>> PublishDirectory::wanted() const {
  std::map<ResourceKey, std::vector<Place>> wanted;
  for (const auto& [path, file] : files_) {
    for (const Document& document : file.documents) {
      if (refused_versions_.contains({document.key, document.hash})) {
        if (!memory_.keys().contains(document.key)) continue;
        wanted[document.key];  // present, but with nothing new to say
        continue;
      }
      wanted[document.key].push_back({&document, &path});
    }
  }
  return wanted;
}

/// Absence counts when the marker is there, the listing is complete, two scans agree and it is not
/// too much at once; a release lifts only the last rule.
bool PublishDirectory::judge_absences(const PublishScan& scan, bool release) {
  const bool was_mass_removal = held_.reason == "mass_removal";
  held_ = {};
  leaves_.clear();
  if (!scan.present || !scan.marker || !scan.problem.empty()) {
    const auto present = scan.present ? wanted() : std::map<ResourceKey, std::vector<Place>>();
    for (const auto& [key, versions] : memory_.keys()) {
      if (!present.contains(key)) ++held_.count;
    }
    if (held_.count != 0) {
      held_.reason = !scan.present ? "directory_missing"
                     : !scan.marker ? "marker_missing" : "listing_failed";
    }
    absent_before_.clear();
    return false;
  }
  const auto present = wanted();
  std::set<ResourceKey> absent;
  std::set<ResourceKey> agreed;
  for (const auto& [key, versions] : memory_.keys()) {
    if (present.contains(key)) continue;
    absent.insert(key);
    if (absent_before_.contains(key)) agreed.insert(key);
  }
  absent_before_ = absent;
  forget_files(scan, absent);
  const std::size_t allowed =
      std::max(kRemovalsMin, memory_.keys().size() * kRemovalsPercent / 100);
  const bool released = release && was_mass_removal;
  if (absent.size() > allowed && !released) {
    held_ = {absent.size(), "mass_removal"};
  } else {
    leaves_ = std::move(agreed);
    const std::size_t waiting = absent.size() - leaves_.size();
    if (waiting != 0) held_ = {waiting, "second_scan"};
  }
  return released;
}

/// A file that is gone is remembered until what it held has left: it may come back before that.
void PublishDirectory::forget_files(const PublishScan& scan, const std::set<ResourceKey>& absent) {
  std::vector<std::string> gone;
  for (const auto& [path, documents] : memory_.files()) {
    const bool waits = std::any_of(documents.begin(), documents.end(), [&](const auto& document) {
      return absent.contains(document.key);
    });
    if (!waits && !scan.files.contains(path)) gone.push_back(path);
  }
  for (const std::string& path : gone) memory_.forget_file(path);
}

std::vector<PublishStep> PublishDirectory::next_round() {
  std::vector<PublishStep> round;
  for (const auto& [key, places] : wanted()) {
    if (places.empty()) continue;
    Versions versions;
    for (const Place& place : places) versions.push_back(place.document->hash);
    const auto known = memory_.keys().find(key);
    const Versions have = known == memory_.keys().end() ? Versions() : known->second;
    std::size_t next = next_version(have, versions);
    // A version that is only remembered was published once; there is nothing to send.
    while (next < versions.size() && !places[next].document->resource) ++next;
    if (next == versions.size()) {
      if (have != versions && !have.empty()) {
        const std::size_t more = versions.size() > have.size() ? versions.size() - have.size() : 0;
        memory_.set_versions(key, versions, {0, more, 0});
      }
      continue;
    }
    const Document& document = *places[next].document;
    versions.resize(next + 1);
    round.push_back({key, document.resource, std::move(versions), document.hash,
                     *places[next].file, document.line});
  }
  for (const ResourceKey& key : leaves_) round.push_back({key, nullptr, {}, {}, {}, 0});
  return round;
}

void PublishDirectory::done(const PublishStep& step, bool unchanged) {
  PublishTotals more;
  if (!step.resource) {
    leaves_.erase(step.key);
    absent_before_.erase(step.key);
    more.removed = 1;
  } else {
    (unchanged ? more.unchanged : more.published) = 1;
  }
  memory_.set_versions(step.key, step.versions, more);
}

void PublishDirectory::refuse(const PublishStep& step, std::string reason) {
  if (!step.resource) {
    leaves_.erase(step.key);
    return;
  }
  refused_versions_[{step.key, step.hash}] = std::move(reason);
}

std::vector<PublishRefusal> PublishDirectory::refused() const {
  std::vector<PublishRefusal> all;
  for (const auto& [path, file] : files_) {
    all.insert(all.end(), file.refused.begin(), file.refused.end());
    for (const Document& document : file.documents) {
      const auto reason = refused_versions_.find({document.key, document.hash});
      if (reason == refused_versions_.end()) continue;
      all.push_back({path, document.line, to_string(document.key), reason->second});
    }
  }
  return all;
}

std::size_t PublishDirectory::documents() const {
  std::size_t count = 0;
  for (const auto& [path, file] : files_) {
    count += file.refused.size();
    for (const Document& document : file.documents) {
      if (document.resource || !file.stamp) ++count;  // not what is only retained
    }
  }
  return count;
}

bool PublishDirectory::complete() const {
  return !unsettled_ && previous_.marker && held_.reason.empty() && refused_versions_.empty() &&
         std::all_of(files_.begin(), files_.end(),
                     [](const auto& file) { return file.second.refused.empty(); });
}

std::optional<std::pair<std::string, int>> PublishDirectory::place_of(
    const ResourceKey& key) const {
  std::optional<std::pair<std::string, int>> place;
  for (const auto& [path, file] : files_) {
    for (const Document& document : file.documents) {
      if (document.key == key) place.emplace(path, document.line);
    }
  }
  return place;
}

}  // namespace zonesync::agent

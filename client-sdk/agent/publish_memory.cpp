#include "client-sdk/agent/publish_memory.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "client-sdk/agent/file_io.hpp"
#include "protocol/text/json_value.hpp"

namespace zonesync::agent {
namespace {

namespace json = boost::json;

constexpr std::size_t kFileMaxBytes = 1u << 30;
constexpr std::size_t kOutdatedLinesMin = 1'000;
constexpr std::int64_t kFormat = 1;

json::array key_json(const ResourceKey& key) { return {key.type, key.mesh, key.name}; }

std::string text_at(const json::array& array, std::size_t at) {
  return std::string(array.at(at).as_string());
}

Hash128 hash_from(const json::value& value) {
  const auto id = id128_from_hex(std::string(value.as_string()));
  if (!id) throw std::system_error(EINVAL, std::generic_category());
  return Hash128{*id};
}

Status append(const std::filesystem::path& file, std::string_view lines) {
  const int target = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (target < 0) return io_failure("open", file, errno);
  Status status;
  while (status && !lines.empty()) {
    const ssize_t written = ::write(target, lines.data(), lines.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      status = io_failure("write", file, errno);
    } else {
      lines.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  if (status && ::fdatasync(target) != 0) status = io_failure("sync", file, errno);
  ::close(target);
  return status;
}

}  // namespace

Result<PublishMemory> PublishMemory::load(std::filesystem::path file, std::string zone) {
  PublishMemory memory;
  memory.file_ = std::move(file);
  memory.zone_ = std::move(zone);
  if (memory.file_.empty()) return memory;
  auto text = read_file(memory.file_, kFileMaxBytes);
  if (!text && text.error().code == ErrorCode::not_found) return memory;
  if (!text) return fail(text.error());
  bool good = true;
  std::size_t at = 0;
  for (std::size_t end; good && (end = text->find('\n', at)) != std::string::npos; at = end + 1) {
    const std::string line = text->substr(at, end - at);
    good = memory.lines_ == 0 ? line + '\n' == memory.header() : memory.read_line(line);
    ++memory.lines_;
  }
  memory.rewrite_ = at != text->size() || memory.lines_ == 0;
  if (good) return memory;
  PublishMemory empty;
  empty.file_ = memory.file_;
  empty.zone_ = memory.zone_;
  empty.moved_aside_ = memory.file_.string() + ".bad";
  std::error_code error;
  std::filesystem::rename(memory.file_, empty.moved_aside_, error);
  if (error) return io_failure("rename", memory.file_, error.value());
  return empty;
}

std::string PublishMemory::header() const {
  return text::write_canonical(json::object{{"format", kFormat}, {"zone", zone_}}) + '\n';
}

bool PublishMemory::read_line(const std::string& line) {
  const auto value = text::parse_json(line);
  if (!value) return false;
  try {
    const json::object& fact = value->as_object();
    if (const json::value* path = fact.if_contains("file")) {
      std::vector<RememberedDocument> documents;
      for (const json::value& each : fact.at("documents").as_array()) {
        const json::array& document = each.as_array();
        documents.push_back(
            {static_cast<int>(document.at(4).as_int64()),
             ResourceKey{text_at(document, 0), text_at(document, 1), zone_, text_at(document, 2)},
             hash_from(document.at(3))});
      }
      if (documents.empty()) {
        files_.erase(std::string(path->as_string()));
      } else {
        files_[std::string(path->as_string())] = std::move(documents);
      }
      return true;
    }
    const json::array& name = fact.at("key").as_array();
    const ResourceKey key{text_at(name, 0), text_at(name, 1), zone_, text_at(name, 2)};
    Versions versions;
    for (const json::value& each : fact.at("versions").as_array()) {
      versions.push_back(hash_from(each));
    }
    const json::array& more = fact.at("more").as_array();
    totals_.published += static_cast<std::uint64_t>(more.at(0).as_int64());
    totals_.unchanged += static_cast<std::uint64_t>(more.at(1).as_int64());
    totals_.removed += static_cast<std::uint64_t>(more.at(2).as_int64());
    if (key.type.empty()) return true;  // totals only
    if (versions.empty()) {
      keys_.erase(key);
    } else {
      keys_[key] = std::move(versions);
    }
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

std::string PublishMemory::line_of(const ResourceKey& key, const Versions& versions,
                                   const PublishTotals& more) const {
  json::array hashes;
  for (const Hash128& hash : versions) hashes.emplace_back(to_hex(hash.id));
  return text::write_canonical(json::object{
             {"key", key_json(key)},
             {"versions", std::move(hashes)},
             {"more", json::array{more.published, more.unchanged, more.removed}}}) +
         '\n';
}

std::string PublishMemory::line_of(const std::string& path,
                                   const std::vector<RememberedDocument>& documents) const {
  json::array listed;
  for (const RememberedDocument& document : documents) {
    json::array entry = key_json(document.key);
    entry.emplace_back(to_hex(document.hash.id));
    entry.emplace_back(document.line);
    listed.emplace_back(std::move(entry));
  }
  return text::write_canonical(json::object{{"file", path}, {"documents", std::move(listed)}}) +
         '\n';
}

std::string PublishMemory::whole() const {
  std::string text = header() + line_of(ResourceKey{}, {}, totals_);
  for (const auto& [key, versions] : keys_) text += line_of(key, versions, {});
  for (const auto& [path, documents] : files_) text += line_of(path, documents);
  return text;
}

void PublishMemory::set_versions(const ResourceKey& key, Versions versions,
                                 const PublishTotals& more) {
  waiting_ += line_of(key, versions, more);
  totals_.published += more.published;
  totals_.unchanged += more.unchanged;
  totals_.removed += more.removed;
  if (versions.empty()) {
    keys_.erase(key);
  } else {
    keys_[key] = std::move(versions);
  }
}

void PublishMemory::set_file(const std::string& path, std::vector<RememberedDocument> documents) {
  const auto known = files_.find(path);
  if (documents.empty()) {
    forget_file(path);
  } else if (known == files_.end() || known->second != documents) {
    waiting_ += line_of(path, documents);
    files_[path] = std::move(documents);
  }
}

void PublishMemory::forget_file(const std::string& path) {
  if (files_.erase(path) != 0) waiting_ += line_of(path, {});
}

Status PublishMemory::flush() {
  if (file_.empty()) waiting_.clear();
  if (waiting_.empty()) return {};
  const std::size_t live = keys_.size() + files_.size() + 2;
  const auto more = static_cast<std::size_t>(std::count(waiting_.begin(), waiting_.end(), '\n'));
  if (rewrite_ || lines_ + more > 2 * live + kOutdatedLinesMin) {
    rewrite_ = true;
    if (auto status = replace_file(file_, whole(), true); !status) return status;
    lines_ = live;
  } else {
    if (auto status = append(file_, waiting_); !status) {
      rewrite_ = true;  // the end of the file is unknown now
      return status;
    }
    lines_ += more;
  }
  rewrite_ = false;
  waiting_.clear();
  return {};
}

}  // namespace zonesync::agent

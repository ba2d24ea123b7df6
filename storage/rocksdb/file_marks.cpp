#include "storage/rocksdb/file_marks.hpp"

#include <algorithm>
#include <charconv>
#include <memory>

#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include "storage/byte_codec.hpp"
#include "storage/rocksdb/anchor_file.hpp"
#include "storage/rocksdb/database.hpp"

namespace zonesync::rocksdb_store {
namespace {

constexpr std::string_view kMagic = "ZSMARKS1\n";
constexpr std::size_t kBlock = 64u << 10;
constexpr std::size_t kMarksMaxBytes = 256u << 10;
constexpr std::size_t kNameMaxBytes = 64;

std::string marks_path(const std::string& store) { return store + "/file.marks"; }

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// The number of "000123.log"; nothing for any other name.
std::optional<std::uint64_t> log_number(std::string_view name) {
  constexpr std::string_view kSuffix = ".log";
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool whole = error == std::errc() && end == name.data() + name.size();
  return whole ? std::optional(number) : std::nullopt;
}

/// Reads on behind what `hash` has seen, up to `bytes` in all, or as far as the file goes.
rocksdb::Status read_on(rocksdb::Env& env, const std::string& path, std::uint64_t bytes,
                        PrefixHash& hash) {
  std::unique_ptr<rocksdb::RandomAccessFile> file;
  auto status = env.NewRandomAccessFile(path, &file, rocksdb::EnvOptions());
  std::string buffer(kBlock, '\0');
  while (status.ok() && hash.bytes() < bytes) {
    rocksdb::Slice read;
    const auto wanted = std::min<std::uint64_t>(kBlock, bytes - hash.bytes());
    status = file->Read(hash.bytes(), static_cast<std::size_t>(wanted), &read, buffer.data());
    if (!status.ok() || read.empty()) break;
    hash.add({read.data(), read.size()});
  }
  return status;
}

/// Nothing when the file is not there.
Result<std::optional<FileMark>> mark_of(rocksdb::Env& env, const std::string& store,
                                        const std::string& name, std::uint64_t bytes) {
  const std::string path = store + "/" + name;
  if (env.FileExists(path).IsNotFound()) return std::nullopt;
  PrefixHash hash;
  if (const auto status = read_on(env, path, bytes, hash); !status.ok()) {
    return fail(to_error(status, "reading a file of the store", path));
  }
  return FileMark{name, hash.bytes(), hash.value()};
}

/// The MANIFEST that CURRENT names; empty when RocksDB will find that out better.
std::string current_manifest(rocksdb::Env& env, const std::string& store) {
  std::string text;
  const auto status = rocksdb::ReadFileToString(&env, store + "/CURRENT", &text);
  if (!status.ok() || !text.ends_with('\n') || text.size() > kNameMaxBytes) return {};
  text.pop_back();
  return text.find('/') == std::string::npos ? text : std::string();
}

Error lost(const std::string& store, const FileMark& mark, std::uint64_t found) {
  const std::string what =
      found < mark.bytes ? "has " + std::to_string(found) + " bytes, but " +
                               std::to_string(mark.bytes) + " were durable"
                         : "is not what was written";
  return Error{ErrorCode::storage_corrupt,
               mark.name + " " + what +
                   ": the store would open without what was written since; nothing was changed. "
                   "Put the right file back, or restore a checkpoint (zonesync-hub store restore)",
               store + "/" + mark.name};
}

/// A log that is there must be what was written: RocksDB would stop at its damage, or take it for a
/// torn end.
Result<MarksCheck> check_logs(rocksdb::Env& env, const std::string& store,
                              const FileMarks& marks) {
  MarksCheck check;
  for (const FileMark& log : marks.logs) {
    auto found = mark_of(env, store, log.name, log.bytes);
    if (!found) return fail(std::move(found.error()));
    if (!*found) {
      check.missing_logs.push_back(log.name);
    } else if (**found != log) {
      return fail(lost(store, log, (*found)->bytes));
    }
  }
  return check;
}

MarksCheck doubt(std::string why) { return MarksCheck{std::move(why), {}}; }

void encode(ByteWriter& out, const std::vector<FileMark>& marks) {
  out.u32(static_cast<std::uint32_t>(marks.size()));
  for (const FileMark& mark : marks) {
    out.text(mark.name);
    out.u64(mark.bytes);
    out.id(mark.hash.id);
  }
}

bool decode(ByteReader& in, std::vector<FileMark>& marks, std::size_t max) {
  const std::uint32_t count = in.u32();
  for (std::uint32_t i = 0; count <= max && in.ok() && i < count; ++i) {
    FileMark& mark = marks.emplace_back();
    mark.name = in.text();
    mark.bytes = in.u64();
    mark.hash.id = in.id();
  }
  return in.ok() && count <= max;
}

Status write_marks(const std::string& store, const FileMarks& marks, rocksdb::Env& env) {
  const auto status = replace_file(env, marks_path(store), encode_marks(marks));
  if (status.ok()) return {};
  return fail(to_error(status, "writing the marks of the store's files", marks_path(store)));
}

}  // namespace

void PrefixHash::add(std::string_view bytes) {
  bytes_ += bytes.size();
  while (!bytes.empty()) {
    const std::size_t taken = std::min(kBlock - pending_.size(), bytes.size());
    pending_.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    if (pending_.size() < kBlock) continue;
    before_ = value();
    pending_.clear();
  }
}

Hash128 PrefixHash::value() const {
  ByteWriter block;
  block.id(before_.id);
  block.raw(pending_);
  return hash_bytes(block.bytes());
}

std::string encode_marks(const FileMarks& marks) {
  ByteWriter out;
  out.raw(kMagic);
  encode(out, marks.manifests);
  encode(out, marks.logs);
  out.id(hash_bytes(out.bytes()).id);
  return out.take();
}

std::optional<FileMarks> decode_marks(std::string_view bytes) {
  constexpr std::size_t kChecksum = sizeof(Id128);
  if (!bytes.starts_with(kMagic) || bytes.size() < kMagic.size() + kChecksum) return std::nullopt;
  const std::string_view content = bytes.substr(0, bytes.size() - kChecksum);
  ByteReader checksum(bytes.substr(content.size()));
  if (Hash128{checksum.id()} != hash_bytes(content)) return std::nullopt;
  ByteReader in(content.substr(kMagic.size()));
  FileMarks marks;
  const bool good = decode(in, marks.manifests, FileMarks::kManifestsMax) &&
                    decode(in, marks.logs, FileMarks::kLogsMax) && in.done();
  return good ? std::optional(std::move(marks)) : std::nullopt;
}

Result<MarksCheck> check_marks(const std::string& store, rocksdb::Env* env) {
  rocksdb::Env& used = env != nullptr ? *env : *rocksdb::Env::Default();
  const std::string manifest = current_manifest(used, store);
  if (manifest.empty()) return MarksCheck();
  if (used.FileExists(store + "/" + manifest).IsNotFound()) {
    return fail(ErrorCode::storage_corrupt,
                "CURRENT names " + manifest + ", which is not here; put the right file back, or "
                "restore a checkpoint (zonesync-hub store restore)", store);
  }
  const std::string path = marks_path(store);
  if (used.FileExists(path).IsNotFound()) return doubt("it has no file.marks");
  std::string bytes;
  std::uint64_t size = 0;
  auto status = used.GetFileSize(path, &size);
  if (status.ok() && size <= kMarksMaxBytes) {
    status = rocksdb::ReadFileToString(&used, path, &bytes);
  }
  if (!status.ok()) return fail(to_error(status, "reading the marks of the store's files", path));
  const auto marks = decode_marks(bytes);
  if (!marks) return doubt("its file.marks is damaged");
  const auto known = std::find_if(marks->manifests.begin(), marks->manifests.end(),
                                  [&](const FileMark& mark) { return mark.name == manifest; });
  if (known == marks->manifests.end()) return doubt("its file.marks does not know " + manifest);
  auto found = mark_of(used, store, manifest, known->bytes);
  if (!found) return fail(std::move(found.error()));
  if (*found && **found != *known) return fail(lost(store, *known, (*found)->bytes));
  return check_logs(used, store, *marks);
}

Status check_missing(const MarksCheck& check, std::uint64_t oldest, const std::string& store) {
  for (const std::string& name : check.missing_logs) {
    if (log_number(name) < oldest) continue;
    return fail(ErrorCode::storage_corrupt,
                name + " is gone, and what was written to it is in no table yet; nothing was "
                "changed. Put the file back, or restore a checkpoint (zonesync-hub store restore)",
                store + "/" + name);
  }
  return {};
}

Status mark_manifest(const std::string& store, rocksdb::Env* env) {
  rocksdb::Env& used = env != nullptr ? *env : *rocksdb::Env::Default();
  const std::string name = current_manifest(used, store);
  auto mark = mark_of(used, store, name, UINT64_MAX);
  if (!mark) return fail(std::move(mark.error()));
  FileMarks marks;
  if (*mark && !name.empty()) marks.manifests.push_back(std::move(**mark));
  return write_marks(store, marks, used);
}

FileMarker::FileMarker(std::string store, rocksdb::Env* env)
    : store_(std::move(store)), env_(env != nullptr ? env : rocksdb::Env::Default()) {
  std::string bytes;
  const auto status = rocksdb::ReadFileToString(env_, marks_path(store_), &bytes);
  if (auto marks = status.ok() ? decode_marks(bytes) : std::nullopt) marks_ = std::move(*marks);
}

void FileMarker::OnFileSyncFinish(const rocksdb::FileOperationInfo& info) {
  const std::string name = file_name(info.path);
  if (!name.starts_with("MANIFEST-") || !info.status.ok()) return;
  const std::lock_guard lock(mutex_);
  manifest_synced(name);
}

void FileMarker::manifest_synced(const std::string& name) {
  if (name != manifest_) {
    std::erase_if(marks_.manifests, [&](const FileMark& mark) { return mark.name == name; });
    if (marks_.manifests.size() == FileMarks::kManifestsMax) {
      marks_.manifests.erase(marks_.manifests.begin());
    }
    marks_.manifests.push_back(FileMark{name, 0, {}});
    manifest_ = name;
    hash_ = {};
  }
  std::uint64_t size = 0;
  const std::string path = store_ + "/" + name;
  auto status = env_->GetFileSize(path, &size);
  if (status.ok()) status = read_on(*env_, path, size, hash_);
  if (!status.ok()) return;  // the mark stays behind, and true
  marks_.manifests.back() = FileMark{name, hash_.bytes(), hash_.value()};
  save();
}

// The write-ahead log has just been exchanged: all but the newest are closed, and synced.
void FileMarker::OnMemTableSealed(const rocksdb::MemTableInfo&) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  if (!env_->GetChildren(store_, &names).ok()) return;
  std::erase_if(names, [](const std::string& name) { return !log_number(name); });
  std::sort(names.begin(), names.end(), [](const std::string& one, const std::string& other) {
    return log_number(one) < log_number(other);
  });
  if (!names.empty()) names.pop_back();
  const FileMarks before = marks_;
  for (const std::string& name : names) {
    const bool known = std::any_of(marks_.logs.begin(), marks_.logs.end(),
                                   [&](const FileMark& mark) { return mark.name == name; });
    if (known || marks_.logs.size() == FileMarks::kLogsMax) continue;
    auto mark = mark_of(*env_, store_, name, UINT64_MAX);
    if (mark && *mark) marks_.logs.push_back(std::move(**mark));
  }
  if (marks_ != before) save();
}

void FileMarker::OnFlushCompleted(rocksdb::DB* db, const rocksdb::FlushJobInfo&) {
  forget_logs(*db);
}

void FileMarker::forget_logs(rocksdb::DB& db) {
  std::uint64_t oldest = 0;
  if (!db.GetIntProperty(rocksdb::DB::Properties::kMinLogNumberToKeep, &oldest)) return;
  const std::lock_guard lock(mutex_);
  const std::size_t forgotten = std::erase_if(
      marks_.logs, [&](const FileMark& mark) { return log_number(mark.name) < oldest; });
  if (forgotten > 0) save();
}

void FileMarker::save() {
  const Status ignored = write_marks(store_, marks_, *env_);
  static_cast<void>(ignored);
}

}  // namespace zonesync::rocksdb_store

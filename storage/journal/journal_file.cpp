#include "storage/journal/journal_file.hpp"

#include <filesystem>
#include <utility>

#include "storage/byte_codec.hpp"

namespace zonesync::journal {
namespace {

constexpr std::uint32_t kFormatVersion = 1;
constexpr std::uint8_t kHeaderType = 0;  // first record of a file
constexpr std::size_t kPieceBytes = 1u << 20;

std::string directory_of(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

}  // namespace

void GroupWriter::add(std::uint8_t type, std::string payload) {
  if (!status_) return;
  if (payload.size() > kRecordMaxBytes) {
    status_ = fail(ErrorCode::too_large, "a journal record is limited to 32 MiB");
    return;
  }
  write_pending(0);
  pending_ = Record{type, std::move(payload)};
}

void GroupWriter::write_pending(std::uint8_t flags) {
  if (!pending_) return;
  buffer_ += encode_record(group_, flags, pending_->type, pending_->payload);
  pending_.reset();
  if (buffer_.size() >= kPieceBytes) flush();
}

void GroupWriter::flush() {
  if (status_) status_ = file_.append(buffer_);
  buffer_.clear();
}

Status GroupWriter::finish() {
  if (status_ && !pending_) {
    return fail(ErrorCode::invalid_argument, "a journal group needs at least one record");
  }
  if (status_) write_pending(kEndOfGroup);
  flush();
  return status_;
}

Error JournalFile::corrupt(const std::string& what, std::uint64_t offset) const {
  return Error{ErrorCode::storage_corrupt,
               what + " at offset " + std::to_string(offset) +
                   "; move the file away to start without it, or restore it",
               options_.path};
}

Status JournalFile::stop(Error error) {
  stopped_ = true;
  error.code = ErrorCode::storage_io;
  return fail(std::move(error));
}

Result<std::unique_ptr<JournalFile>> JournalFile::open(FileSystem& files,
                                                       JournalFileOptions options,
                                                       const Fill& initial,
                                                       const OnGroup& on_group) {
  std::unique_ptr<JournalFile> journal(new JournalFile(files, std::move(options)));
  const std::string& path = journal->options_.path;
  if (const std::string left = path + ".new"; files.exists(left)) {
    if (Status status = files.remove(left); !status) return fail(std::move(status.error()));
  }
  if (!files.exists(path)) {
    if (Status status = journal->rewrite(initial); !status) return fail(std::move(status.error()));
  } else {
    auto file = files.open(path);
    if (!file) return fail(std::move(file.error()));
    journal->file_ = std::move(*file);
  }
  if (Status status = journal->load(on_group); !status) return fail(std::move(status.error()));
  return journal;
}

Result<std::optional<std::pair<RecordHeader, Record>>> JournalFile::read_record(
    std::uint64_t offset) const {
  auto head = file_->read(offset, kRecordHeaderBytes);
  if (!head) return fail(std::move(head.error()));
  const auto header = decode_header(*head);
  if (!header || offset + kRecordHeaderBytes + header->length > file_->size()) return std::nullopt;
  auto bytes = file_->read(offset, kRecordHeaderBytes + header->length);
  if (!bytes) return fail(std::move(bytes.error()));
  if (!verify_record(*header, *bytes)) return std::nullopt;
  return std::pair(*header, Record{header->type, bytes->substr(kRecordHeaderBytes)});
}

Status JournalFile::check_header(const std::vector<Record>& group) const {
  ByteReader in(group.front().payload);
  const std::uint32_t version = in.u32();
  const std::string_view kind = in.text();
  if (group.front().type != kHeaderType || !in.done() || kind != options_.kind) {
    return fail(corrupt("this is not a " + options_.kind + " file: bad header", 0));
  }
  if (version != kFormatVersion) {
    return fail(ErrorCode::unsupported,
                "the file has format " + std::to_string(version) +
                    ", this version of zonesync reads format " + std::to_string(kFormatVersion),
                options_.path);
  }
  return {};
}

Status JournalFile::load(const OnGroup& on_group) {
  size_ = 0;
  next_group_ = 1;
  std::vector<Record> group;
  for (std::uint64_t offset = 0; offset < file_->size();) {
    auto record = read_record(offset);
    if (!record) return fail(std::move(record.error()));
    if (!*record) return cut_tail(offset);
    auto& [header, content] = **record;
    if (header.group != next_group_) return fail(corrupt("a record out of order", offset));
    group.push_back(std::move(content));
    offset += kRecordHeaderBytes + header.length;
    if (header.flags != kEndOfGroup) continue;
    if (next_group_ == 1) {
      if (Status status = check_header(group); !status) return status;
      group.erase(group.begin());
      base_ = offset;
    }
    if (Status status = on_group(group); !status) {
      return fail(corrupt(status.error().message + ", in the records", size_));
    }
    group.clear();
    size_ = offset;
    ++next_group_;
  }
  if (size_ == 0 || !group.empty()) return cut_tail(file_->size());
  return {};
}

Status JournalFile::each_record(const std::function<Status(const Record&)>& visit) const {
  for (std::uint64_t offset = 0; offset < size_;) {
    auto record = read_record(offset);
    if (!record) return fail(std::move(record.error()));
    if (!*record) return fail(corrupt("a damaged record", offset));
    const auto& [header, content] = **record;
    if (content.type != kHeaderType) {
      if (Status status = visit(content); !status) return status;
    }
    offset += kRecordHeaderBytes + header.length;
  }
  return {};
}

// A damaged record with a later group behind it was durable once: that is no torn tail.
Status JournalFile::cut_tail(std::uint64_t damaged) {
  if (size_ == 0) return fail(corrupt("the file has no readable beginning: damaged", damaged));
  auto later = later_group_behind(damaged);
  if (!later) return fail(std::move(later.error()));
  if (*later) return fail(corrupt("a damaged record", damaged));
  if (Status status = file_->truncate(size_); !status) return status;
  return file_->sync();
}

Result<bool> JournalFile::later_group_behind(std::uint64_t offset) const {
  const std::uint64_t end = file_->size();
  for (std::uint64_t at = offset; at < end;) {
    auto bytes = file_->read(at, kPieceBytes);
    if (!bytes) return fail(std::move(bytes.error()));
    for (auto found = bytes->find(kRecordMagic); found != std::string::npos;
         found = bytes->find(kRecordMagic, found + 1)) {
      auto record = read_record(at + found);
      if (!record) return fail(std::move(record.error()));
      if (*record && (*record)->first.group > next_group_) return true;
    }
    if (bytes->size() < kPieceBytes) break;
    at += kPieceBytes - kRecordMagic.size() + 1;
  }
  return false;
}

Status JournalFile::append(const Fill& fill) {
  if (stopped_) {
    return fail(ErrorCode::storage_io, "the store stopped after a write error; reopen it",
                options_.path);
  }
  GroupWriter group(*file_, next_group_);
  fill(group);
  if (Status status = group.finish(); !status) {
    const bool nothing_lost = status.error().code == ErrorCode::resource_exhausted ||
                              status.error().code == ErrorCode::too_large ||
                              status.error().code == ErrorCode::invalid_argument;
    const Status undone = file_->truncate(size_);
    if (!undone || !nothing_lost) return stop(std::move(status.error()));
    return status;
  }
  if (Status status = file_->sync(); !status) return stop(std::move(status.error()));
  size_ = file_->size();
  ++next_group_;
  return {};
}

bool JournalFile::wants_rewrite() const {
  return !stopped_ && size_ >= rewrite_at_ && size_ > 2 * base_ + options_.compact_min_bytes;
}

Status JournalFile::write_new(const std::string& path, const Fill& fill,
                              std::unique_ptr<File>& file) const {
  auto created = files_.create(path);
  if (!created) return fail(std::move(created.error()));
  file = std::move(*created);
  ByteWriter header;
  header.u32(kFormatVersion);
  header.text(options_.kind);
  GroupWriter group(*file, 1);
  group.add(kHeaderType, header.take());
  fill(group);
  if (Status status = group.finish(); !status) return status;
  return file->sync();
}

Status JournalFile::rewrite(const Fill& fill) {
  const std::string path = options_.path + ".new";
  std::unique_ptr<File> file;
  if (Status status = write_new(path, fill, file); !status) {
    const Status ignored = files_.remove(path);  // else the next open does it
    static_cast<void>(ignored);
    rewrite_at_ = size_ + options_.compact_min_bytes;
    return status;
  }
  Status status = files_.rename(path, options_.path);
  if (status) status = files_.sync_directory(directory_of(options_.path));
  if (!status) return stop(std::move(status.error()));
  file_ = std::move(file);
  size_ = file_->size();
  base_ = size_;
  next_group_ = 2;
  rewrite_at_ = 0;
  return {};
}

}  // namespace zonesync::journal

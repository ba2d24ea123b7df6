#include "storage/journal/journal_stage.hpp"

#include <utility>

#include "storage/entry_codec.hpp"
#include "storage/journal/record_fields.hpp"

namespace zonesync::journal {
namespace {

constexpr std::uint8_t kItem = 1;
constexpr std::uint8_t kPlace = 2;  // ends its group

std::string encode(const StagedItem& item) {
  ByteWriter out;
  out.u8(static_cast<std::uint8_t>(item.change.kind));
  out.u64(item.revision.value);
  write_change(out, item.change);
  return out.take();
}

std::optional<StagedItem> decode_item(std::string_view bytes) {
  ByteReader in(bytes);
  StagedItem item;
  const std::uint8_t kind = in.u8();
  item.revision.value = in.u64();
  item.change = read_change(in);
  item.change.kind = static_cast<ChangeKind>(kind);
  if (!in.done() || !is_kind(kind)) return std::nullopt;
  return item;
}

std::string encode(const StagePlace& place) {
  ByteWriter out;
  write_cursor(out, place.at);
  out.u8(place.from ? 1 : 0);
  if (place.from) write_cursor(out, *place.from);
  out.u64(place.changes);
  out.u64(place.floor.value);
  return out.take();
}

std::optional<StagePlace> decode_place(std::string_view bytes) {
  ByteReader in(bytes);
  StagePlace place;
  place.at = read_cursor(in);
  if (in.u8() != 0) place.from = read_cursor(in);
  place.changes = in.u64();
  place.floor.value = in.u64();
  if (!in.done()) return std::nullopt;
  return place;
}

Status unreadable(const char* what) {
  return fail(ErrorCode::storage_corrupt, std::string("an unreadable ") + what);
}

}  // namespace

Result<std::unique_ptr<JournalStage>> JournalStage::open(FileSystem& files,
                                                         JournalFileOptions options) {
  std::unique_ptr<JournalStage> stage(new JournalStage());
  JournalStage* const self = stage.get();
  const auto nothing = [](GroupWriter&) {};
  const auto on_group = [self](const std::vector<Record>& group) {
    return self->load_group(group);
  };
  auto file = JournalFile::open(files, options, nothing, on_group);
  if (!file && (file.error().code == ErrorCode::storage_corrupt ||
                file.error().code == ErrorCode::unsupported)) {
    stage->place_.reset();
    if (Status status = files.remove(options.path); !status) return fail(status.error());
    file = JournalFile::open(files, options, nothing, on_group);
  }
  if (!file) return fail(std::move(file.error()));
  stage->file_ = std::move(*file);
  return stage;
}

Status JournalStage::load_group(const std::vector<Record>& group) {
  if (group.empty()) return {};  // the file's beginning
  const auto place =
      group.back().type == kPlace ? decode_place(group.back().payload) : std::nullopt;
  if (!place) return unreadable("place");
  place_ = *place;
  return {};
}

Status JournalStage::append(const std::vector<StagedItem>& items, const StagePlace& place) {
  Status status = file_->append([&](GroupWriter& group) {
    for (const StagedItem& item : items) group.add(kItem, encode(item));
    group.add(kPlace, encode(place));
  });
  if (status) place_ = place;
  return status;
}

Status JournalStage::each(const std::function<Status(StagedItem)>& visit) const {
  return file_->each_record([&](const Record& record) -> Status {
    if (record.type == kPlace) return {};
    auto item = record.type == kItem ? decode_item(record.payload) : std::nullopt;
    if (!item) return unreadable("staged change");
    return visit(std::move(*item));
  });
}

Status JournalStage::clear() {
  if (!place_) return {};
  Status status = file_->rewrite([](GroupWriter&) {});
  if (status) place_.reset();
  return status;
}

}  // namespace zonesync::journal

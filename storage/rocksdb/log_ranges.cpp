#include "storage/rocksdb/log_ranges.hpp"

#include <utility>

#include "storage/rocksdb/options.hpp"

namespace zonesync::rocksdb_store {
namespace {

std::string_view view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

/// One range from behind a position. Not movable: RocksDB keeps the address of its bounds.
class RangeReader {
 public:
  RangeReader(const Database& database, LogRange range, Position after,
              const std::optional<Revision>& last, const rocksdb::Snapshot* snapshot)
      : options_(read_options(snapshot)),
        end_(last ? log_key(Position{last->next(), 0}, range) : range_end(range)),
        bound_(end_) {
    // A zone's first sync reads the whole log once: it must not push everything else out.
    options_.fill_cache = false;
    if (!end_.empty()) options_.iterate_upper_bound = &bound_;
    it_ = database.iterator(Family::log, options_);
    const std::string from = log_key(after, range);
    it_->Seek(from);
    if (it_->Valid() && view(it_->key()) == from) it_->Next();
    read();
  }
  RangeReader(const RangeReader&) = delete;
  RangeReader& operator=(const RangeReader&) = delete;

  [[nodiscard]] bool valid() const { return it_->Valid(); }
  [[nodiscard]] bool readable() const { return readable_; }
  [[nodiscard]] const LogKey& key() const { return key_; }
  [[nodiscard]] std::string_view value() const { return view(it_->value()); }
  [[nodiscard]] rocksdb::Status status() const { return it_->status(); }
  void next() {
    it_->Next();
    read();
  }

 private:
  void read() {
    if (!it_->Valid()) return;
    const auto parsed = parse_log_key(view(it_->key()));
    readable_ = parsed.has_value();
    if (parsed) key_ = *parsed;
  }

  rocksdb::ReadOptions options_;
  const std::string end_;
  const rocksdb::Slice bound_;
  std::unique_ptr<rocksdb::Iterator> it_;
  LogKey key_;
  bool readable_ = true;
};

}  // namespace

Status visit_entries(
    const Database& database, Ranges ranges, Position after, const std::optional<Revision>& last,
    const rocksdb::Snapshot* snapshot,
    const std::function<bool(const LogKey& key, std::string_view value)>& visit) {
  RangeReader viewed(database, LogRange::viewed, after, last, snapshot);
  std::optional<RangeReader> aside;
  if (ranges == Ranges::both) aside.emplace(database, LogRange::aside, after, last, snapshot);
  const auto alive = [](const RangeReader& reader) { return reader.valid() && reader.readable(); };
  for (;;) {
    RangeReader* next = alive(viewed) ? &viewed : nullptr;
    const bool both = next != nullptr && aside && alive(*aside);
    if (both ? aside->key().position < viewed.key().position : aside && alive(*aside)) {
      next = &*aside;
    }
    // A reader that broke down must not let the other one pass it.
    const bool broken = (!alive(viewed) && (!viewed.readable() || !viewed.status().ok())) ||
                        (aside && !alive(*aside) &&
                         (!aside->readable() || !aside->status().ok()));
    if (next == nullptr || broken) break;
    if (!visit(next->key(), next->value())) return {};
    next->next();
  }
  for (const RangeReader* reader : {&viewed, aside ? &*aside : &viewed}) {
    if (!reader->status().ok()) {
      return fail(to_error(reader->status(), "reading the log", database.path()));
    }
    if (!reader->readable()) {
      return fail(ErrorCode::storage_corrupt,
                  "a key of the log is unreadable; do not write to this store, restore a backup",
                  database.path());
    }
  }
  return {};
}

Result<std::optional<std::string>> get_entry(const Database& database, Position position,
                                             const rocksdb::Snapshot* snapshot) {
  auto value = database.get(Family::log, log_key(position), snapshot);
  if (!value || *value) return value;
  return database.get(Family::log, log_key(position, LogRange::aside), snapshot);
}

Result<AsideMarks> AsideMarks::load(const Database& database) {
  AsideMarks loaded;
  bool readable = true;
  const auto take = [&](std::string_view key, std::string_view value) {
    auto pattern = parse_aside_key(key);
    const auto mark = parse_aside(value);
    readable = pattern && mark;
    if (readable) loaded.marks_.emplace(std::move(*pattern), *mark);
    return readable;
  };
  const std::string prefix(kAsidePrefix);
  Status status = database.visit(Family::meta, prefix, prefix_end(prefix), nullptr, take);
  if (!status) return fail(std::move(status.error()));
  if (!readable) {
    return fail(ErrorCode::storage_corrupt,
                "a mark of the log's second range is unreadable; restore a backup",
                database.path());
  }
  return loaded;
}

LogRange AsideMarks::range_for(const Class& cls, const AsideRule& rule, Revision head,
                               const Database& database, rocksdb::WriteBatch& batch) {
  const bool aside = rule && rule(cls);
  if (!aside && marks_.empty()) return LogRange::viewed;
  const Class pattern = aside_pattern(cls);
  const auto known = marks_.find(pattern);
  if (aside && known == marks_.end()) {
    const AsideMark mark{head, false};
    marks_.emplace(pattern, mark);
    database.put(batch, Family::meta, aside_key(pattern), aside_value(mark));
  } else if (!aside && known != marks_.end() && !known->second.moved) {
    known->second.moved = true;
    database.put(batch, Family::meta, aside_key(pattern), aside_value(known->second));
  }
  return aside ? LogRange::aside : LogRange::viewed;
}

void AsideMarks::erase_previous(const Class& cls, Position previous, const Database& database,
                                rocksdb::WriteBatch& batch) const {
  const auto known = marks_.empty() ? marks_.end() : marks_.find(aside_pattern(cls));
  const bool marked = known != marks_.end();
  const bool old = !marked || previous.revision <= known->second.since;
  if (old || known->second.moved) database.erase(batch, Family::log, log_key(previous));
  if (!old) database.erase(batch, Family::log, log_key(previous, LogRange::aside));
}

bool AsideMarks::holds_viewed(const AsideRule& rule) const {
  for (const auto& [pattern, mark] : marks_) {
    if (!rule || !rule(pattern)) return true;
  }
  return false;
}

}  // namespace zonesync::rocksdb_store

#include "protocol/flowlog/fingerprint_index.hpp"

#include <algorithm>
#include <unordered_map>

#include "protocol/model/scope.hpp"

namespace zonesync {
namespace {

/// A table in the making: the later entry of a key wins.
class Maker {
 public:
  explicit Maker(const FingerprintTable* base) {
    if (base == nullptr) return;
    classes_ = base->classes;
    for (std::uint32_t i = 0; i < classes_.size(); ++i) numbers_.emplace(classes_[i], i);
    live_.reserve(base->entries.size());
    for (const auto& entry : base->entries) live_.emplace(entry.print.key, entry);
  }

  void add(const LogEntry& entry) {
    const std::uint32_t cls = number_of(entry.change.cls);
    const Id128 key = fingerprint(entry.change.key);
    if (entry.change.kind == ChangeKind::upsert) {
      live_.insert_or_assign(
          key, FingerprintTable::Entry{{key, entry.change.hash}, entry.position, cls});
      return;
    }
    // A leave of the old class may stand behind the upsert of the new one (FLOW-06).
    const auto found = live_.find(key);
    if (found != live_.end() && found->second.cls == cls) live_.erase(found);
  }

  [[nodiscard]] std::shared_ptr<const FingerprintTable> finish(Revision at) {
    auto table = std::make_shared<FingerprintTable>();
    table->at = at;
    table->classes = std::move(classes_);
    table->entries.reserve(live_.size());
    for (const auto& [key, entry] : live_) table->entries.push_back(entry);
    std::sort(table->entries.begin(), table->entries.end(),
              [](const auto& a, const auto& b) { return a.print.key < b.print.key; });
    return table;
  }

 private:
  std::uint32_t number_of(const Class& cls) {
    const auto [it, added] =
        numbers_.try_emplace(cls, static_cast<std::uint32_t>(classes_.size()));
    if (added) classes_.push_back(cls);
    return it->second;
  }

  std::vector<Class> classes_;
  std::unordered_map<Class, std::uint32_t> numbers_;
  std::unordered_map<Id128, FingerprintTable::Entry> live_;
};

}  // namespace

Result<std::shared_ptr<const FingerprintTable>> FingerprintIndex::at_head() {
  const std::lock_guard lock(mutex_);
  const LogState state = log_.state();
  if (table_ && table_->at == state.head) return table_;
  // Where leaves are trimmed, the entries since do not tell what is gone.
  if (table_ && table_->at < state.tombstone_floor) table_.reset();
  Maker maker(table_.get());
  Position position = table_ ? Position::end_of(table_->at) : Position::start();
  ScanOptions options;
  options.max_bytes = 1u << 20;
  options.admits = [](const Class& cls) { return cls.type[0] != kSystemTypePrefix; };
  for (;;) {
    auto page = log_.scan(position, options);
    if (!page) return fail(std::move(page.error()));
    if (table_ && page->tombstone_floor > table_->at) {
      table_.reset();  // trimmed while this was reading: once more from the start
      maker = Maker(nullptr);
      position = Position::start();
      continue;
    }
    for (const LogEntry& entry : page->entries) maker.add(entry);
    position = page->next;
    if (page->at_head && (page->at_segment_end || page->entries.empty())) break;
  }
  table_ = maker.finish(position.revision);
  return table_;
}

}  // namespace zonesync

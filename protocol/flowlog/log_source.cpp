#include "protocol/flowlog/log_source.hpp"

#include <algorithm>
#include <mutex>
#include <set>

#include "protocol/core/patch_sender.hpp"
#include "protocol/model/assert.hpp"
#include "protocol/model/defect.hpp"

namespace zonesync {
namespace {

constexpr std::size_t kStateVisitedMax = 20'000;  // keys per page of a list

}  // namespace

/// What the delta of one class costs in memory, about: segments of nothing but what no zone views
/// have no entries, and must not pile up for that.
constexpr std::size_t kDeltaBytes = sizeof(ClassDigests::value_type) + 128;

/// One durable segment in memory. Entries carry no `previous`: flows do not need it; those of the
/// log's second range are not kept: flows do not read them.
struct LogSource::Chunk {
  Revision first;
  Revision last;
  std::vector<LogEntry> entries;
  ClassDigests deltas;        // digest after minus digest before, per touched class
  std::size_t bytes = 0;
};

struct LogSource::Slice {
  std::vector<std::shared_ptr<const Chunk>> chunks;
  Revision head;
  Revision trim_floor;
};

LogSource::LogSource(const ChangeLog& log, std::size_t hot_tail_bytes)
    : log_(log), hot_tail_bytes_(hot_tail_bytes), fingerprints_(log) {
  refresh();
}

LogSource::~LogSource() = default;

void LogSource::refresh() {
  auto digests = log_.digests();
  LogState state = log_.state();
  const Revision viewed_floor = log_.viewed_floor();
  const std::unique_lock lock(mutex_);
  ZS_ASSERT(state.head == digests.head);
  if (state.head != state_.head) {
    packed_.clear();
    chunks_.clear();
    chunk_bytes_ = 0;
    viewed_head_.store(state.head.value, std::memory_order_release);
  }
  viewed_floor_ = viewed_floor;
  state_ = std::move(state);
  digests_ = std::move(digests.digests);
  head_.store(state_.head.value, std::memory_order_release);
}

void LogSource::on_appended(const Segment& segment) {
  ZS_ASSERT(!segment.transactions.empty());
  auto chunk = std::make_shared<Chunk>();
  chunk->first = segment.transactions.front().revision;
  chunk->last = segment.transactions.back().revision;
  chunk->bytes = sizeof(Chunk);
  Revision viewed;
  for (const Transaction& transaction : segment.transactions) {
    std::uint32_t index = 0;
    for (const Change& change : transaction.changes) {
      const Position position{transaction.revision, index++};
      if (chunk->deltas.try_emplace(change.cls).second) chunk->bytes += kDeltaBytes;
      if (log_.is_aside(change.cls)) continue;
      viewed = transaction.revision;
      chunk->bytes += change.payload.size() + sizeof(LogEntry);
      chunk->entries.push_back({position, change, std::nullopt});
    }
  }
  auto digests = log_.digests();
  LogState state = log_.state();
  const Revision viewed_floor = log_.viewed_floor();
  ZS_ASSERT(state.head == chunk->last && digests.head == chunk->last);

  const std::unique_lock lock(mutex_);
  viewed_floor_ = viewed_floor;
  for (auto& [cls, delta] : chunk->deltas) {
    if (const auto after = digests.digests.find(cls); after != digests.digests.end()) {
      delta += after->second;
    }
    if (const auto before = digests_.find(cls); before != digests_.end()) {
      delta -= before->second;
    }
  }
  state_ = std::move(state);
  digests_ = std::move(digests.digests);
  chunk_bytes_ += chunk->bytes;
  chunks_.push_back(std::move(chunk));
  while (chunks_.size() > 1 && chunk_bytes_ > hot_tail_bytes_) {
    chunk_bytes_ -= chunks_.front()->bytes;
    chunks_.pop_front();
  }
  head_.store(state_.head.value, std::memory_order_release);
  if (viewed > Revision{0}) viewed_head_.store(viewed.value, std::memory_order_release);
}

LogState LogSource::state() const {
  const std::shared_lock lock(mutex_);
  LogState state = state_;
  // Flows read no class of the second range: what went there is nothing to them.
  state.trim_floor = viewed_floor_;
  state.tombstone_floor = std::min(state.tombstone_floor, viewed_floor_);
  return state;
}

Revision LogSource::head() const { return Revision{head_.load(std::memory_order_acquire)}; }

Revision LogSource::viewed_head() const {
  return Revision{viewed_head_.load(std::memory_order_acquire)};
}

std::optional<LogSource::Slice> LogSource::slice(Position after) const {
  const std::shared_lock lock(mutex_);
  Slice slice;
  slice.head = state_.head;
  slice.trim_floor = viewed_floor_;
  if (after >= Position::end_of(state_.head)) return slice;
  if (chunks_.empty() || after < Position::end_of(Revision{chunks_.front()->first.value - 1})) {
    return std::nullopt;
  }
  const auto begin = std::partition_point(
      chunks_.begin(), chunks_.end(),
      [&](const auto& chunk) { return Position::end_of(chunk->last) <= after; });
  slice.chunks.assign(begin, chunks_.end());
  if (ZONESYNC_DEFECT(26) && slice.chunks.size() > 20) slice.chunks.erase(slice.chunks.begin());
  return slice;
}

Result<ScanPage> LogSource::scan(Position after, const View& view, std::size_t max_bytes) const {
  return scan_classes(after, [&view](const Class& cls) { return view.admits(cls); }, max_bytes);
}

Result<ScanPage> LogSource::scan_classes(Position after, const ClassFilter& wanted,
                                         std::size_t max_bytes) const {
  auto found = slice(after);
  if (!found) {
    PROBE(scan_left_hot_tail);
    ScanOptions options;
    options.max_bytes = max_bytes;
    options.admits = wanted;
    options.viewed_only = true;  // flows send what a view admits
    return log_.scan(after, options);
  }
  ScanPage page;
  page.trim_floor = found->trim_floor;
  page.next = after;
  page.at_head = found->chunks.empty();
  page.at_segment_end = found->chunks.empty();
  std::size_t bytes = 0;
  std::size_t kept = 0;            // entries up to the last segment end
  for (const auto& chunk : found->chunks) {
    const auto begin = std::partition_point(
        chunk->entries.begin(), chunk->entries.end(),
        [&](const LogEntry& entry) { return entry.position <= after; });
    for (auto entry = begin; entry != chunk->entries.end(); ++entry) {
      if (!wanted(entry->change.cls)) continue;
      if (ZONESYNC_DEFECT(24) && !page.entries.empty() && entry->change.kind == ChangeKind::leave) {
        continue;
      }
      if (!page.entries.empty() && bytes + entry->change.payload.size() > max_bytes) {
        if (page.at_segment_end) {
          page.entries.resize(kept);
        } else {
          page.next = page.entries.back().position;
        }
        return page;
      }
      bytes += entry->change.payload.size();
      page.entries.push_back(*entry);
    }
    page.next = Position::end_of(chunk->last);
    page.at_segment_end = true;
    page.at_head = chunk->last == found->head;
    kept = page.entries.size();
  }
  return page;
}

std::vector<Class> LogSource::classes_now(const ClassFilter& wanted) const {
  const std::shared_lock lock(mutex_);
  std::vector<Class> found;
  for (const auto& [cls, digest] : digests_) {
    if (digest.count > 0 && wanted(cls)) found.push_back(cls);
  }
  return found;
}

std::optional<std::vector<Class>> LogSource::classes_between(Revision base, Position until,
                                                             const ClassFilter& wanted) const {
  const std::shared_lock lock(mutex_);
  if (base > state_.head) return std::nullopt;
  const bool reaches = base == state_.head ||
                       (!chunks_.empty() && base.next() >= chunks_.front()->first);
  if (!reaches) return std::nullopt;
  ClassDigests then;  // counts at `base`
  for (const auto& [cls, digest] : digests_) {
    if (wanted(cls)) then.emplace(cls, digest);
  }
  std::set<Class> found;
  for (auto chunk = chunks_.rbegin(); chunk != chunks_.rend(); ++chunk) {
    if ((*chunk)->last <= base) break;
    for (const auto& [cls, delta] : (*chunk)->deltas) {
      if (wanted(cls)) then[cls] -= delta;
    }
    for (const LogEntry& entry : (*chunk)->entries) {
      if (entry.position > until) break;
      if (wanted(entry.change.cls)) found.insert(entry.change.cls);
    }
  }
  for (const auto& [cls, digest] : then) {
    if (digest.count > 0) found.insert(cls);
  }
  return std::vector<Class>(found.begin(), found.end());
}

std::shared_ptr<const Frames> LogSource::compressed(const LogEntry& entry) const {
  return packed_.frames(entry.position, [&] { return make_frames(entry.change); });
}

std::shared_ptr<const std::string> LogSource::patch(const LogEntry& entry) const {
  const auto make = [&]() -> std::shared_ptr<const std::string> {
    const auto base = predecessor(entry);
    return base ? make_patch_payload(base->change, entry.change) : nullptr;
  };
  return packed_.patch(entry.position, make);
}

std::optional<LogEntry> LogSource::predecessor(const LogEntry& entry) const {
  std::optional<Previous> previous = entry.previous;
  if (!previous) {  // entries of the hot tail do not carry it
    auto stored = log_.read(entry.position);
    if (stored) previous = stored->previous;
  }
  if (!previous || previous->kind != ChangeKind::upsert) return std::nullopt;
  auto base = log_.read(previous->position);
  if (!base || base->change.hash != previous->hash) return std::nullopt;
  return std::move(*base);
}

SharedBytes LogSource::version(const ResourceKey& key, const Hash128& hash) const {
  const auto latest = log_.latest(key);
  const bool same = latest && *latest && (*latest)->kind == ChangeKind::upsert &&
                    (*latest)->hash == hash;
  if (!same) return {};
  auto entry = log_.read((*latest)->position);
  return entry && entry->change.hash == hash ? entry->change.payload : SharedBytes();
}

template <typename Visit>
bool LogSource::digests_at(Revision revision, const View& view, Visit visit) const {
  if (revision > state_.head) return false;
  const bool reaches = revision == state_.head ||
                       (!chunks_.empty() && revision.next() >= chunks_.front()->first);
  if (!reaches) {
    PROBE(digest_out_of_reach);
    return false;
  }
  for (const auto& [cls, digest] : digests_) {
    if (view.admits(cls)) visit(cls, digest, true);
  }
  for (auto chunk = chunks_.rbegin(); chunk != chunks_.rend(); ++chunk) {
    if ((*chunk)->last <= revision) break;
    if ((*chunk)->first <= revision) return false;  // inside a segment: not a boundary
    for (const auto& [cls, delta] : (*chunk)->deltas) {
      if (view.admits(cls) && !ZONESYNC_DEFECT(25)) visit(cls, delta, false);
    }
  }
  return true;
}

std::optional<Digest> LogSource::digest_at(Revision revision, const View& view) const {
  const std::shared_lock lock(mutex_);
  Digest sum;
  const bool known = digests_at(revision, view, [&](const Class&, const Digest& digest, bool add) {
    if (add) sum += digest;
    else sum -= digest;
  });
  if (!known) return std::nullopt;
  return sum;
}

std::optional<std::map<std::string, Digest>> LogSource::type_digests_at(Revision revision,
                                                                        const View& view) const {
  const std::shared_lock lock(mutex_);
  std::map<std::string, Digest> types;
  const bool known =
      digests_at(revision, view, [&](const Class& cls, const Digest& digest, bool add) {
        Digest& sum = types[cls.type];
        if (add) sum += digest;
        else sum -= digest;
      });
  if (!known) return std::nullopt;
  std::erase_if(types, [](const auto& type) { return type.second == Digest{}; });
  return types;
}

Result<StatePage> LogSource::state_at(Revision revision, const std::string& type,
                                      const std::optional<ResourceKey>& after, const View& view,
                                      std::size_t max_bytes) const {
  ListFilter filter;
  filter.type = type;
  filter.at = revision;
  filter.admits = [&view](const Class& cls) { return view.admits(cls); };
  filter.max_bytes = max_bytes;
  filter.max_visited = kStateVisitedMax;
  auto list = log_.list(filter, after, kStateVisitedMax);
  StatePage page;
  // Floors rise before anything goes: what was read under a floor at or below it is whole.
  page.forgotten = log_.trim_floor_of(type) > revision;
  if (page.forgotten) return page;
  if (!list) return fail(std::move(list.error()));
  page.entries = std::move(list->entries);
  page.next = std::move(list->next);
  return page;
}

}  // namespace zonesync

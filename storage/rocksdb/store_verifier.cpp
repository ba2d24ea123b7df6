#include "storage/rocksdb/store_verifier.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "storage/entry_codec.hpp"
#include "storage/log_rules.hpp"
#include "storage/rocksdb/digest_total.hpp"
#include "storage/rocksdb/key_codec.hpp"
#include "storage/rocksdb/log_ranges.hpp"

namespace zonesync::rocksdb_store {
namespace {

std::string at(Position position) {
  return " (revision " + std::to_string(position.revision.value) + ", index " +
         std::to_string(position.index) + ")";
}

}  // namespace

std::size_t StoreVerifier::IdHash::operator()(const Id128& id) const {
  std::size_t value = 0;
  std::memcpy(&value, id.bytes.data(), sizeof(value));
  return value;
}

void StoreVerifier::problem(std::string text) {
  ++report_.problems;
  if (report_.texts.size() < VerifyReport::kTextsMax) report_.texts.push_back(std::move(text));
}

void StoreVerifier::take_status(const Status& status) {
  if (!status) problem(describe(status.error()));
}

Status StoreVerifier::run() {
  take_status(database_.verify_checksums());
  load_segments();
  walk_log();
  walk_latest();
  check_digests();
  check_anchor();
  return {};
}

void StoreVerifier::load_segments() {
  const auto take = [&](std::string_view key, std::string_view value) {
    const auto number = parse_number(key, kSegmentPrefix);
    if (!number) {
      problem("a segment end is unreadable");
    } else {
      segments_.push_back(Segment{Revision{*number}, parse_chain(value)});
    }
    return true;
  };
  take_status(database_.visit(Family::meta, kSegmentPrefix,
                              prefix_end(std::string(kSegmentPrefix)), nullptr, take));
  report_.segments = segments_.size();
  const Revision last = segments_.empty() ? Revision{} : segments_.back().end;
  if (last != info_.state.head) {
    problem("the last segment ends at revision " + std::to_string(last.value) +
            ", the head is " + std::to_string(info_.state.head.value));
  }
}

// Segments that lie wholly above the floor are complete: their running hash is computed again.
void StoreVerifier::walk_log() {
  std::size_t segment = 0;
  Position last = Position::start();
  std::optional<log_rules::Chain> chain;
  const auto begin_segment = [&] {
    chain.reset();
    if (segment >= segments_.size() || !segments_[segment].chain) return;
    const bool first = segment == 0;
    const Revision start = first ? Revision{} : segments_[segment - 1].end;
    const auto before = first ? std::optional<Hash128>(Hash128{}) : segments_[segment - 1].chain;
    const bool whole = start >= info_.state.trim_floor && before;
    if (whole) chain.emplace(*before, segments_[segment].end);
  };
  const auto end_segment = [&] {
    if (chain) {
      ++report_.chained_segments;
      if (chain->end() != *segments_[segment].chain) {
        problem("the entries of the segment that ends at revision " +
                std::to_string(segments_[segment].end.value) + " are not those that were written");
      }
    }
    ++segment;
    begin_segment();
  };
  begin_segment();
  const auto take = [&](const LogKey& key, std::string_view value) {
    const Position position = key.position;
    while (segment < segments_.size() && segments_[segment].end < position.revision) end_segment();
    const auto view = decode_stored_entry(value);
    if (chain) chain->add(position, view ? chained_part(value, *view) : value);
    if (position <= last) problem("an entry stands in the log twice" + at(position));
    last = position;
    ++report_.entries;
    if (key.range == LogRange::aside) ++report_.aside;
    check_entry(position, view);
    return true;
  };
  take_status(visit_entries(database_, Ranges::both, Position::start(), std::nullopt, nullptr,
                            take));
  while (segment < segments_.size()) end_segment();
}

void StoreVerifier::check_entry(Position position, const std::optional<EntryView>& view) {
  if (!view) return problem("an entry is unreadable" + at(position));
  if (position.revision > info_.state.head) problem("an entry lies beyond the head" + at(position));
  LogEntry entry = view->entry(position);
  const Id128 slot =
      hash_bytes(latest_key(log_rules::slot_of(entry.change.cls, entry.change.key))).id;
  check_previous(entry, slot);
  Newest newest{Previous{position, entry.change.kind, entry.change.hash}, entry.change.hash};
  if (view->sealed) {
    ++report_.sealed;
    newest.hash.reset();
    if (seals_.keys() == nullptr) {
      ++report_.unopened;
    } else if (const auto opened = seals_.decode(*view, position); opened) {
      newest.hash = opened->change.hash;
    } else {
      problem(describe(opened.error()));
    }
  }
  newest_[slot] = std::move(newest);
}

// Trimming takes the oldest of a chain, so that what is still there is linked without a gap.
void StoreVerifier::check_previous(const LogEntry& entry, const Id128& slot) {
  const auto seen = newest_.find(slot);
  if (seen != newest_.end()) {
    if (entry.previous != seen->second.shown) {
      problem("an entry does not name what it replaced" + at(entry.position));
    }
  } else if (entry.previous &&
             entry.position.revision > info_.floors.floor_of(entry.change.key.type)) {
    problem("the predecessor of an entry above its trim floor is missing" + at(entry.position));
  }
}

void StoreVerifier::walk_latest() {
  const auto take = [&](std::string_view key, std::string_view value) {
    ++report_.newest;
    const auto latest = parse_latest(key, value);
    if (!latest) {
      problem("an entry of the resource index is unreadable");
      return true;
    }
    const auto found = newest_.find(hash_bytes(key).id);
    const Previous stored{latest->position, latest->kind, latest->hash};
    if (found == newest_.end() || found->second.shown != stored) {
      problem("the resource index and the log disagree about " + to_string(latest->key) +
              at(latest->position));
    }
    if (latest->kind == ChangeKind::upsert) {
      const bool known = found != newest_.end() && found->second.hash;
      digests_[latest->cls].add(fingerprint(latest->key),
                                known ? *found->second.hash : latest->hash);
      if (!known) unknown_.insert(latest->cls);
    }
    return true;
  };
  take_status(database_.visit(Family::latest, {}, {}, nullptr, take));
  if (report_.newest != newest_.size()) {
    problem("the resource index holds " + std::to_string(report_.newest) + " entries, the log " +
            std::to_string(newest_.size()));
  }
}

void StoreVerifier::check_digests() {
  std::size_t stored = 0;
  DigestTotal total;
  const auto take = [&](std::string_view key, std::string_view value) {
    ++stored;
    total.add(key, value);
    const auto cls = parse_digest_key(key);
    if (cls && unknown_.contains(*cls)) return true;
    const Result<Digest> digest =
        cls ? seals_.decode_digest(*cls, value) : fail(ErrorCode::storage_corrupt, "unreadable");
    const auto found = cls ? digests_.find(*cls) : digests_.end();
    if (!cls || !digest || found == digests_.end() || found->second != *digest) {
      problem("the digest of a class" + (cls ? " of type " + cls->type : "") +
              " is not that of its resources");
    }
    return true;
  };
  take_status(database_.visit(Family::meta, kDigestPrefix, prefix_end(std::string(kDigestPrefix)),
                              nullptr, take));
  if (stored != digests_.size()) problem("the number of class digests is wrong");
  const auto known = database_.get(Family::meta, kDigestTotalKey, nullptr);
  if (!known) return take_status(fail(known.error()));
  if (*known && **known != total.value()) {
    problem("the digests of some classes are older than the log's head: a part of the log is lost");
  }
}

void StoreVerifier::check_anchor() {
  if (!info_.anchor) return;
  const auto found =
      std::find_if(segments_.begin(), segments_.end(),
                   [&](const Segment& segment) { return segment.end == info_.anchor->head; });
  const auto lineage = judge_lineage(*info_.anchor, info_.state,
                                     found == segments_.end() ? std::nullopt : found->chain);
  if (lineage != Lineage::follows) {
    const LossRecord loss{lineage, info_.state.head, info_.anchor->head};
    problem("the log does not follow its lineage anchor: " +
            (lineage == Lineage::other_log ? "it is another log" : to_text(loss)) +
            ". Put the right files back or restore a checkpoint; a start goes on without what is "
            "lost, as a partial log in a new era");
  }
}

}  // namespace zonesync::rocksdb_store

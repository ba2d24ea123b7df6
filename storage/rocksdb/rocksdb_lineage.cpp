// The lineage anchor and the ballast of RocksDbChangeLog.
#include <algorithm>
#include <utility>

#include "storage/rocksdb/anchor_file.hpp"
#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/key_codec.hpp"
#include "storage/rocksdb/rocksdb_change_log.hpp"
#include "storage/rocksdb/store_lock.hpp"

namespace zonesync {

using namespace rocksdb_store;

namespace {

constexpr std::uint64_t kAnchorSegments = 1'000;
constexpr auto kAnchorInterval = std::chrono::seconds(1);

}  // namespace

Status RocksDbChangeLog::check_lineage(const std::optional<LineageAnchor>& anchor) {
  const auto chain_at = [this](Revision revision) -> Result<std::optional<Hash128>> {
    auto value =
        database_->get(Family::meta, numbered_key(kSegmentPrefix, revision.value), nullptr);
    if (!value) return fail(std::move(value.error()));
    return *value ? parse_chain(**value) : std::nullopt;
  };
  auto head_chain = chain_at(state_.head);
  if (!head_chain) return fail(std::move(head_chain.error()));
  chain_ = head_chain->value_or(Hash128{});
  report_.found_head = state_.head;
  report_.anchored = anchor.has_value();
  if (!anchor && !report_.created) {
    report_.add("there was no lineage anchor (" + anchor_path(database_->path()) +
                "): a log that lost its end, or an older copy, was not noticed by this start; the "
                "anchor is made now");
  }
  if (!anchor) return {};
  report_.anchor_head = anchor->head;
  auto known = chain_at(anchor->head);
  if (!known) return fail(std::move(known.error()));
  report_.lineage = judge_lineage(*anchor, state_, *known);
  if (report_.lineage == Lineage::other_log) {
    return fail(ErrorCode::storage_corrupt,
                "this is another log than the one that was here before (" +
                    anchor_path(database_->path()) +
                    "); put the right one back, or, if this one is wanted, move that file away",
                database_->path());
  }
  if (report_.lineage == Lineage::rewound) {
    report_.lost_revisions = anchor->head.value - state_.head.value;
  }
  if (report_.lineage != Lineage::follows) {
    report_.add(to_text({report_.lineage, report_.found_head, report_.anchor_head}) +
                "; a new era begins here, the log is partial until it is declared complete, and "
                "zones that know more are repaired");
  }
  return {};
}

Status RocksDbChangeLog::recall_restore() {
  auto value = database_->get(Family::meta, kRestoredKey, nullptr);
  if (!value) return fail(std::move(value.error()));
  if (!*value) return {};
  report_.restored = parse_restored(**value);
  return report_.restored ? Status() : fail(corrupt("the record of a restore is unreadable"));
}

// Once said is soon forgotten: every start says it again until somebody has answered it.
Status RocksDbChangeLog::recall_loss() {
  auto value = database_->get(Family::meta, kLossKey, nullptr);
  if (!value) return fail(std::move(value.error()));
  if (!*value || report_.lineage != Lineage::follows) return {};
  const auto loss = parse_loss(**value);
  if (!loss) return fail(corrupt("the record of a loss is unreadable"));
  report_.add("found at an earlier start: " + to_text(*loss) +
              "; the log is partial until it is declared complete (zonesync-hub store complete)");
  return {};
}

Status RocksDbChangeLog::write_anchor() {
  anchored_at_ = std::chrono::steady_clock::now();  // also after a failure: no storm of attempts
  segments_since_anchor_ = 0;
  const LineageAnchor anchor{state_.log_id, state_.head, state_.current_era(), chain_};
  Status status = rocksdb_store::write_anchor(database_->path(), anchor, options_.env);
  if (status) anchored_head_ = state_.head;
  return status;
}

// A failure leaves the old anchor, which is still true: it may cost precision, never a wrong alarm.
void RocksDbChangeLog::write_anchor_if_due() {
  if (segments_since_anchor_ == 0) return;
  const bool old = std::chrono::steady_clock::now() - anchored_at_ >= kAnchorInterval;
  if (segments_since_anchor_ < kAnchorSegments && !old) return;
  const Status ignored = write_anchor();
  static_cast<void>(ignored);
}

void RocksDbChangeLog::housekeep() {
  if (stopped_) return;
  if (database_->starved()) {
    const Status ignored = check_space(0, Writer::hub);  // space may be back
    static_cast<void>(ignored);
  }
  write_anchor_if_due();
  if (resealing_) {
    const Status status = reseal_step();
    resealing_waits_ = !status && status.error().code == ErrorCode::resource_exhausted;
    if (!status && !resealing_waits_) resealing_ = false;  // again after a restart
  }
  ballast_waits_ = false;
  if (options_.ballast_bytes == 0 || has_ballast(database_->path(), options_.env)) return;
  const auto free = database_->free_bytes();
  ballast_waits_ =
      (free && *free < ballast_needs()) ||
      !make_ballast(database_->path(), options_.ballast_bytes, options_.env);
}

}  // namespace zonesync

#include "protocol/core/repair_sender.hpp"

#include <algorithm>

#include "protocol/wire/codec.hpp"

namespace zonesync {

Status RepairSender::on_buckets(const wire::Buckets& buckets) {
  if (step_ != Step::buckets) return fail(ErrorCode::protocol, "Buckets a second time", "REP-02");
  auto table = source_.fingerprints();
  if (!table) return fail(std::move(table.error()));
  table_ = std::move(*table);
  for (const Class& cls : table_->classes) admitted_.push_back(view_.admits(cls));
  BucketSums own(buckets.bits);
  for (const auto& entry : table_->entries) {
    if (admitted_[entry.cls]) own.add(entry.print);
  }
  bits_ = buckets.bits;
  to_send_.emplace();
  for (std::size_t bucket = 0; bucket < own.sums().size(); ++bucket) {
    differs_.push_back(own.sums()[bucket] != buckets.sums[bucket]);
    if (differs_.back()) to_send_->buckets.push_back(static_cast<std::uint16_t>(bucket));
  }
  step_ = Step::prints;
  if (to_send_->buckets.empty()) finish();
  return {};
}

/// Own entries before `end` (nullptr = all) that the receiver did not print.
void RepairSender::own_until(const Id128* end) {
  for (; next_own_ < table_->entries.size(); ++next_own_) {
    const auto& entry = table_->entries[next_own_];
    if (end != nullptr && entry.print.key >= *end) return;
    if (admitted_[entry.cls] && differs_[bucket_of(entry.print.key, bits_)]) {
      lacking_.push_back(entry.position);
    }
  }
}

Status RepairSender::on_prints(const wire::Prints& prints) {
  if (step_ != Step::prints) {
    return fail(ErrorCode::protocol, "Prints that were not asked for", "REP-04");
  }
  prints_ += prints.records.size();
  if (prints_ > limits::kRepairPrintsMax) {
    return fail(ErrorCode::too_large,
                "a repair compares at most " + std::to_string(limits::kRepairPrintsMax) +
                    " resources; ask for full",
                "REP-04");
  }
  for (const Print& print : prints.records) {
    if ((last_print_ && *last_print_ >= print.key) || !differs_[bucket_of(print.key, bits_)]) {
      return fail(ErrorCode::protocol, "Prints out of order or of a bucket that is equal",
                  "REP-04");
    }
    last_print_ = print.key;
    own_until(&print.key);
    const bool here = next_own_ < table_->entries.size() &&
                      table_->entries[next_own_].print.key == print.key &&
                      admitted_[table_->entries[next_own_].cls];
    if (!here) {
      removes_.push_back(print.key);
      continue;
    }
    const auto& own = table_->entries[next_own_++];
    if (own.print.hash != print.hash) lacking_.push_back(own.position);
  }
  if (prints.last) finish();
  return {};
}

void RepairSender::finish() {
  own_until(nullptr);
  std::sort(lacking_.begin(), lacking_.end());
  step_ = Step::compared;
}

void RepairSender::produce(std::string& out) {
  if (!to_send_) return;
  wire::append(out, flow_, *to_send_);
  to_send_.reset();
}

std::vector<Id128> RepairSender::next_removes() {
  const std::size_t count =
      std::min(limits::kRepairPrintsPerPacket, removes_.size() - next_remove_);
  const auto begin = removes_.begin() + static_cast<std::ptrdiff_t>(next_remove_);
  next_remove_ += count;
  return std::vector<Id128>(begin, begin + static_cast<std::ptrdiff_t>(count));
}

Result<ScanPage> RepairSender::next_page(std::size_t max_bytes) {
  ScanPage page;
  std::size_t bytes = 0;
  while (next_lacking_ < lacking_.size() && bytes < max_bytes) {
    auto entry = source_.read(lacking_[next_lacking_++]);
    if (!entry) {
      // Superseded and trimmed meanwhile: its successor lies behind `at()` and is sent from there.
      if (entry.error().code == ErrorCode::not_found) continue;
      return fail(std::move(entry.error()));
    }
    bytes += entry->change.payload.size();
    page.entries.push_back(std::move(*entry));
  }
  done_ = next_lacking_ == lacking_.size();
  page.next = done_ ? Position::end_of(at()) : page.entries.back().position;
  return page;
}

}  // namespace zonesync

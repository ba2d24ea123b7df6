// A stage store in memory: reference implementation, and the simulator's.
//
// It stands for a disk where a test says that it is durable: kept by the test, it survives those
// who use it, and fails when it is told to. Thread rule: as in StageStore.
#pragma once

#include <utility>

#include "storage/stage_store.hpp"

namespace zonesync {

class MemoryStage final : public StageStore {
 public:
  explicit MemoryStage(bool durable = false) : durable_(durable) {}

  [[nodiscard]] std::optional<StagePlace> place() const override { return place_; }
  Status append(const std::vector<StagedItem>& items, const StagePlace& place) override {
    if (append_failure_) return fail(*append_failure_);
    if (next_failure_) return fail(*std::exchange(next_failure_, std::nullopt));
    for (const StagedItem& item : items) bytes_ += item.change.payload.size();
    items_.insert(items_.end(), items.begin(), items.end());
    place_ = place;
    ++appends_;
    return {};
  }
  [[nodiscard]] Status each(const std::function<Status(StagedItem)>& visit) const override {
    if (damaged_) return fail(ErrorCode::storage_corrupt, "a damaged staged change");
    for (const StagedItem& item : items_) {
      if (Status status = visit(item); !status) return status;
    }
    return {};
  }
  Status clear() override {
    if (clear_failure_) return fail(*clear_failure_);
    items_.clear();
    place_.reset();
    bytes_ = 0;
    damaged_ = false;
    return {};
  }
  [[nodiscard]] std::uint64_t bytes() const override { return bytes_; }
  [[nodiscard]] bool durable() const override { return durable_; }

  /// From here on every append answers with it and adds nothing; nothing = works again.
  void fail_appends(std::optional<Error> error) { append_failure_ = std::move(error); }
  /// The next append only.
  void fail_next(Error error) { next_failure_ = std::move(error); }
  void fail_clears(std::optional<Error> error) { clear_failure_ = std::move(error); }
  /// What is held cannot be read any more.
  void damage() { damaged_ = place_.has_value(); }
  [[nodiscard]] std::size_t appends() const { return appends_; }
  [[nodiscard]] std::size_t items() const { return items_.size(); }

 private:
  bool durable_;
  std::vector<StagedItem> items_;
  std::optional<StagePlace> place_;
  std::optional<Error> append_failure_;
  std::optional<Error> next_failure_;
  std::optional<Error> clear_failure_;
  std::uint64_t bytes_ = 0;
  std::size_t appends_ = 0;
  bool damaged_ = false;
};

}  // namespace zonesync

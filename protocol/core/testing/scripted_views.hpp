// The view of a zone as a test sets it.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "protocol/core/view_change.hpp"

namespace zonesync::testing {

/// Thread rule: one thread.
class ScriptedViews final : public ViewFeed {
 public:
  explicit ScriptedViews(std::shared_ptr<const TypeRegistry> registry)
      : registry_(std::move(registry)) {
    set({});
  }
  /// Empty sets admit everything; `since` = the entry that brought it.
  void set(std::set<std::string> types, std::set<std::string> meshes = {}, Revision since = {}) {
    ViewSpec spec;
    spec.zone = "east";
    spec.types = std::move(types);
    spec.meshes = std::move(meshes);
    views_.emplace_back(spec, registry_);
    since_ = since;
    ++version_;
  }
  /// Only the one in force is known.
  void forget() { views_.erase(views_.begin(), views_.end() - 1); }

  [[nodiscard]] std::uint64_t version() const override { return version_; }
  [[nodiscard]] InForce current() const override { return {version_, views_.back(), since_}; }
  [[nodiscard]] std::optional<View> find(const ViewId& id) const override {
    for (const View& view : views_) {
      if (view.id() == id) return view;
    }
    return std::nullopt;
  }

 private:
  std::shared_ptr<const TypeRegistry> registry_;
  std::vector<View> views_;
  std::uint64_t version_ = 0;
  Revision since_;
};

}  // namespace zonesync::testing

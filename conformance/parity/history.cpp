#include "conformance/parity/history.hpp"

#include <algorithm>
#include <set>

#include "conformance/parity/rng.hpp"
#include "protocol/model/scope.hpp"
#include "protocol/text/json_value.hpp"

namespace zonesync::conform::parity {
namespace {

namespace json = boost::json;

constexpr std::size_t kBatchMax = 5;

void collect(json::value& value, std::vector<json::value*>& leaves) {
  if (value.is_object()) {
    for (auto& member : value.get_object()) collect(member.value(), leaves);
  } else if (value.is_array()) {
    for (json::value& each : value.get_array()) collect(each, leaves);
  } else {
    leaves.push_back(&value);
  }
}

bool same_content(const Resource& a, const Resource& b) {
  return a.spec == b.spec && a.status == b.status && a.labels == b.labels;
}

/// Draws steps; keeps what is present and what was deleted.
class Maker {
 public:
  Maker(const Documents& documents, std::uint64_t seed, std::size_t changes)
      : documents_(documents), rng_(seed), wanted_(changes) {}

  History make() {
    const auto& versions = documents_.versions;
    next_ = versions.size() - std::min(versions.size() / 2, wanted_ / 2);
    for (std::size_t at = 0; at < next_; ++at) put(versions[at]);
    history_.base = present_;
    for (const Resource& each : versions) seen_.insert(each.key);
    history_.keys = seen_.size();
    while (history_.changes < wanted_ && (!keys_.empty() || next_ < versions.size())) step();
    return std::move(history_);
  }

 private:
  void put(const Resource& resource) {
    if (!present_.contains(resource.key)) keys_.push_back(resource.key);
    present_[resource.key] = resource;
  }
  void add(std::string kind, std::vector<ControlOp> ops) {
    Step step;
    step.kind = std::move(kind);
    step.up = ops.front().resource.key.origin != kGlobalOrigin;
    history_.changes += ops.size();
    step.ops = std::move(ops);
    history_.steps.push_back(std::move(step));
  }
  Resource changed(const ResourceKey& key) {
    Resource next = present_.at(key);
    next.spec = with_one_field_changed(next.spec, rng_.next());
    return next;
  }

  void step() {
    const std::size_t left = documents_.versions.size() - next_;
    const bool must = left >= wanted_ - history_.changes;
    if (left > 0 && (must || keys_.empty() || rng_.chance(50))) return document();
    const std::uint64_t draw = rng_.below(100);
    if (draw < 10) return remove();
    if (draw < 25 && !gone_.empty()) return recreate();
    if (draw < 35) return batch();
    const ResourceKey key = keys_[rng_.below(keys_.size())];
    put(changed(key));
    add("update", {{false, present_.at(key)}});
  }
  void document() {
    const Resource& version = documents_.versions[next_++];
    const auto old = present_.find(version.key);
    if (old != present_.end() && same_content(old->second, version)) return;
    std::erase_if(gone_, [&](const Resource& each) { return each.key == version.key; });
    add(old == present_.end() ? "create" : "document", {{false, version}});
    put(version);
  }
  void remove() {
    const std::size_t at = rng_.below(keys_.size());
    const ResourceKey key = keys_[at];
    gone_.push_back(present_.at(key));
    add("delete", {{true, present_.at(key)}});
    present_.erase(key);
    keys_[at] = keys_.back();
    keys_.pop_back();
  }
  void recreate() {
    const std::size_t at = rng_.below(gone_.size());
    const Resource resource = gone_[at];
    gone_.erase(gone_.begin() + static_cast<std::ptrdiff_t>(at));
    put(resource);
    add("recreate", {{false, resource}});
  }
  /// One transaction over several keys of one owner.
  void batch() {
    const std::string owner = keys_[rng_.below(keys_.size())].origin;
    std::set<ResourceKey> chosen;
    const std::size_t most = std::min(kBatchMax, wanted_ - history_.changes);
    for (std::size_t tries = 0; tries < 4 * kBatchMax && chosen.size() < most; ++tries) {
      const ResourceKey& key = keys_[rng_.below(keys_.size())];
      if (key.origin == owner) chosen.insert(key);
    }
    if (chosen.empty()) return;
    std::vector<ControlOp> ops;
    for (const ResourceKey& key : chosen) {
      put(changed(key));
      ops.push_back({false, present_.at(key)});
    }
    add(ops.size() == 1 ? "update" : "batch", std::move(ops));
  }

  const Documents& documents_;
  Rng rng_;
  std::size_t wanted_;
  History history_;
  std::size_t next_ = 0;               // document
  State present_;
  std::vector<ResourceKey> keys_;      // of what is present, in the order of the draws
  std::vector<Resource> gone_;
  std::set<ResourceKey> seen_;
};

/// No zone but its own side sees it.
bool stays_home(const TypeRegistry& types, const Resource& resource) {
  const auto cls = class_of(types, resource);
  return !cls || cls->tag == kHomeTag;
}

}  // namespace

std::string with_one_field_changed(const std::string& spec, std::uint64_t draw) {
  Rng rng(draw);
  auto value = text::parse_json(spec);
  if (!value) return spec;
  std::vector<json::value*> leaves;
  collect(*value, leaves);
  if (leaves.empty()) {
    if (!value->is_object()) return spec;
    value->get_object()["changed"] = word(rng, 8);
    return text::write_canonical(*value);
  }
  json::value& leaf = *leaves[rng.below(leaves.size())];
  if (leaf.is_bool()) {
    leaf = !leaf.get_bool();
  } else if (leaf.is_number()) {
    const std::uint64_t other = rng.below(100'000);
    leaf = leaf == json::value(other) ? other + 1 : other;
  } else {
    leaf = word(rng, 8);
  }
  return text::write_canonical(*value);
}

History make_history(const Documents& documents, std::uint64_t seed, std::size_t changes) {
  return Maker(documents, seed, changes).make();
}

void play(const Step& step, State& state) {
  for (const ControlOp& op : step.ops) {
    if (op.remove) {
      state.erase(op.resource.key);
    } else {
      state[op.resource.key] = op.resource;
    }
  }
}

State zone_view(const State& state, const TypeRegistry& types, const std::string& zone) {
  State seen;
  for (const auto& [key, resource] : state) {
    const TypeInfo* type = types.find(key.type);
    if (type == nullptr || stays_home(types, resource)) continue;
    const bool of_global = key.origin == kGlobalOrigin && type->global_to_zones;
    const bool of_other =
        key.origin != kGlobalOrigin && key.origin != zone && type->synced_across_zones;
    if (of_global || of_other) seen.emplace(key, resource);
  }
  return seen;
}

State hub_view(const State& state, const TypeRegistry& types) {
  State held;
  for (const auto& [key, resource] : state) {
    const TypeInfo* type = types.find(key.type);
    const bool of_global = key.origin == kGlobalOrigin;
    const bool arrives = type != nullptr && type->zone_to_global && !stays_home(types, resource);
    if (of_global || arrives) held.emplace(key, resource);
  }
  return held;
}

}  // namespace zonesync::conform::parity

// Random histories on the hub's log, sealed and not, against a naive model; a failure is shrunk.
#include <map>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>  // after GoogleTest

#include "storage/tests/log_harness.hpp"

namespace zonesync::test {
namespace {

/// One step, from three random bytes: so that shrinking makes shorter and simpler histories.
struct Step {
  std::uint8_t what = 0;
  std::uint8_t name = 0;
  std::uint8_t value = 0;
};
std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << int{step.what} << '/' << int{step.name} << '/' << int{step.value};
}

}  // namespace
}  // namespace zonesync::test

namespace rc {
template <>
struct Arbitrary<zonesync::test::Step> {
  static Gen<zonesync::test::Step> arbitrary() {
    using zonesync::test::Step;
    return gen::build<Step>(gen::set(&Step::what, gen::inRange<std::uint8_t>(0, 12)),
                            gen::set(&Step::name, gen::inRange<std::uint8_t>(0, 6)),
                            gen::set(&Step::value));
  }
};
}  // namespace rc

namespace zonesync::test {
namespace {

/// What a log must answer: every version ever, and where it may have forgotten.
class Model {
 public:
  struct Version {
    Revision revision;
    std::optional<std::string> value;  // nothing = a leave
  };

  void put(const std::string& name, std::optional<std::string> value) {
    versions_[name].push_back({head.next(), std::move(value)});
    head = head.next();
  }
  [[nodiscard]] bool live(const std::string& name) const {
    const auto found = versions_.find(name);
    return found != versions_.end() && found->second.back().value.has_value();
  }

  void compare(const ChangeLog& log) const {
    RC_ASSERT(log.state().head == head);
    std::size_t live_count = 0;
    for (const auto& [name, versions] : versions_) {
      const Version& newest = versions.back();
      const auto latest = log.latest(key(name));
      RC_ASSERT(latest.has_value());
      if (newest.value) {
        ++live_count;
        RC_ASSERT(latest->has_value());
        RC_ASSERT((*latest)->position.revision == newest.revision);
        RC_ASSERT((*latest)->hash == hash_bytes(*newest.value));
        RC_ASSERT(log.read((*latest)->position)->change.payload.view() == *newest.value);
      } else {
        RC_ASSERT(!latest->has_value() || (*latest)->kind == ChangeKind::leave);
        RC_ASSERT(latest->has_value() || newest.revision <= tombstone_floor);
      }
      compare_history(log, name, versions);
    }
    ListFilter filter;
    filter.type = "MeshTimeout";
    RC_ASSERT(log.list(filter, std::nullopt, 1'000)->entries.size() == live_count);
    RC_ASSERT(log.digests().digests == recompute(log));
  }

  Revision head;
  Revision floor;
  Revision tombstone_floor;

 private:
  /// Versions above the floor are all there; what is there is what was written.
  void compare_history(const ChangeLog& log, const std::string& name,
                       const std::vector<Version>& versions) const {
    const auto history = log.history(key(name), 10'000);
    RC_ASSERT(history.has_value());
    RC_ASSERT(history->size() <= versions.size());
    std::size_t index = versions.size();
    for (const LogEntry& entry : *history) {
      const Version& version = versions[--index];
      RC_ASSERT(entry.position.revision == version.revision);
      const std::string payload(entry.change.payload.view());
      RC_ASSERT(payload == version.value.value_or(""));
    }
    for (; index > 0; --index) RC_ASSERT(versions[index - 1].revision <= floor);
  }

  std::map<std::string, std::vector<Version>> versions_;
};

template <class Harness>
void run_history(const std::vector<Step>& steps) {
  Harness harness;
  Model model;
  for (const Step& step : steps) {
    const std::string name = "n" + std::to_string(step.name);
    if (step.what < 7) {
      const std::string value(step.value, static_cast<char>('a' + step.name));
      RC_ASSERT(append(harness.log(), {{put(name, value)}}).has_value());
      model.put(name, value);
    } else if (step.what < 9 && model.live(name)) {
      RC_ASSERT(append(harness.log(), {{leave(key(name))}}).has_value());
      model.put(name, std::nullopt);
    } else if (step.what == 9) {
      harness.reopen();
    } else if (step.what >= 10) {
      const Revision floor{model.head.value * step.value / 255};
      const Revision tombstones{step.what == 11 ? floor.value : 0};
      model.floor = std::max(model.floor, floor);
      model.tombstone_floor = std::max(model.tombstone_floor, tombstones);
      const auto trimmed =
          harness.log().trim({model.floor, model.tombstone_floor, std::size_t{1} + step.name});
      RC_ASSERT(trimmed.has_value());
    }
  }
  model.compare(harness.log());
  harness.reopen();
  model.compare(harness.log());
}

RC_GTEST_PROP(ChangeLogProperty, MemoryAnswersLikeTheModel, (const std::vector<Step>& steps)) {
  run_history<MemoryHarness>(steps);
}

RC_GTEST_PROP(ChangeLogProperty, RocksDbAnswersLikeTheModel, (const std::vector<Step>& steps)) {
  run_history<RocksDbInMemoryHarness>(steps);
}

RC_GTEST_PROP(ChangeLogProperty, SealedRocksDbAnswersLikeTheModel,
              (const std::vector<Step>& steps)) {
  run_history<RocksDbSealedHarness>(steps);
}

}  // namespace
}  // namespace zonesync::test

// A script of writes, with a failure or a power cut injected at every single file operation.
//
// After a restart the store must hold all acked writes, and the one in flight wholly or not at all.
#include <functional>

#include "storage/journal/journal_store.hpp"
#include "storage/journal/testing/faulty_file_system.hpp"
#include "storage/tests/log_samples.hpp"

namespace zonesync::test {
namespace {

using journal::FaultyFileSystem;
using Step = std::function<Status(JournalStore&)>;

Step commit(std::uint64_t revision, std::vector<std::string> upserts,
            std::vector<std::string> removes = {}, bool replace_all = false) {
  return [=](JournalStore& store) {
    ReplicaBatch batch;
    for (const std::string& name : upserts) {
      batch.upserts.push_back(ReplicaUpsert{
          Revision{revision}, put(name, name + std::to_string(revision)), std::nullopt});
    }
    for (const std::string& name : removes) batch.removes.push_back(key(name));
    batch.replace_all = replace_all;
    batch.cursor.revision = Revision{revision};
    return store.replica().commit(std::move(batch));
  };
}

Step publish(std::vector<std::vector<Change>> transactions) {
  return [=](JournalStore& store) { return append(store.outbox(), transactions); };
}

std::vector<Step> script() {
  std::vector<Step> steps;
  steps.push_back(commit(1, {"a", "b", "c"}));
  steps.push_back(publish({{put("x", "1"), put("y", "1")}}));
  steps.push_back([](JournalStore& store) { return store.replica().put_meta("m", "1"); });
  steps.push_back(publish({{put("x", "2")}, {leave(key("y"))}}));
  steps.push_back([](JournalStore& store) {
    return store.replica().set_verdict(key("a"), Revision{1}, Reject{"invalid", "", "no", false});
  });
  steps.push_back([](JournalStore& store) { return store.outbox().declare_complete(); });
  for (std::uint64_t i = 2; i < 9; ++i) {  // enough for a compaction of either file
    steps.push_back(commit(i, {"a", "d" + std::to_string(i)}, {"d" + std::to_string(i - 1)}));
    steps.push_back(publish({{put("x", std::string(100, 'x') + std::to_string(i))}}));
  }
  steps.push_back(commit(9, {"a", "z"}, {}, true));
  return steps;
}

Result<std::unique_ptr<JournalStore>> open(FaultyFileSystem& files) {
  JournalStoreOptions options;
  options.files = &files;
  options.compact_min_bytes = 600;
  return JournalStore::open("store", options);
}

// Everything that a restart must find again, as text (eras apart: each open adds one).
std::string describe_store(JournalStore& store) {
  std::map<ResourceKey, std::string> entries;
  store.replica().snapshot()->for_each([&](const ReplicaEntry& entry) {
    entries[entry.change.key] = std::to_string(entry.revision.value) + "=" +
                                std::string(entry.change.payload.view()) +
                                (entry.reject ? " rejected" : "") + " active " +
                                std::string(entry.active().view());
  });
  std::string text;
  for (const auto& [entry_key, entry] : entries) text += to_string(entry_key) + " " + entry + "\n";
  const auto cursor = store.replica().state().cursor;
  text += "cursor " + std::to_string(cursor ? cursor->revision.value : 0) + " meta " +
          store.replica().meta("m").value_or("-") + "\n";
  const LogState state = store.outbox().state();
  text += "head " + std::to_string(state.head.value) + (state.complete ? " complete" : "") + "\n";
  for (const char* name : {"x", "y"}) {
    const auto latest = *store.outbox().latest(key(name));
    if (!latest) continue;
    text += std::string(name) + "@" + std::to_string(latest->position.revision.value) + " " +
            std::string(store.outbox().read(latest->position)->change.payload.view()) + "\n";
  }
  return text;
}

// The store's description before the first and after every step of the script.
std::vector<std::string> expected_states() {
  FaultyFileSystem files;
  auto store = open(files);
  std::vector<std::string> states = {describe_store(**store)};
  for (const Step& step : script()) {
    EXPECT_TRUE(step(**store));
    states.push_back(describe_store(**store));
  }
  return states;
}

std::uint64_t steps_of_whole_script() {
  FaultyFileSystem files;
  auto store = open(files);
  for (const Step& step : script()) EXPECT_TRUE(step(**store));
  return files.steps();
}

struct Progress {
  std::size_t acked = 0;
};

Progress run_until_failure(FaultyFileSystem& files) {
  Progress run;
  auto store = open(files);
  if (!store) return {};
  for (const Step& step : script()) {
    if (!step(**store)) break;
    ++run.acked;
  }
  return run;
}

class PowerCutAtEveryStep : public ::testing::TestWithParam<FaultyFileSystem::Luck> {};

TEST_P(PowerCutAtEveryStep, KeepsWhatWasAckedAndNothingByHalves) {
  const auto expected = expected_states();
  const std::uint64_t steps = steps_of_whole_script();
  ASSERT_GT(steps, 50u);
  for (std::uint64_t at = 1; at <= steps; ++at) {
    SCOPED_TRACE("dies at file operation " + std::to_string(at));
    FaultyFileSystem files;
    files.set_fault({.at_step = at, .dead_afterwards = true});
    const Progress run = run_until_failure(files);
    files.crash(GetParam());
    const auto store = open(files);
    ASSERT_TRUE(store) << describe(store.error());
    const std::string found = describe_store(**store);
    const bool with_the_unacked =
        run.acked + 1 < expected.size() && found == expected[run.acked + 1];
    ASSERT_TRUE(found == expected[run.acked] || with_the_unacked)
        << found << "expected\n" << expected[run.acked];
    EXPECT_EQ((*store)->outbox().digests().digests, recompute((*store)->outbox()));
    ASSERT_TRUE(append((*store)->outbox(), {{put("after", "x")}})) << "and it goes on";
  }
}

INSTANTIATE_TEST_SUITE_P(Luck, PowerCutAtEveryStep,
                         ::testing::Values(FaultyFileSystem::Luck{0, false},
                                           FaultyFileSystem::Luck{50, false},
                                           FaultyFileSystem::Luck{100, false},
                                           FaultyFileSystem::Luck{0, true},
                                           FaultyFileSystem::Luck{30, true},
                                           FaultyFileSystem::Luck{100, true}));

// One operation fails, the process lives on: a write is refused or the store stops, and a restart
// finds exactly what was acked, or that and the write nobody answered for.
TEST(FailureAtEveryStep, RetryOrReopenReachesTheSameEnd) {
  const auto expected = expected_states();
  const std::uint64_t steps = steps_of_whole_script();
  for (const ErrorCode code : {ErrorCode::resource_exhausted, ErrorCode::storage_io}) {
    for (std::uint64_t at = 1; at <= steps; ++at) {
      SCOPED_TRACE("operation " + std::to_string(at) + " fails");
      FaultyFileSystem files;
      files.set_fault({.at_step = at, .code = code});
      auto store = open(files);
      if (!store) store = open(files);
      ASSERT_TRUE(store) << describe(store.error());
      std::size_t done = 0;
      for (const Step& step : script()) {
        Status status = step(**store);
        if (!status && status.error().code == ErrorCode::resource_exhausted) {
          ASSERT_EQ(describe_store(**store), expected[done]) << "refused means unchanged";
          status = step(**store);
        }
        if (!status) {
          ASSERT_EQ(status.error().code, ErrorCode::storage_io);
          (*store).reset();
          files.crash({100, true});
          store = open(files);
          ASSERT_TRUE(store) << describe(store.error());
          if (describe_store(**store) == expected[done]) {
            ASSERT_TRUE(step(**store));
          }
        }
        ++done;
        ASSERT_EQ(describe_store(**store), expected[done]);
      }
      (*store).reset();
      files.crash();
      store = open(files);
      ASSERT_TRUE(store) << describe(store.error());
      ASSERT_EQ(describe_store(**store), expected.back());
    }
  }
}

}  // namespace
}  // namespace zonesync::test

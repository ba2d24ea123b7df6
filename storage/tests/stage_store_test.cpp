// The contract of StageStore over memory and journal, and what the journal does about faults: a
// stage that is not certainly whole is dropped, never trusted (STG-08).
#include <functional>

#include "storage/journal/journal_store.hpp"
#include "storage/journal/testing/faulty_file_system.hpp"
#include "storage/memory/memory_stage.hpp"
#include "storage/tests/log_samples.hpp"

namespace zonesync::test {
namespace {

using journal::FaultyFileSystem;

Cursor cursor_at(std::uint64_t revision, std::uint8_t era = 7) {
  Cursor cursor;
  cursor.era.id.bytes[0] = era;
  cursor.view.id.bytes[0] = 9;
  cursor.revision = Revision{revision};
  return cursor;
}

StagePlace place_at(std::uint64_t revision, std::uint64_t changes,
                    std::optional<Cursor> from = std::nullopt) {
  return StagePlace{cursor_at(revision), from, changes, Revision{revision / 2}};
}

StagedItem item(std::uint64_t revision, const std::string& name, const std::string& payload) {
  return StagedItem{Revision{revision}, put(name, payload)};
}

std::string describe_stage(const StageStore& stage) {
  const auto place = stage.place();
  if (!place) return "empty";
  std::string text = "at " + std::to_string(place->at.revision.value) + "+" +
                     std::to_string(place->changes) + (place->from ? "" : " full") +
                     (place->resumable() ? "" : " not resumable");
  const Status status = stage.each([&](const StagedItem& held) -> Status {
    text += "; " + std::to_string(held.revision.value) + " " + held.change.key.name +
            (held.change.kind == ChangeKind::leave ? " leaves" : "=") +
            std::string(held.change.payload.view());
    if (held.change.cls != class_of_key(held.change.key, held.change.cls.tag)) text += " class?";
    if (!held.change.payload.empty() &&
        held.change.hash != hash_bytes(held.change.payload.view())) {
      text += " hash?";
    }
    return {};
  });
  return status ? text : text + "; " + describe(status.error());
}

JournalStoreOptions on(FaultyFileSystem& files) {
  JournalStoreOptions options;
  options.files = &files;
  return options;
}

class MemoryStageHarness {
 public:
  [[nodiscard]] StageStore& stage() { return stage_; }
  void reopen() {}

 private:
  MemoryStage stage_{true};
};

/// Every reopen is a power cut.
class JournalStageHarness {
 public:
  JournalStageHarness() { reopen(); }
  [[nodiscard]] StageStore& stage() { return store_->stage(); }
  void reopen() {
    store_.reset();
    files_.crash();
    auto store = JournalStore::open("store", on(files_));
    if (!store) throw std::runtime_error(describe(store.error()));
    store_ = std::move(*store);
  }

 private:
  FaultyFileSystem files_;
  std::unique_ptr<JournalStore> store_;
};

template <class Harness>
class StageContract : public ::testing::Test {
 protected:
  [[nodiscard]] StageStore& stage() { return harness_.stage(); }
  Harness harness_;
};

using Harnesses = ::testing::Types<MemoryStageHarness, JournalStageHarness>;
TYPED_TEST_SUITE(StageContract, Harnesses);

TYPED_TEST(StageContract, StartsEmpty) {
  EXPECT_FALSE(this->stage().place());
  EXPECT_EQ(this->stage().bytes(), 0u);
  EXPECT_TRUE(this->stage().durable());
  EXPECT_EQ(describe_stage(this->stage()), "empty");
}

TYPED_TEST(StageContract, KeepsItemsInOrderAcrossARestart) {
  ASSERT_TRUE(this->stage().append({item(3, "a", "1"), item(4, "b", "2")}, place_at(4, 1)));
  const StagePlace place = place_at(6, 2, cursor_at(2));
  ASSERT_TRUE(this->stage().append(
      {StagedItem{Revision{6}, leave(key("a"), "tag")}, item(6, "c", "3")}, place));
  this->harness_.reopen();
  EXPECT_EQ(this->stage().place(), place);
  EXPECT_GT(this->stage().bytes(), 0u);
  EXPECT_EQ(describe_stage(this->stage()), "at 6+2; 3 a=1; 4 b=2; 6 a leaves; 6 c=3");
}

TYPED_TEST(StageContract, ClearForgetsEverything) {
  ASSERT_TRUE(this->stage().clear());
  ASSERT_TRUE(this->stage().append({item(3, "a", "1")}, place_at(3, 1)));
  ASSERT_TRUE(this->stage().clear());
  EXPECT_EQ(describe_stage(this->stage()), "empty");
  EXPECT_EQ(this->stage().bytes(), 0u);
  this->harness_.reopen();
  EXPECT_EQ(describe_stage(this->stage()), "empty");
  ASSERT_TRUE(this->stage().append({item(5, "b", "2")}, StagePlace{cursor_at(5, 0), {}, 1, {}}));
  this->harness_.reopen();
  EXPECT_EQ(describe_stage(this->stage()), "at 5+1 full not resumable; 5 b=2");
}

TYPED_TEST(StageContract, AnErrorOfTheVisitorEndsTheReading) {
  ASSERT_TRUE(this->stage().append({item(3, "a", "1"), item(4, "b", "2")}, place_at(4, 1)));
  int seen = 0;
  const Status status = this->stage().each([&](const StagedItem&) -> Status {
    ++seen;
    return fail(ErrorCode::canceled, "enough");
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::canceled);
  EXPECT_EQ(seen, 1);
}

// -- faults of the journal ------------------------------------------------------------------------

class JournalStageFault : public ::testing::Test {
 protected:
  void open() {
    close();
    start();
  }
  void close() {
    store_.reset();
    files_.crash();
  }
  void start() {
    auto store = JournalStore::open("store", on(files_));
    ASSERT_TRUE(store) << describe(store.error());
    store_ = std::move(*store);
  }
  void SetUp() override { open(); }
  [[nodiscard]] StageStore& stage() { return store_->stage(); }
  [[nodiscard]] std::string& content() { return files_.content("store/stage.journal"); }

  FaultyFileSystem files_;
  std::unique_ptr<JournalStore> store_;
};

TEST_F(JournalStageFault, AFullDiskKeepsWhatWasThereAndIsNotForEver) {
  ASSERT_TRUE(stage().append({item(3, "a", "1")}, place_at(3, 1)));
  files_.set_fault({files_.steps() + 1, ErrorCode::resource_exhausted, false});
  const Status full = stage().append({item(4, "b", "2")}, place_at(4, 1));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::resource_exhausted);
  EXPECT_EQ(describe_stage(stage()), "at 3+1 full; 3 a=1");
  ASSERT_TRUE(stage().append({item(4, "b", "2")}, place_at(4, 1)));
  open();
  EXPECT_EQ(describe_stage(stage()), "at 4+1 full; 3 a=1; 4 b=2");
}

TEST_F(JournalStageFault, ATornTailFallsBackToThePlaceBefore) {
  ASSERT_TRUE(stage().append({item(3, "a", "1")}, place_at(3, 1)));
  const std::size_t whole = content().size();
  ASSERT_TRUE(stage().append({item(4, "b", "2")}, place_at(4, 1)));
  close();
  content().resize(whole + 20);
  start();
  EXPECT_EQ(describe_stage(stage()), "at 3+1 full; 3 a=1");
}

TEST_F(JournalStageFault, ADamagedRecordDropsTheStageAndNothingElse) {
  ReplicaBatch batch;
  batch.upserts.push_back(ReplicaUpsert{Revision{1}, put("kept", "1"), std::nullopt});
  batch.cursor = cursor_at(1);
  ASSERT_TRUE(store_->replica().commit(std::move(batch)));
  ASSERT_TRUE(stage().append({item(3, "a", "payload")}, place_at(3, 1)));
  ASSERT_TRUE(stage().append({item(4, "b", "2")}, place_at(4, 1)));
  close();
  content()[content().find("payload")] ^= 1;
  start();
  EXPECT_EQ(describe_stage(stage()), "empty");
  EXPECT_EQ(store_->replica().state().entries, 1u);
  ASSERT_TRUE(stage().append({item(5, "c", "3")}, place_at(5, 1)));
  open();
  EXPECT_EQ(describe_stage(stage()), "at 5+1 full; 5 c=3");
}

TEST_F(JournalStageFault, ADamageThatCameLaterIsFoundByTheReading) {
  ASSERT_TRUE(stage().append({item(3, "a", "payload")}, place_at(3, 1)));
  content()[content().find("payload")] ^= 1;
  const Status status = stage().each([](const StagedItem&) -> Status { return {}; });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::storage_corrupt);
  ASSERT_TRUE(stage().clear());
  EXPECT_EQ(describe_stage(stage()), "empty");
}

TEST_F(JournalStageFault, AFileThatIsNoStageIsReplaced) {
  close();
  content() = std::string("something else entirely");
  start();
  EXPECT_EQ(describe_stage(stage()), "empty");
}

/// A power cut at every file operation: before a restart and after it there is one of the states
/// that the script went through, and never an older one than the last that was answered.
TEST_F(JournalStageFault, PowerCutAtEveryOperation) {
  const std::vector<std::function<Status(StageStore&)>> script = {
      [](StageStore& s) { return s.append({item(3, "a", "1")}, place_at(3, 1)); },
      [](StageStore& s) { return s.append({item(4, "b", "2")}, place_at(4, 1)); },
      [](StageStore& s) { return s.clear(); },
      [](StageStore& s) { return s.append({item(5, "c", "3")}, place_at(5, 1)); },
  };
  std::vector<std::string> states = {describe_stage(stage())};
  const std::uint64_t first = files_.steps();
  for (const auto& step : script) {
    ASSERT_TRUE(step(stage()));
    states.push_back(describe_stage(stage()));
  }
  const std::uint64_t steps = files_.steps() - first;
  ASSERT_GT(steps, 8u);
  for (std::uint64_t at = 1; at <= steps; ++at) {
    for (const FaultyFileSystem::Luck luck : {FaultyFileSystem::Luck{0, false},
                                              FaultyFileSystem::Luck{50, false},
                                              FaultyFileSystem::Luck{100, true}}) {
      SCOPED_TRACE("step " + std::to_string(at) + ", kept " + std::to_string(luck.kept_percent));
      FaultyFileSystem files;
      auto store = JournalStore::open("store", on(files));
      ASSERT_TRUE(store);
      files.set_fault({files.steps() + at, ErrorCode::storage_io, true});
      std::size_t done = 0;
      while (done < script.size() && script[done]((*store)->stage())) ++done;
      ASSERT_LT(done, script.size());
      store->reset();
      files.crash(luck);
      auto again = JournalStore::open("store", on(files));
      ASSERT_TRUE(again) << describe(again.error());
      const std::string found = describe_stage((*again)->stage());
      EXPECT_TRUE(found == states[done] || found == states[done + 1]) << found;
    }
  }
}

}  // namespace
}  // namespace zonesync::test

// The contract of ReplicaStore over memory and journal.
#include <thread>

#include "storage/journal/journal_store.hpp"
#include "storage/journal/testing/faulty_file_system.hpp"
#include "storage/memory/memory_replica.hpp"
#include "storage/tests/log_samples.hpp"

namespace zonesync::test {
namespace {

class MemoryReplicaHarness {
 public:
  [[nodiscard]] ReplicaStore& store() { return store_; }
  void reopen() {}

 private:
  MemoryReplica store_;
};

/// Every reopen is a power cut; the tiny threshold makes compactions happen in between.
class JournalReplicaHarness {
 public:
  JournalReplicaHarness() { reopen(); }
  [[nodiscard]] ReplicaStore& store() { return store_->replica(); }
  void reopen() {
    store_.reset();
    files_.crash();
    JournalStoreOptions options;
    options.files = &files_;
    options.compact_min_bytes = 1'000;
    auto store = JournalStore::open("store", options);
    if (!store) throw std::runtime_error(describe(store.error()));
    store_ = std::move(*store);
  }

 private:
  journal::FaultyFileSystem files_;
  std::unique_ptr<JournalStore> store_;
};

const Reject kReject{"invalid", "/spec/timeout", "must be positive", true};

ReplicaUpsert offer(const std::string& name, std::uint64_t revision, const std::string& payload,
                    std::optional<Reject> reject = std::nullopt) {
  return ReplicaUpsert{Revision{revision}, put(name, payload), std::move(reject)};
}

Cursor cursor_at(std::uint64_t revision) {
  Cursor cursor;
  cursor.era.id.bytes[0] = 7;
  cursor.view.id.bytes[0] = 9;
  cursor.revision = Revision{revision};
  return cursor;
}

ReplicaBatch batch(std::uint64_t revision, std::vector<ReplicaUpsert> upserts,
                   std::vector<ResourceKey> removes = {}) {
  ReplicaBatch made;
  made.upserts = std::move(upserts);
  made.removes = std::move(removes);
  made.cursor = cursor_at(revision);
  made.source_log.bytes[3] = 5;
  return made;
}

template <class Harness>
class ReplicaContract : public ::testing::Test {
 protected:
  [[nodiscard]] ReplicaStore& store() { return harness_.store(); }
  void reopen() { harness_.reopen(); }

  [[nodiscard]] std::string active(const std::string& name) {
    const auto snapshot = store().snapshot();
    const ReplicaEntry* entry = snapshot->find(key(name));
    return entry ? std::string(entry->active().view()) : "(absent)";
  }
  void expect_counts(std::uint64_t entries, std::uint64_t unconfirmed, std::uint64_t rejects) {
    const ReplicaState state = store().state();
    EXPECT_EQ(state.entries, entries);
    EXPECT_EQ(state.unconfirmed, unconfirmed);
    EXPECT_EQ(state.rejects, rejects);
    const auto snapshot = store().snapshot();
    EXPECT_EQ(snapshot->size(), entries);
    Digest digest;
    snapshot->for_each([&](const ReplicaEntry& entry) {
      if (!entry.unconfirmed) digest.add(fingerprint(entry.change.key), entry.change.hash);
    });
    EXPECT_EQ(state.digest, digest);
  }

 private:
  Harness harness_;
};

class ReplicaNames {
 public:
  template <class T>
  static std::string GetName(int) {
    return std::is_same_v<T, MemoryReplicaHarness> ? "Memory" : "Journal";
  }
};
using ReplicaHarnesses = ::testing::Types<MemoryReplicaHarness, JournalReplicaHarness>;
TYPED_TEST_SUITE(ReplicaContract, ReplicaHarnesses, ReplicaNames);

TYPED_TEST(ReplicaContract, NewReplicaIsEmptyWithoutCursor) {
  EXPECT_FALSE(this->store().state().cursor);
  EXPECT_FALSE(this->store().snapshot()->cursor());
  this->expect_counts(0, 0, 0);
}

TYPED_TEST(ReplicaContract, CommitMovesContentAndCursorTogether) {
  ASSERT_TRUE(this->store().commit(batch(3, {offer("a", 2, "one"), offer("b", 3, "two")})));
  this->reopen();
  const ReplicaState state = this->store().state();
  EXPECT_EQ(state.cursor, cursor_at(3));
  EXPECT_EQ(state.source_log.bytes[3], 5);
  EXPECT_EQ(this->store().snapshot()->cursor(), cursor_at(3));
  EXPECT_EQ(this->store().snapshot()->find(key("a"))->revision, Revision{2});
  EXPECT_EQ(this->active("b"), "two");
  this->expect_counts(2, 0, 0);
}

TYPED_TEST(ReplicaContract, SnapshotIsImmutable) {
  ASSERT_TRUE(this->store().commit(batch(1, {offer("a", 1, "one"), offer("b", 1, "x")})));
  const auto before = this->store().snapshot();
  ASSERT_TRUE(this->store().commit(batch(2, {offer("a", 2, "two")}, {key("b")})));
  EXPECT_EQ(before->find(key("a"))->change.payload.view(), "one");
  EXPECT_NE(before->find(key("b")), nullptr);
  EXPECT_EQ(before->cursor(), cursor_at(1));
  EXPECT_EQ(this->active("a"), "two");
  EXPECT_EQ(this->active("b"), "(absent)");
}

TYPED_TEST(ReplicaContract, LastUpsertOfAKeyWinsAndBeatsARemove) {
  ASSERT_TRUE(this->store().commit(
      batch(1, {offer("a", 1, "one"), offer("a", 1, "two")}, {key("a"), key("nobody")})));
  EXPECT_EQ(this->active("a"), "two");
  this->expect_counts(1, 0, 0);
}

TYPED_TEST(ReplicaContract, RejectedVersionShowsTheLastAcceptedOne) {
  ASSERT_TRUE(this->store().commit(batch(1, {offer("a", 1, "good")})));
  ASSERT_TRUE(this->store().commit(batch(2, {offer("a", 2, "bad", kReject)})));
  ASSERT_TRUE(this->store().commit(batch(3, {offer("a", 3, "worse", kReject)})));
  this->reopen();
  EXPECT_EQ(this->active("a"), "good");
  const auto snapshot = this->store().snapshot();
  const ReplicaEntry* entry = snapshot->find(key("a"));
  EXPECT_EQ(entry->accepted_revision, Revision{1});
  EXPECT_EQ(entry->change.payload.view(), "worse") << "what was offered is kept";
  EXPECT_EQ(entry->reject, kReject);
  this->expect_counts(1, 0, 1);
  ASSERT_TRUE(this->store().commit(batch(4, {offer("a", 4, "better")})));
  EXPECT_EQ(this->active("a"), "better");
  this->expect_counts(1, 0, 0);
}

TYPED_TEST(ReplicaContract, RejectedFirstVersionShowsNothing) {
  ASSERT_TRUE(this->store().commit(batch(1, {offer("a", 1, "bad", kReject)})));
  EXPECT_EQ(this->active("a"), "");
  ASSERT_TRUE(this->store().set_verdict(key("a"), Revision{1}, std::nullopt));
  this->reopen();
  EXPECT_EQ(this->active("a"), "bad");
  this->expect_counts(1, 0, 0);
}

TYPED_TEST(ReplicaContract, RejectAfterwardsKeepsWhatTheApplicationSees) {
  ASSERT_TRUE(this->store().commit(batch(1, {offer("a", 1, "one")})));
  ASSERT_TRUE(this->store().set_verdict(key("a"), Revision{1}, kReject));
  this->reopen();
  EXPECT_EQ(this->active("a"), "one");
  this->expect_counts(1, 0, 1);
}

TYPED_TEST(ReplicaContract, VerdictOnAVersionThatIsGoneIsNotFound) {
  ASSERT_TRUE(this->store().commit(batch(2, {offer("a", 2, "two")})));
  EXPECT_EQ(this->store().set_verdict(key("a"), Revision{1}, kReject).error().code,
            ErrorCode::not_found);
  EXPECT_EQ(this->store().set_verdict(key("b"), Revision{2}, kReject).error().code,
            ErrorCode::not_found);
  this->expect_counts(1, 0, 0);
}

TYPED_TEST(ReplicaContract, ReplaceAllDropsWhatItDoesNotName) {
  ASSERT_TRUE(this->store().commit(
      batch(1, {offer("a", 1, "good"), offer("b", 1, "x"), offer("c", 1, "y", kReject)})));
  ReplicaBatch full = batch(9, {offer("a", 8, "bad", kReject), offer("d", 9, "new")});
  full.replace_all = true;
  ASSERT_TRUE(this->store().commit(full));
  this->reopen();
  EXPECT_EQ(this->active("a"), "good") << "the accepted version survives a full";
  EXPECT_EQ(this->active("b"), "(absent)");
  EXPECT_EQ(this->active("d"), "new");
  this->expect_counts(2, 0, 1);
}

TYPED_TEST(ReplicaContract, PartialFullKeepsTheRestAsUnconfirmed) {
  ASSERT_TRUE(this->store().commit(
      batch(1, {offer("a", 1, "one"), offer("b", 1, "x"), offer("c", 1, "y")})));
  ReplicaBatch full = batch(9, {offer("a", 9, "two")}, {key("c")});
  full.mark_unmentioned_unconfirmed = true;
  ASSERT_TRUE(this->store().commit(full));
  this->reopen();
  EXPECT_EQ(this->active("b"), "x");
  EXPECT_TRUE(this->store().snapshot()->find(key("b"))->unconfirmed);
  this->expect_counts(2, 1, 0);
  ASSERT_TRUE(this->store().commit(batch(10, {offer("b", 10, "x")})));
  this->expect_counts(2, 0, 0);
}

TYPED_TEST(ReplicaContract, NonsenseBatchesAreRefusedWhole) {
  ASSERT_TRUE(this->store().commit(batch(1, {offer("a", 1, "one")})));
  ReplicaBatch both = batch(2, {});
  both.replace_all = both.mark_unmentioned_unconfirmed = true;
  EXPECT_EQ(this->store().commit(both).error().code, ErrorCode::invalid_argument);
  ReplicaBatch with_leave = batch(2, {offer("b", 2, "x")});
  with_leave.upserts.push_back(ReplicaUpsert{Revision{2}, leave(key("a")), {}});
  EXPECT_EQ(this->store().commit(with_leave).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(this->store().state().cursor, cursor_at(1));
  this->expect_counts(1, 0, 0);
}

TYPED_TEST(ReplicaContract, MetaIsKeptAndBounded) {
  EXPECT_FALSE(this->store().meta("instance"));
  ASSERT_TRUE(this->store().put_meta("instance", "one"));
  ASSERT_TRUE(this->store().put_meta("instance", std::string("\0two", 4)));
  ASSERT_TRUE(this->store().put_meta("empty", ""));
  this->reopen();
  EXPECT_EQ(this->store().meta("instance"), std::string("\0two", 4));
  EXPECT_EQ(this->store().meta("empty"), "");
  EXPECT_EQ(this->store().put_meta("big", std::string(65'537, 'x')).error().code,
            ErrorCode::too_large);
  EXPECT_EQ(this->store().put_meta("", "x").error().code, ErrorCode::too_large);
  EXPECT_FALSE(this->store().meta("big"));
}

TYPED_TEST(ReplicaContract, TenThousandEntriesAndManySmallCommits) {
  std::vector<ReplicaUpsert> upserts;
  for (int i = 0; i < 10'000; ++i) upserts.push_back(offer("n" + std::to_string(i), 1, "x"));
  ASSERT_TRUE(this->store().commit(batch(1, std::move(upserts))));
  for (std::uint64_t revision = 2; revision < 60; ++revision) {
    ASSERT_TRUE(this->store().commit(
        batch(revision, {offer("n" + std::to_string(revision), revision, "changed")})));
  }
  this->reopen();
  EXPECT_EQ(this->store().state().cursor, cursor_at(59));
  EXPECT_EQ(this->active("n59"), "changed");
  this->expect_counts(10'000, 0, 0);
}

TYPED_TEST(ReplicaContract, ReaderDuringCommitsSeesWholeCuts) {
  ASSERT_TRUE(this->store().commit(batch(1, {offer("left", 1, "1"), offer("right", 1, "1")})));
  ReplicaStore& store = this->store();
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    while (!stop) {
      const auto snapshot = store.snapshot();
      ASSERT_EQ(snapshot->find(key("left"))->revision, snapshot->find(key("right"))->revision);
      ASSERT_EQ(snapshot->find(key("left"))->revision, snapshot->cursor()->revision);
    }
  });
  for (std::uint64_t r = 2; r < 200; ++r) {
    ASSERT_TRUE(store.commit(batch(r, {offer("left", r, "x"), offer("right", r, "x")})));
  }
  stop = true;
  reader.join();
}

TEST(MemoryReplica, SaysItselfWhetherItIsDurable) {
  EXPECT_FALSE(MemoryReplica().durable());
  EXPECT_TRUE(MemoryReplica(MemoryReplicaOptions{.durable = true}).durable());
}

TEST(MemoryReplica, InjectedFailureChangesNothing) {
  MemoryReplica replica;
  replica.fail_next(Error{ErrorCode::resource_exhausted, "full", ""});
  EXPECT_EQ(replica.commit(batch(1, {offer("a", 1, "x")})).error().code,
            ErrorCode::resource_exhausted);
  EXPECT_FALSE(replica.state().cursor);
  EXPECT_TRUE(replica.commit(batch(1, {offer("a", 1, "x")})));
}

}  // namespace
}  // namespace zonesync::test

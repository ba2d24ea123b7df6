// What the operator hears about a disk that fills up: each thing once.
#include "server/cmd/store_watch.hpp"

#include <gtest/gtest.h>

namespace zonesync::testing {
namespace {

constexpr std::uint64_t kMiB = 1u << 20;

class StoreWatchTest : public ::testing::Test {
 protected:
  static StoreSpace with_free(std::uint64_t free) {
    StoreSpace space;
    space.free_bytes = free;
    space.needed_bytes = 64 * kMiB;
    space.refusing = free < space.needed_bytes;
    return space;
  }
  [[nodiscard]] LogEvent last() const { return log_->events().back(); }

  std::shared_ptr<CapturingLogger> log_ = std::make_shared<CapturingLogger>();
  StoreWatch watch_{log_};
};

TEST_F(StoreWatchTest, AFullDiskAndItsEndAreSaidOnceEach) {
  watch_.look(with_free(100 * kMiB));
  EXPECT_TRUE(log_->events().empty());
  for (int second = 0; second < 5; ++second) watch_.look(with_free(63 * kMiB));
  ASSERT_EQ(log_->events().size(), 1u);
  EXPECT_EQ(last().event, "storage.space.low");
  EXPECT_EQ(last().level, LogLevel::error);
  EXPECT_NE(last().message.find("writes are refused"), std::string::npos);
  EXPECT_NE(last().message.find("free some space"), std::string::npos) << "what to do";
  EXPECT_EQ(last().fields.at(0).name, "free_bytes");
  EXPECT_EQ(last().fields.at(0).value, std::to_string(63 * kMiB));
  EXPECT_TRUE(watch_.refusing());
  EXPECT_EQ(watch_.free_bytes(), 63 * kMiB);
  for (int second = 0; second < 5; ++second) watch_.look(with_free(200 * kMiB));
  ASSERT_EQ(log_->events().size(), 2u);
  EXPECT_EQ(last().event, "storage.space.back");
  EXPECT_FALSE(watch_.refusing());
  watch_.look(with_free(0));
  EXPECT_EQ(log_->count("storage.space.low"), 2u) << "the next time is said again";
}

TEST_F(StoreWatchTest, ADiskAtItsLimitIsNotSaidAgainAndAgain) {
  for (int second = 0; second < 20; ++second) {
    watch_.look(with_free(second % 2 == 0 ? 63 * kMiB : 65 * kMiB));
  }
  EXPECT_EQ(log_->events().size(), 1u);
}

TEST_F(StoreWatchTest, ABallastWithoutRoomIsSaidOnceWithHowMuchItNeeds) {
  StoreSpace space = with_free(100 * kMiB);
  space.ballast_bytes = 64 * kMiB;
  space.ballast_needs_bytes = 192 * kMiB;
  space.ballast_waits = true;
  watch_.look(space);
  watch_.look(space);
  ASSERT_EQ(log_->events().size(), 1u);
  EXPECT_EQ(last().event, "storage.ballast.missing");
  EXPECT_EQ(last().level, LogLevel::warn);
  for (const char* words : {"ballast of 64 MiB", "192 MiB are free", "100 MiB are",
                            "smaller storage.ballast"}) {
    EXPECT_NE(last().message.find(words), std::string::npos) << last().message;
  }
  space.ballast_waits = false;
  watch_.look(space);
  EXPECT_EQ(log_->events().size(), 1u);
}

TEST_F(StoreWatchTest, PausesOfTrimmingAndReencryptionAreSaidOncePerFullDisk) {
  const Error full{ErrorCode::resource_exhausted, "the disk is almost full", "log"};
  for (int second = 0; second < 3; ++second) {
    StoreSpace space = with_free(kMiB);
    space.resealing_waits = true;
    watch_.look(space);
    watch_.trim_waits(full);
  }
  EXPECT_EQ(log_->count("storage.trim.paused"), 1u);
  EXPECT_EQ(log_->count("storage.reseal.paused"), 1u);
  watch_.look(with_free(200 * kMiB));
  watch_.trim_waits(full);
  EXPECT_EQ(log_->count("storage.trim.paused"), 2u);
}

}  // namespace
}  // namespace zonesync::testing

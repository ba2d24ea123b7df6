#include "server/auth/attempt_limiter.hpp"

#include <gtest/gtest.h>

namespace zonesync::auth {
namespace {

using namespace std::chrono_literals;

TEST(AttemptLimiter, FiveFailuresInAMinuteEarnAMinutesPenalty) {
  AttemptLimiter limiter;
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(limiter.failed("192.0.2.1", i * 1s));
  EXPECT_FALSE(limiter.blocked("192.0.2.1", 4s));
  EXPECT_TRUE(limiter.failed("192.0.2.1", 4s));
  EXPECT_TRUE(limiter.blocked("192.0.2.1", 4s));
  EXPECT_EQ(limiter.blocked_for("192.0.2.1", 10s), 54s);
  EXPECT_TRUE(limiter.blocked("192.0.2.1", 63'999ms));
  EXPECT_FALSE(limiter.blocked("192.0.2.1", 64s));
}

TEST(AttemptLimiter, OtherAddressesAreNotAffected) {
  AttemptLimiter limiter;
  for (int i = 0; i < 5; ++i) limiter.failed("192.0.2.1", 0s);
  EXPECT_FALSE(limiter.blocked("192.0.2.2", 0s));
}

TEST(AttemptLimiter, SlowFailuresAreForgiven) {
  AttemptLimiter limiter;
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(limiter.failed("192.0.2.1", i * 16s)) << i;
}

TEST(AttemptLimiter, CountingStartsAnewAfterAPenalty) {
  AttemptLimiter limiter;
  for (int i = 0; i < 5; ++i) limiter.failed("192.0.2.1", 0s);
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(limiter.failed("192.0.2.1", 60s));
  EXPECT_FALSE(limiter.blocked("192.0.2.1", 60s));
  EXPECT_TRUE(limiter.failed("192.0.2.1", 60s));
}

TEST(AttemptLimiter, FailuresDuringAPenaltyDoNotProlongIt) {
  AttemptLimiter limiter;
  for (int i = 0; i < 5; ++i) limiter.failed("192.0.2.1", 0s);
  EXPECT_FALSE(limiter.failed("192.0.2.1", 30s));
  EXPECT_FALSE(limiter.blocked("192.0.2.1", 60s));
}

TEST(AttemptLimiter, SuccessClearsFailuresButNoPenalty) {
  AttemptLimiter limiter;
  for (int i = 0; i < 4; ++i) limiter.failed("192.0.2.1", 0s);
  limiter.succeeded("192.0.2.1", 1s);
  EXPECT_EQ(limiter.tracked(), 0u);
  for (int i = 0; i < 5; ++i) limiter.failed("192.0.2.1", 2s);
  limiter.succeeded("192.0.2.1", 3s);
  EXPECT_TRUE(limiter.blocked("192.0.2.1", 3s));
}

TEST(AttemptLimiter, OneIpv6HostIsOneAddress) {
  AttemptLimiter limiter;
  for (int i = 0; i < 5; ++i) limiter.failed("2001:db8::" + std::to_string(i + 1), 0s);
  EXPECT_TRUE(limiter.blocked("2001:db8::ffff", 0s));
  EXPECT_FALSE(limiter.blocked("2001:db8:0:1::1", 0s));
  EXPECT_TRUE(limiter.blocked("[2001:db8::abcd]", 0s)) << "as a URL writes it";
}

TEST(AttemptLimiter, MappedIpv4CountsAsIpv4) {
  AttemptLimiter limiter;
  for (int i = 0; i < 5; ++i) limiter.failed("::ffff:192.0.2.1", 0s);
  EXPECT_TRUE(limiter.blocked("192.0.2.1", 0s));
  EXPECT_FALSE(limiter.blocked("192.0.2.2", 0s));
}

TEST(AttemptLimiter, TableIsBoundedAndForgetsTheOldest) {
  AttemptLimiter limiter(AttemptLimiter::Options{1, 60s, 60s, 3});
  for (int i = 1; i <= 4; ++i) limiter.failed("192.0.2." + std::to_string(i), 0s);
  EXPECT_EQ(limiter.tracked(), 3u);
  EXPECT_FALSE(limiter.blocked("192.0.2.1", 0s));
  EXPECT_TRUE(limiter.blocked("192.0.2.4", 0s));
}

TEST(AttemptLimiter, ZeroFailuresMeansOff) {
  AttemptLimiter limiter(AttemptLimiter::Options{0});
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(limiter.failed("192.0.2.1", 0s));
  EXPECT_FALSE(limiter.blocked("192.0.2.1", 0s));
}

}  // namespace
}  // namespace zonesync::auth

#include <gtest/gtest.h>

#include "client-sdk/agent/orders.hpp"
#include "client-sdk/agent/publisher.hpp"
#include "client-sdk/agent/tests/agent_fixture.hpp"

namespace zonesync::agent {
namespace {

using namespace std::chrono_literals;

std::string dataplane(const std::string& name, int port) {
  return "type: Dataplane\nmesh: default\nname: " + name +
         "\nnetworking:\n  inbound:\n  - port: " + std::to_string(port) + "\n";
}

/// An outbox that is as durable as the test.
class FakeOutbox final : public PublishPort {
 public:
  [[nodiscard]] std::shared_ptr<const TypeRegistry> registry() const override { return registry_; }
  Result<Published> publish(const std::vector<PublishStep>& steps) override {
    if (failure_) return fail(*failure_);
    Published result;
    for (const PublishStep& step : steps) {
      if (step.key.name == refused_) return fail(ErrorCode::too_large, "too large for the hub");
    }
    for (const PublishStep& step : steps) {
      const std::string spec = step.resource ? step.resource->spec : "";
      if (live_[step.key] == spec) {
        ++result.unchanged;
      } else {
        live_[step.key] = spec;
        versions_.push_back(step.key.name);
      }
    }
    ++transactions_;
    result.revision = Revision{++head_};
    return result;
  }
  [[nodiscard]] Revision acked() const override { return acked_; }
  [[nodiscard]] std::vector<Verdict> rejects() const override { return rejects_; }

  std::shared_ptr<const TypeRegistry> registry_ =
      std::make_shared<const TypeRegistry>(TypeRegistry::with_default_types());
  std::map<ResourceKey, std::string> live_;
  std::vector<std::string> versions_;
  std::vector<Verdict> rejects_;
  std::optional<Error> failure_;
  std::string refused_;
  std::size_t transactions_ = 0;
  std::uint64_t head_ = 0;
  Revision acked_{0};
};

class PublisherTest : public ::testing::Test {
 protected:
  PublisherTest() {
    spill(dir() / kPublishMarker, "");
    restart();
  }
  fs::path dir() const { return root_.path() / "publish"; }
  void file(const std::string& name, const std::string& content) { spill(dir() / name, content); }
  void restart() {
    auto memory = PublishMemory::load(root_.path() / "publish.state", "east");
    ASSERT_TRUE(memory.has_value());
    publisher_ = std::make_unique<Publisher>(
        Publisher::Options{.dir = dir(), .zone = "east", .patience = 10s}, std::move(*memory),
        outbox_, log_);
  }
  void look() {
    for (int i = 0; i < 2; ++i) {
      publisher_->scan(false);
      publisher_->work(now_);
    }
  }

  TemporaryDirectory root_;
  FakeOutbox outbox_;
  std::shared_ptr<CapturingLogger> log_ = std::make_shared<CapturingLogger>();
  TimePoint now_{1h};
  std::unique_ptr<Publisher> publisher_;
};

TEST_F(PublisherTest, DistinctKeysAreOneTransactionAndVersionsWaitForTheHub) {
  file("a.yaml", dataplane("a", 1) + "---\n" + dataplane("a", 2) + "---\n" + dataplane("b", 1));
  look();
  EXPECT_EQ(outbox_.transactions_, 1u);
  EXPECT_EQ(outbox_.versions_, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(publisher_->waiting());
  publisher_->work(now_ + 9s);
  EXPECT_EQ(outbox_.transactions_, 1u);
  outbox_.acked_ = Revision{1};
  publisher_->work(now_ + 9s);
  EXPECT_EQ(outbox_.versions_, (std::vector<std::string>{"a", "b", "a"}));
  EXPECT_FALSE(publisher_->waiting());
  EXPECT_EQ(publisher_->status().totals.published, 3u);
}

TEST_F(PublisherTest, AnAbsentHubDoesNotKeepTheNewestVersionOutOfTheOutbox) {
  file("a.yaml", dataplane("a", 1) + "---\n" + dataplane("a", 2));
  look();
  EXPECT_EQ(outbox_.versions_.size(), 1u);
  publisher_->work(now_ + 10s);
  EXPECT_EQ(outbox_.versions_.size(), 2u);
}

TEST_F(PublisherTest, ACrashBetweenPublicationAndMemoryPublishesNothingTwice) {
  file("a.yaml", dataplane("a", 1) + "---\n" + dataplane("a", 2));
  look();
  outbox_.acked_ = Revision{1};
  // The next version reaches the outbox, its line does not reach the disk.
  const std::string before = slurp(root_.path() / "publish.state");
  publisher_->work(now_);
  ASSERT_EQ(outbox_.versions_.size(), 2u);
  spill(root_.path() / "publish.state", before);
  restart();
  look();
  EXPECT_EQ(outbox_.versions_.size(), 2u);
  EXPECT_EQ(publisher_->status().totals.unchanged, 1u);
}

// A mounted ConfigMap: links to files of a hidden folder beside them.
TEST_F(PublisherTest, ALinkInsideTheDirectoryIsRead) {
  fs::create_directories(dir() / "..2026");
  file("..2026/a.yaml", dataplane("a", 1));
  fs::create_directory_symlink("..2026", dir() / "..data");
  fs::create_symlink("..data/a.yaml", dir() / "a.yaml");
  look();
  EXPECT_EQ(outbox_.versions_, std::vector<std::string>{"a"});
}

TEST_F(PublisherTest, ALinkThatLeadsOutOfTheDirectoryIsRefused) {
  spill(root_.path() / "secret.yaml", dataplane("secret", 1));
  fs::create_symlink(root_.path() / "secret.yaml", dir() / "a.yaml");
  fs::create_symlink("../secret.yaml", dir() / "b.yaml");
  file("c.yaml", dataplane("c", 1));
  look();
  EXPECT_EQ(outbox_.versions_, std::vector<std::string>{"c"});
  const PublisherStatus status = publisher_->status();
  ASSERT_EQ(status.refused.size(), 2u);
  EXPECT_EQ(status.refused[0].reason, "the link leads out of the directory");
}

TEST_F(PublisherTest, OneRefusedDocumentDoesNotStopItsBatch) {
  outbox_.refused_ = "b";
  file("a.yaml", dataplane("a", 1) + "---\n" + dataplane("b", 1) + "---\n" + dataplane("c", 1));
  look();
  EXPECT_EQ(outbox_.versions_, (std::vector<std::string>{"a", "c"}));
  const PublisherStatus status = publisher_->status();
  ASSERT_EQ(status.refused.size(), 1u);
  EXPECT_EQ(status.refused[0].file, "a.yaml");
  EXPECT_EQ(status.refused[0].key, "Dataplane/default/b@east");
  EXPECT_EQ(status.refused[0].reason, "too large for the hub");
  EXPECT_EQ(status.documents, status.totals.published + status.refused_count);
  look();
  EXPECT_EQ(log_->count("agent.publish.refused"), 1u);
}

TEST_F(PublisherTest, StorageTroubleIsShownAndTriedAgain) {
  outbox_.failure_ = Error{ErrorCode::storage_io, "no space left", ""};
  file("a.yaml", dataplane("a", 1));
  look();
  EXPECT_NE(publisher_->status().error.find("no space left"), std::string::npos);
  EXPECT_TRUE(publisher_->status().refused.empty());
  outbox_.failure_.reset();
  look();
  EXPECT_EQ(outbox_.versions_.size(), 1u);
  EXPECT_EQ(publisher_->status().error, "");
}

TEST_F(PublisherTest, WhatTheHubRejectsIsListedWithItsPlace) {
  file("a.yaml", dataplane("a", 1) + "---\n" + dataplane("b", 1));
  look();
  Verdict verdict;
  verdict.key = {"Dataplane", "default", "east", "b"};
  verdict.reject = {"forbidden", "", "not for this zone", false};
  outbox_.rejects_ = {verdict};
  const PublisherStatus status = publisher_->status();
  ASSERT_EQ(status.rejected.size(), 1u);
  EXPECT_EQ(status.rejected[0].file, "a.yaml");
  EXPECT_GT(status.rejected[0].line, 5);
  EXPECT_EQ(status.rejected[0].reason, "not for this zone");
}

TEST_F(PublisherTest, AHoldIsLoggedOnceAndReleased) {
  std::string all;
  for (int i = 0; i < 15; ++i) all += "---\n" + dataplane("d" + std::to_string(i), 1);
  file("a.yaml", all);
  look();
  outbox_.acked_ = Revision{outbox_.head_};
  fs::remove(dir() / "a.yaml");
  look();
  look();
  EXPECT_EQ(publisher_->status().held, (PublishHold{15, "mass_removal"}));
  EXPECT_EQ(log_->count("agent.publish.held"), 1u);
  EXPECT_EQ(outbox_.transactions_, 1u);
  publisher_->scan(true);
  publisher_->work(now_);
  EXPECT_EQ(publisher_->status().totals.removed, 15u);
  EXPECT_EQ(log_->count("agent.publish.released"), 1u);
  EXPECT_EQ(log_->count("agent.publish.removed"), 15u);
}

TEST_F(PublisherTest, ALargeDirectoryIsSplitIntoTransactions) {
  std::string all;
  for (int i = 0; i < 1201; ++i) all += "---\n" + dataplane("d" + std::to_string(i), 1);
  file("a.yaml", all);
  look();
  EXPECT_EQ(outbox_.versions_.size(), 1201u);
  EXPECT_GE(outbox_.transactions_, 3u);
}

TEST(PublishControl, AnOrderIsTakenOnce) {
  TemporaryDirectory store;
  EXPECT_FALSE(take_order(store.path(), Order::release));
  ASSERT_TRUE(give_order(store.path(), Order::release));
  EXPECT_FALSE(take_order(store.path(), Order::complete));
  EXPECT_TRUE(take_order(store.path(), Order::release));
  EXPECT_FALSE(take_order(store.path(), Order::release));
  EXPECT_FALSE(take_order({}, Order::release));
  EXPECT_EQ(give_order(store.path() / "none", Order::release).error().code,
            ErrorCode::not_found);
}

}  // namespace
}  // namespace zonesync::agent

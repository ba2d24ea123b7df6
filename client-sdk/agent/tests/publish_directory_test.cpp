#include <gtest/gtest.h>

#include "client-sdk/agent/file_io.hpp"
#include "client-sdk/agent/publish_directory.hpp"
#include "client-sdk/agent/tests/agent_fixture.hpp"

namespace zonesync::agent {
namespace {

std::string dataplane(const std::string& name, int port) {
  return "type: Dataplane\nmesh: default\nname: " + name +
         "\nnetworking:\n  address: 10.0.0.1\n  inbound:\n  - port: " + std::to_string(port) + "\n";
}

/// A directory on disk, scanned by hand; what would be published is collected instead.
class PublishDirectoryTest : public ::testing::Test {
 protected:
  PublishDirectoryTest() {
    spill(dir() / kPublishMarker, "");
    restart();
  }

  fs::path dir() const { return root_.path() / "publish"; }
  void file(const std::string& name, const std::string& content) { spill(dir() / name, content); }
  void remove(const std::string& name) { fs::remove(dir() / name); }

  void restart() {
    auto memory = PublishMemory::load(root_.path() / "publish.state", "east");
    ASSERT_TRUE(memory.has_value()) << describe(memory.error());
    memory_ = std::make_unique<PublishMemory>(std::move(*memory));
    publish_ = std::make_unique<PublishDirectory>("east", *memory_);
  }

  /// One scan and every round after it; returns what was done as "name:port" and "-name".
  std::vector<std::string> scan(bool release = false) {
    used_release_ = publish_->observe(scan_publish_directory(dir()), registry_, reader(), release);
    std::vector<std::string> done;
    for (auto round = publish_->next_round(); !round.empty(); round = publish_->next_round()) {
      for (const PublishStep& step : round) {
        if (!step.resource) {
          done.push_back("-" + step.key.name);
          live_.erase(step.key);
          publish_->done(step, false);
          continue;
        }
        if (step.resource->spec.find(forbidden_) != std::string::npos) {
          publish_->refuse(step, "the outbox says no");
          continue;
        }
        const std::string& spec = step.resource->spec;
        const auto port = spec.find("\"port\":") + 7;
        const bool unchanged = live_.contains(step.key) && live_[step.key] == spec;
        if (!unchanged) {
          done.push_back(step.key.name + ":" + spec.substr(port, spec.find('}', port) - port));
        }
        live_[step.key] = spec;
        publish_->done(step, unchanged);
      }
    }
    EXPECT_TRUE(memory_->flush().has_value());
    return done;
  }
  std::vector<std::string> scan_twice() {
    auto first = scan();
    auto second = scan();
    first.insert(first.end(), second.begin(), second.end());
    return first;
  }
  PublishDirectory::Reader reader() {
    return [this](const std::string& path) { return read_file(dir() / path, 1u << 20); };
  }
  void publish_many(int count) {
    for (int i = 0; i < count; ++i) {
      file("d" + std::to_string(i) + ".yaml", dataplane("d" + std::to_string(i), 80));
    }
    ASSERT_EQ(scan_twice().size(), static_cast<std::size_t>(count));
  }

  using List = std::vector<std::string>;
  TemporaryDirectory root_;
  const TypeRegistry registry_ = TypeRegistry::with_default_types();
  std::unique_ptr<PublishMemory> memory_;
  std::unique_ptr<PublishDirectory> publish_;
  std::map<ResourceKey, std::string> live_;
  std::string forbidden_ = "never";
  bool used_release_ = false;
};

TEST_F(PublishDirectoryTest, NewAndChangedDocumentsArePublishedAfterASecondLook) {
  file("a.yaml", dataplane("a", 1) + "---\n" + dataplane("b", 2));
  file("deep/er/c.json", R"({"type":"Dataplane","mesh":"default","name":"c",)"
                         R"("networking":{"inbound":[{"port":3}]}})");
  file("notes.txt", "not ours");
  file(".hidden.yaml", dataplane("hidden", 9));
  EXPECT_EQ(scan(), List{});
  EXPECT_EQ(scan(), (List{"a:1", "b:2", "c:3"}));
  EXPECT_EQ(scan(), List{});
  EXPECT_EQ(publish_->documents(), 3u);
  EXPECT_TRUE(publish_->complete());
  file("a.yaml", dataplane("a", 1) + "---\n" + dataplane("b", 22));
  EXPECT_EQ(scan_twice(), List{"b:22"});
  EXPECT_EQ(memory_->totals().published, 4u);
}

TEST_F(PublishDirectoryTest, RepeatedKeysAreVersionsInOrder) {
  file("a.yaml", dataplane("a", 1) + "---\n" + dataplane("a", 2) + "---\n" + dataplane("a", 2) +
                     "---\n" + dataplane("a", 1));
  file("b.yaml", dataplane("a", 7));
  EXPECT_EQ(scan_twice(), (List{"a:1", "a:2", "a:1", "a:7"}));
  EXPECT_EQ(memory_->totals().published, 4u);
  EXPECT_EQ(memory_->totals().unchanged, 1u);
  // Documents before the last are history: only what follows the common part is published.
  file("b.yaml", dataplane("a", 8));
  EXPECT_EQ(scan_twice(), List{"a:8"});
  remove("b.yaml");
  EXPECT_EQ(scan_twice(), List{"a:1"});
}

TEST_F(PublishDirectoryTest, ARoundHoldsOneVersionPerKey) {
  file("a.yaml", dataplane("a", 1) + "---\n" + dataplane("a", 2) + "---\n" + dataplane("b", 1));
  publish_->observe(scan_publish_directory(dir()), registry_, reader(), false);
  publish_->observe(scan_publish_directory(dir()), registry_, reader(), false);
  const auto round = publish_->next_round();
  ASSERT_EQ(round.size(), 2u);
  EXPECT_EQ(round[0].key.name, "a");
  EXPECT_EQ(round[1].key.name, "b");
}

TEST_F(PublishDirectoryTest, AFileBeingWrittenWaits) {
  file("a.yaml", dataplane("a", 1));
  EXPECT_EQ(scan(), List{});
  file("a.yaml", dataplane("a", 1) + "---\n" + dataplane("b", 1));
  EXPECT_EQ(scan(), List{});
  EXPECT_EQ(scan(), (List{"a:1", "b:1"}));
}

TEST_F(PublishDirectoryTest, AFileThatNeverRestsIsTakenInTheEnd) {
  List published;
  for (int i = 0; i < 20 && published.empty(); ++i) {
    file("a.yaml", dataplane("a", 1000 + i) + std::string(static_cast<std::size_t>(i), '\n'));
    published = scan();
  }
  EXPECT_EQ(published.size(), 1u);
}

TEST_F(PublishDirectoryTest, AnAbsentDocumentLeavesAfterTwoScansThatAgree) {
  publish_many(3);
  remove("d1.yaml");
  EXPECT_EQ(scan(), List{});
  EXPECT_EQ(publish_->held(), (PublishHold{1, "second_scan"}));
  EXPECT_EQ(scan(), List{"-d1"});
  EXPECT_EQ(publish_->held().count, 0u);
  EXPECT_EQ(memory_->totals().removed, 1u);
}

TEST_F(PublishDirectoryTest, AFileThatComesBackInTimeRemovesNothing) {
  publish_many(3);
  remove("d1.yaml");
  EXPECT_EQ(scan(), List{});
  file("d1.yaml", dataplane("d1", 80));
  EXPECT_EQ(scan_twice(), List{});
  EXPECT_EQ(live_.size(), 3u);
}

TEST_F(PublishDirectoryTest, ARenamedFileRemovesNothing) {
  publish_many(3);
  fs::rename(dir() / "d1.yaml", dir() / "renamed.yaml");
  EXPECT_EQ(scan_twice(), List{});
  EXPECT_EQ(scan_twice(), List{});
  EXPECT_EQ(live_.size(), 3u);
}

TEST_F(PublishDirectoryTest, AnUnmountedDirectoryRemovesNothing) {
  publish_many(3);
  fs::rename(dir(), root_.path() / "elsewhere");
  EXPECT_EQ(scan_twice(), List{});
  EXPECT_EQ(publish_->held(), (PublishHold{3, "directory_missing"}));
  fs::create_directories(dir());  // the empty mount point
  EXPECT_EQ(scan_twice(), List{});
  EXPECT_EQ(publish_->held(), (PublishHold{3, "marker_missing"}));
  EXPECT_EQ(scan(true), List{});  // a release does not lift this
  EXPECT_FALSE(used_release_);
  fs::remove_all(dir());
  fs::rename(root_.path() / "elsewhere", dir());
  EXPECT_EQ(scan_twice(), List{});
  EXPECT_EQ(publish_->held().count, 0u);
  EXPECT_EQ(live_.size(), 3u);
}

TEST_F(PublishDirectoryTest, AnUnmountAcrossARestartRemovesNothing) {
  publish_many(3);
  fs::rename(dir(), root_.path() / "elsewhere");
  restart();
  EXPECT_EQ(scan_twice(), List{});
  EXPECT_EQ(publish_->held(), (PublishHold{3, "directory_missing"}));
  fs::rename(root_.path() / "elsewhere", dir());
  EXPECT_EQ(scan_twice(), List{});
  EXPECT_EQ(live_.size(), 3u);
}

TEST_F(PublishDirectoryTest, AbsenceBeforeTheMarkerCameDoesNotCountAsAScan) {
  publish_many(2);
  remove("d1.yaml");
  remove(kPublishMarker);
  EXPECT_EQ(scan_twice(), List{});
  file(kPublishMarker, "");
  EXPECT_EQ(scan(), List{});
  EXPECT_EQ(scan(), List{"-d1"});
}

TEST_F(PublishDirectoryTest, AnIncompleteListingRemovesNothing) {
  publish_many(2);
  remove("d1.yaml");
  PublishScan broken = scan_publish_directory(dir());
  broken.problem = "cannot list sub: Input/output error";
  for (int i = 0; i < 3; ++i) publish_->observe(broken, registry_, reader(), false);
  EXPECT_TRUE(publish_->next_round().empty());
  EXPECT_EQ(live_.size(), 2u);
  EXPECT_FALSE(publish_->complete());
  restart();
  for (int i = 0; i < 3; ++i) publish_->observe(broken, registry_, reader(), false);
  EXPECT_TRUE(publish_->next_round().empty());
  EXPECT_EQ(publish_->held(), (PublishHold{1, "listing_failed"}));
}

TEST_F(PublishDirectoryTest, TenMayLeaveElevenAreHeldUntilReleased) {
  publish_many(30);
  for (int i = 0; i < 10; ++i) remove("d" + std::to_string(i) + ".yaml");
  EXPECT_EQ(scan_twice().size(), 10u);
  for (int i = 10; i < 21; ++i) remove("d" + std::to_string(i) + ".yaml");
  EXPECT_EQ(scan_twice(), List{});
  EXPECT_EQ(scan(), List{});
  EXPECT_EQ(publish_->held(), (PublishHold{11, "mass_removal"}));
  EXPECT_EQ(scan(true).size(), 11u);
  EXPECT_TRUE(used_release_);
  EXPECT_EQ(publish_->held().count, 0u);
}

TEST_F(PublishDirectoryTest, AFifthOfALargeSetMayLeave) {
  publish_many(100);
  for (int i = 0; i < 20; ++i) remove("d" + std::to_string(i) + ".yaml");
  EXPECT_EQ(scan_twice().size(), 20u);
  for (int i = 20; i < 37; ++i) remove("d" + std::to_string(i) + ".yaml");
  EXPECT_EQ(scan_twice(), List{});
  EXPECT_EQ(publish_->held(), (PublishHold{17, "mass_removal"}));
}

TEST_F(PublishDirectoryTest, AReleaseWithNothingHeldIsNotKeptForLater) {
  publish_many(20);
  scan(true);
  EXPECT_FALSE(used_release_);
  for (int i = 0; i < 15; ++i) remove("d" + std::to_string(i) + ".yaml");
  EXPECT_EQ(scan_twice(), List{});
  EXPECT_EQ(publish_->held(), (PublishHold{15, "mass_removal"}));
}

TEST_F(PublishDirectoryTest, AnUnreadableDocumentKeepsWhatItsFileHeld) {
  file("a.yaml", dataplane("a", 1) + "---\n" + dataplane("b", 1));
  EXPECT_EQ(scan_twice().size(), 2u);
  file("a.yaml", dataplane("a", 2) + "---\nname: [unclosed\n");
  EXPECT_EQ(scan_twice(), List{"a:2"});
  EXPECT_EQ(scan_twice(), List{});
  EXPECT_EQ(live_.size(), 2u);
  ASSERT_EQ(publish_->refused().size(), 1u);
  EXPECT_EQ(publish_->refused()[0].file, "a.yaml");
  EXPECT_GE(publish_->refused()[0].line, 8);
  EXPECT_NE(publish_->refused()[0].reason, "");
  EXPECT_FALSE(publish_->complete());
  restart();  // and still after a restart
  EXPECT_EQ(scan_twice(), List{});
  EXPECT_EQ(scan_twice(), List{});
  EXPECT_EQ(live_.size(), 2u);
  file("a.yaml", dataplane("a", 2));
  EXPECT_EQ(scan_twice(), List{});
  EXPECT_EQ(scan(), List{"-b"});
}

TEST_F(PublishDirectoryTest, RefusalsNameFileLineKeyAndReason) {
  file("a.yaml", dataplane("a", 1) + "---\ntype: Mesh\nname: default\n---\n" + dataplane("b", 1) +
                     "---\ntype: Nonsense\nname: x\n");
  EXPECT_EQ(scan_twice(), (List{"a:1", "b:1"}));
  const auto refused = publish_->refused();
  ASSERT_EQ(refused.size(), 2u);
  EXPECT_EQ(refused[0].key, "Mesh/-/default@east");
  EXPECT_NE(refused[0].reason, "");
  EXPECT_EQ(refused[0].line, 8);
  EXPECT_NE(refused[1].reason.find("Nonsense"), std::string::npos);
  EXPECT_EQ(publish_->documents(), 4u);
}

TEST_F(PublishDirectoryTest, WhatTheOutboxRefusesIsListedAndNotTriedAgain) {
  forbidden_ = "666";
  file("a.yaml", dataplane("a", 1) + "---\n" + dataplane("a", 666));
  EXPECT_EQ(scan_twice(), List{"a:1"});
  ASSERT_EQ(publish_->refused().size(), 1u);
  EXPECT_EQ(publish_->refused()[0].reason, "the outbox says no");
  EXPECT_EQ(scan_twice(), List{});
  file("a.yaml", dataplane("a", 666));  // its key stands: the accepted version stays
  EXPECT_EQ(scan_twice(), List{});
  EXPECT_EQ(live_.size(), 1u);
  file("a.yaml", dataplane("a", 3));
  EXPECT_EQ(scan_twice(), List{"a:3"});
  EXPECT_TRUE(publish_->refused().empty());
}

TEST_F(PublishDirectoryTest, ATypeRegisteredLaterIsPublishedThen) {
  file("a.yaml", "type: Widget\nname: w\nmesh: default\nspec:\n  port: 5\n");
  EXPECT_EQ(scan_twice(), List{});
  TypeRegistry more = TypeRegistry::with_default_types();
  ASSERT_TRUE(more.add({.name = "Widget", .plural = "widgets", .zone_to_global = true}));
  publish_->reconsider();
  publish_->observe(scan_publish_directory(dir()), more, reader(), false);
  EXPECT_EQ(publish_->next_round().size(), 1u);
  EXPECT_TRUE(publish_->refused().empty());
}

TEST_F(PublishDirectoryTest, ARestartNeitherRepublishesNorForgets) {
  file("a.yaml", dataplane("a", 1) + "---\n" + dataplane("a", 2));
  file("b.yaml", dataplane("b", 1));
  EXPECT_EQ(scan_twice().size(), 3u);
  live_.clear();  // anything published again would show
  restart();
  EXPECT_EQ(scan_twice(), List{});
  EXPECT_EQ(memory_->totals().published, 3u);
  remove("b.yaml");
  restart();
  EXPECT_EQ(scan(), List{});
  EXPECT_EQ(scan(), List{"-b"});
  restart();
  EXPECT_EQ(scan_twice(), List{});
  EXPECT_EQ(memory_->totals().removed, 1u);
}

TEST_F(PublishDirectoryTest, WhatIsLiveAlreadyCountsAsUnchanged) {
  file("a.yaml", dataplane("a", 1));
  EXPECT_EQ(scan_twice(), List{"a:1"});
  fs::remove(root_.path() / "publish.state");
  restart();
  EXPECT_EQ(scan_twice(), List{});
  EXPECT_EQ(memory_->totals().unchanged, 1u);
  EXPECT_EQ(memory_->totals().published, 0u);
}

TEST_F(PublishDirectoryTest, ATornStateLineIsDroppedAndAForeignStateMovedAside) {
  file("a.yaml", dataplane("a", 1));
  scan_twice();
  const fs::path state = root_.path() / "publish.state";
  std::ofstream(state, std::ios::app) << "{\"key\":[\"Data";
  restart();
  EXPECT_EQ(memory_->keys().size(), 1u);
  EXPECT_TRUE(memory_->moved_aside().empty());
  spill(state, "{\"format\":1,\"zone\":\"west\"}\n");
  restart();
  EXPECT_TRUE(memory_->keys().empty());
  EXPECT_TRUE(fs::exists(memory_->moved_aside()));
  EXPECT_EQ(scan_twice(), List{});  // live already; and nothing is removed
}

TEST_F(PublishDirectoryTest, TheStateFileIsRewrittenBeforeItGrowsWithoutBound) {
  file("a.yaml", dataplane("a", 0));
  scan_twice();
  const auto key = memory_->keys().begin()->first;
  for (int i = 0; i < 3000; ++i) {
    memory_->set_versions(key, {hash_bytes(std::to_string(i))}, {1, 0, 0});
    if (i % 100 != 0) continue;
    ASSERT_TRUE(memory_->flush());
  }
  ASSERT_TRUE(memory_->flush());
  EXPECT_LT(fs::file_size(root_.path() / "publish.state"), 300'000u);
  restart();
  EXPECT_EQ(memory_->totals().published, 3001u);
  EXPECT_EQ(memory_->keys().at(key).front(), hash_bytes("2999"));
}

}  // namespace
}  // namespace zonesync::agent

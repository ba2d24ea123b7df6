#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "client-sdk/agent/file_io.hpp"
#include "client-sdk/agent/mirror.hpp"
#include "client-sdk/agent/mirror_paths.hpp"
#include "client-sdk/agent/tests/agent_fixture.hpp"
#include "protocol/text/resource_text.hpp"

namespace zonesync::agent {
namespace {

using namespace std::chrono_literals;

class MirrorTest : public ::testing::Test {
 protected:
  MirrorTest() { reopen(); }

  void reopen() {
    mirror_ = std::make_unique<Mirror>(MirrorOptions{.dir = dir_.path(), .zone = "west"}, clock_);
  }
  MirrorResult reconcile() {
    auto result = mirror_->reconcile(content_);
    EXPECT_TRUE(result.has_value()) << describe(result.error());
    return result.value_or(MirrorResult{});
  }
  MirrorResult apply(const std::set<ResourceKey>& changed) {
    auto result = mirror_->apply(content_, changed);
    EXPECT_TRUE(result.has_value()) << describe(result.error());
    return result.value_or(MirrorResult{});
  }
  void put(const std::string& type, const std::string& name, int n) {
    content_.put(make_resource(type, "default", "global", name, n));
  }
  fs::path leaf(const std::string& type) const {
    return dir_.path() / "current" / "default" / type / "global";
  }
  std::size_t count(const char* folder) const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(dir_.path() / folder), fs::directory_iterator()));
  }
  std::string current() const {
    return fs::read_symlink(dir_.path() / "current").filename().string();
  }

  TemporaryDirectory dir_;
  ManualClock clock_;
  MapContent content_;
  std::unique_ptr<Mirror> mirror_;
};

TEST(MirrorPaths, ComponentsAreSafeAndNeverMeet) {
  EXPECT_EQ(encode_component("web-1.v2_x"), "web-1.v2_x");
  EXPECT_EQ(encode_component("a/b c"), "a%2Fb%20c");
  EXPECT_EQ(encode_component("100%"), "100%25");
  EXPECT_EQ(encode_component("."), "%2E");
  EXPECT_EQ(encode_component(".."), "%2E%2E");
  EXPECT_EQ(encode_component("..."), "...");
  EXPECT_EQ(encode_component("\xC3\xA9"), "%C3%A9");
  EXPECT_EQ(encode_mesh(""), "_global");
  EXPECT_EQ(encode_mesh("_global"), "%5Fglobal");
  EXPECT_EQ(encode_mesh(".cut.json"), "%2Ecut.json");
}

TEST(MirrorPaths, LongNamesKeepAPrefixAndAreToldApartByHash) {
  const std::string at_limit(200, 'a');
  EXPECT_EQ(encode_component(at_limit), at_limit);
  const std::string one = encode_component(std::string(201, 'a'));
  const std::string two = encode_component(std::string(202, 'a'));
  EXPECT_LE(one.size(), 200u);
  EXPECT_TRUE(one.starts_with(std::string(160, 'a') + '~'));
  EXPECT_NE(one, two);
  // An encoded byte is never cut in half.
  const std::string wide = encode_component(std::string(159, 'a') + std::string(60, ' '));
  EXPECT_EQ(wide.find('~'), 159u);
}

TEST_F(MirrorTest, FilesAreCanonicalJsonByteForByte) {
  const Resource odd = make_resource("MeshTimeout", "default", "global", "..", 1);
  const Resource mesh = make_resource("Mesh", "", "global", "default", 2);
  content_.put(odd);
  content_.put(mesh);
  content_.set_point(17);
  EXPECT_TRUE(reconcile().switched);
  EXPECT_EQ(slurp(leaf("MeshTimeout") / "%2E%2E.json"), resource_to_json(odd));
  EXPECT_EQ(slurp(dir_.path() / "current/_global/Mesh/global/default.json"),
            resource_to_json(mesh));
  EXPECT_EQ(current(), "17");
  const std::string about = slurp(dir_.path() / "current/.cut.json");
  EXPECT_TRUE(about.starts_with("{\"digest\":\"")) << about;
  EXPECT_NE(about.find("\"revision\":17,\"zone\":\"west\"}"), std::string::npos) << about;
  EXPECT_EQ(mirror_->shown(), Revision{17});
}

TEST_F(MirrorTest, ACutCostsWhatChanged) {
  for (int i = 0; i < 1000; ++i) put("MeshTimeout", "t" + std::to_string(i), i);
  for (int i = 0; i < 50; ++i) put("MeshRetry", "r" + std::to_string(i), i);
  content_.set_point(1);
  EXPECT_EQ(reconcile().files_written, 1050u);
  const fs::path retries = fs::canonical(leaf("MeshRetry"));
  struct stat before {};
  ASSERT_EQ(::stat((leaf("MeshTimeout") / "t7.json").c_str(), &before), 0);

  put("MeshTimeout", "t5", 5000);
  content_.set_point(2);
  const MirrorResult result = apply({timeout_key("t5"), timeout_key("t6")});
  EXPECT_TRUE(result.switched);
  EXPECT_EQ(result.dirs_built, 1u);
  EXPECT_EQ(result.files_written, 1u);
  EXPECT_EQ(result.files_linked, 999u);
  EXPECT_EQ(fs::canonical(leaf("MeshRetry")), retries);  // shared
  struct stat after {};
  ASSERT_EQ(::stat((leaf("MeshTimeout") / "t7.json").c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
}

TEST_F(MirrorTest, RemovedResourcesAndEmptyDirectoriesGo) {
  put("MeshTimeout", "a", 1);
  put("MeshRetry", "b", 1);
  content_.set_point(1);
  reconcile();
  content_.erase(timeout_key("a"));
  content_.set_point(2);
  apply({timeout_key("a")});
  EXPECT_FALSE(fs::exists(leaf("MeshTimeout")));
  EXPECT_TRUE(fs::exists(leaf("MeshRetry") / "b.json"));
}

TEST_F(MirrorTest, AReaderThatOpenedCurrentSeesOneCutForAMinute) {
  put("MeshTimeout", "a", 1);
  put("MeshRetry", "a", 1);
  content_.set_point(1);
  reconcile();
  const int cut = ::open((dir_.path() / "current").c_str(), O_RDONLY | O_DIRECTORY);
  ASSERT_GE(cut, 0);
  const auto read_at = [&](const char* path) {
    const int file = ::openat(cut, path, O_RDONLY);
    if (file < 0) return std::string("gone");
    std::string text(4096, '\0');
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(::read(file, text.data(), 4096), 0)));
    ::close(file);
    return text;
  };
  const std::string first = read_at("default/MeshTimeout/global/a.json");
  put("MeshTimeout", "a", 2);
  put("MeshRetry", "a", 2);
  content_.set_point(2);
  apply({timeout_key("a"), {"MeshRetry", "default", "global", "a"}});
  EXPECT_EQ(read_at("default/MeshTimeout/global/a.json"), first);
  EXPECT_NE(slurp(leaf("MeshTimeout") / "a.json"), first);
  clock_.advance(59s);
  mirror_->collect();
  EXPECT_EQ(read_at("default/MeshTimeout/global/a.json"), first);
  clock_.advance(1s);
  mirror_->collect();
  EXPECT_EQ(read_at("default/MeshTimeout/global/a.json"), "gone");
  ::close(cut);
  EXPECT_EQ(count(".cuts"), 1u);
  EXPECT_EQ(count(".dirs"), 2u);
}

TEST_F(MirrorTest, PacingKeepsBothTheMinuteAndTheBoundOfCuts) {
  put("MeshTimeout", "a", 0);
  content_.set_point(1);
  reconcile();
  for (int i = 1; i <= 100; ++i) {
    const Duration wait = mirror_->next_switch() - clock_.now();
    if (wait > Duration::zero()) clock_.advance(wait);
    put("MeshTimeout", "a", i);
    content_.set_point(static_cast<std::uint64_t>(i) + 1);
    const std::string oldest = current();
    apply({timeout_key("a")});
    ASSERT_LE(count(".cuts"), 64u);
    ASSERT_TRUE(fs::exists(dir_.path() / ".cuts" / oldest));
  }
  // Nothing was dropped before its minute: as many cuts as one minute of pacing makes.
  EXPECT_GE(count(".cuts"), 32u);
}

TEST_F(MirrorTest, TheSameRevisionAgainGetsASuffix) {
  put("MeshTimeout", "a", 1);
  content_.set_point(5);
  reconcile();
  put("MeshTimeout", "a", 2);  // a restored hub counts from an earlier place
  content_.set_point(5, 2);
  EXPECT_TRUE(reconcile().switched);
  EXPECT_EQ(current(), "5-2");
}

TEST_F(MirrorTest, ReconcilingWhatIsRightTouchesNothing) {
  put("MeshTimeout", "a", 1);
  content_.set_point(5);
  reconcile();
  reopen();
  const MirrorResult result = reconcile();
  EXPECT_FALSE(result.switched);
  EXPECT_EQ(result.files_written, 0u);
  EXPECT_EQ(mirror_->shown(), Revision{5});
}

TEST_F(MirrorTest, ReconcileRepairsWhatWasTamperedWithAndKeepsTheRest) {
  put("MeshTimeout", "a", 1);
  put("MeshTimeout", "b", 1);
  put("MeshRetry", "c", 1);
  content_.set_point(5);
  reconcile();
  const fs::path retries = fs::canonical(leaf("MeshRetry"));
  std::ofstream(leaf("MeshTimeout") / "a.json") << "torn";
  std::ofstream(leaf("MeshTimeout") / "foreign.json") << "{}";
  reopen();
  const MirrorResult result = reconcile();
  EXPECT_TRUE(result.switched);
  EXPECT_EQ(result.files_written, 1u);
  EXPECT_EQ(result.files_linked, 1u);
  EXPECT_EQ(slurp(leaf("MeshTimeout") / "a.json"),
            resource_to_json(make_resource("MeshTimeout", "default", "global", "a", 1)));
  EXPECT_FALSE(fs::exists(leaf("MeshTimeout") / "foreign.json"));
  EXPECT_EQ(fs::canonical(leaf("MeshRetry")), retries);
}

TEST_F(MirrorTest, ReconcileReplacesAnOlderANewerAndAMissingMirror) {
  put("MeshTimeout", "a", 1);
  content_.set_point(5);
  reconcile();
  for (const std::uint64_t revision : {3u, 9u}) {
    put("MeshTimeout", "a", static_cast<int>(revision));
    content_.set_point(revision);
    reopen();
    EXPECT_TRUE(reconcile().switched);
    EXPECT_EQ(current(), std::to_string(revision));
  }
  fs::remove(dir_.path() / "current");
  reopen();
  EXPECT_TRUE(reconcile().switched);
  EXPECT_EQ(current(), "9-2");
  fs::remove_all(dir_.path() / ".dirs");
  reopen();
  EXPECT_TRUE(reconcile().switched);
  EXPECT_TRUE(fs::exists(leaf("MeshTimeout") / "a.json"));
}

TEST_F(MirrorTest, HalfMadeThingsOfAKilledRunAreRemoved) {
  put("MeshTimeout", "a", 1);
  content_.set_point(1);
  reconcile();
  fs::create_directories(dir_.path() / ".cuts/2.tmp/default");
  fs::create_directories(dir_.path() / ".dirs/ff");
  fs::create_symlink("nowhere", dir_.path() / "current.tmp");
  reopen();
  reconcile();
  EXPECT_EQ(count(".cuts"), 1u);
  EXPECT_EQ(count(".dirs"), 1u);
  put("MeshTimeout", "a", 2);
  content_.set_point(2);
  EXPECT_TRUE(apply({timeout_key("a")}).switched);
}

TEST_F(MirrorTest, AForeignCurrentIsNotTouched) {
  fs::create_directories(dir_.path() / "current");
  const auto result = mirror_->reconcile(content_);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::conflict);
  EXPECT_TRUE(fs::is_directory(dir_.path() / "current"));
}

TEST_F(MirrorTest, AFailedWriteLeavesTheOldCutAndCanBeRepeated) {
  put("MeshTimeout", "a", 1);
  content_.set_point(1);
  reconcile();
  put("MeshTimeout", "b", 1);
  content_.set_point(2);
  content_.lose(timeout_key("b"));  // the write fails after the directory was made
  const auto failed = mirror_->reconcile(content_);
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(current(), "1");
  EXPECT_EQ(count(".dirs"), 1u);
  content_.lose({});
  EXPECT_TRUE(apply({timeout_key("b")}).switched);
  EXPECT_TRUE(fs::exists(leaf("MeshTimeout") / "b.json"));
}

TEST_F(MirrorTest, AFolderThatWasRemovedBelowItComesBackWhole) {
  put("MeshTimeout", "a", 1);
  content_.set_point(1);
  reconcile();
  fs::remove_all(dir_.path() / ".cuts");
  fs::remove_all(dir_.path() / ".dirs");
  fs::remove(dir_.path() / "current");
  put("MeshTimeout", "b", 1);
  content_.set_point(2);
  EXPECT_TRUE(apply({timeout_key("b")}).switched);
  EXPECT_TRUE(fs::exists(leaf("MeshTimeout") / "a.json"));
  EXPECT_TRUE(fs::exists(leaf("MeshTimeout") / "b.json"));
}

}  // namespace
}  // namespace zonesync::agent

// Versions with the writer as bases of patches (ZIP-14).
#include "server/hub/up_versions.hpp"

#include <gtest/gtest.h>

namespace zonesync::hub {
namespace {

UpCommit piece(const std::string& name, char fill, std::size_t bytes = 2'000) {
  UpChange change;
  change.staged.change.key = {"Dataplane", "default", "east", name};
  change.staged.change.payload = SharedBytes(std::string(bytes, fill));
  change.staged.change.hash = hash_bytes(change.staged.change.payload.view());
  UpCommit commit;
  commit.changes.push_back(std::move(change));
  return commit;
}

SharedBytes find(const UpVersions& versions, const UpCommit& commit) {
  const Change& change = commit.changes[0].staged.change;
  return versions.find(change.key, change.hash);
}

// ZIP-14
TEST(UpVersions, AreKnownUntilTheirPieceIsAnswered) {
  UpVersions versions;
  const UpCommit first = piece("a", '1'), second = piece("a", '2'), other = piece("b", '3');
  versions.submitted(first);
  EXPECT_FALSE(find(versions, first).empty());
  versions.submitted(second);
  versions.submitted(other);
  EXPECT_TRUE(find(versions, first).empty()) << "the newest version only";
  versions.answered();
  EXPECT_FALSE(find(versions, second).empty()) << "its own piece is still there";
  versions.answered();
  EXPECT_TRUE(find(versions, second).empty());
  EXPECT_FALSE(find(versions, other).empty());
  versions.answered();
  EXPECT_TRUE(find(versions, other).empty());
}

TEST(UpVersions, SmallVersionsAreNoBases) {
  UpVersions versions;
  const UpCommit small = piece("a", '1', 100);
  versions.submitted(small);
  EXPECT_TRUE(find(versions, small).empty());
}

}  // namespace
}  // namespace zonesync::hub

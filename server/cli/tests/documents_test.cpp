#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "server/cli/documents.hpp"

namespace zonesync::cli {
namespace {

namespace fs = std::filesystem;

/// A directory of its own, removed at the end.
class DocumentFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/zonesync-documents-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& name, const std::string& text) {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }
  Outcome<Documents> read(const std::vector<std::string>& paths, const std::string& input = {}) {
    std::istringstream in(input);
    return read_documents(paths, in, registry_, {});
  }

  fs::path root_;
  TypeRegistry registry_ = TypeRegistry::with_default_types();
};

Document document(const std::string& name, std::size_t bytes = 10) {
  return {"f", 1, {"MeshTimeout", "default", "global", name}, std::string(bytes, 'x')};
}

std::vector<std::size_t> sizes(const std::vector<Document>& documents, const BatchLimits& limits) {
  std::vector<std::size_t> counts;
  for (const auto& batch : cut_batches(documents, limits)) counts.push_back(batch.size());
  return counts;
}

TEST_F(DocumentFiles, DirectoryIsReadInOrderOfPaths) {
  write("b.yaml", "type: Mesh\nname: second\n");
  write("a/deep.json", R"({"type":"Mesh","name":"first"})");
  write("c.yml", "type: Mesh\nname: third\n---\ntype: Mesh\nname: fourth\n");
  write("README.md", "not a document");
  const auto documents = read({root_.string()});
  ASSERT_TRUE(documents);
  std::vector<std::string> names;
  for (const Document& found : documents->good) names.push_back(found.key.name);
  EXPECT_EQ(names, (std::vector<std::string>{"first", "second", "third", "fourth"}));
  EXPECT_TRUE(documents->refused.empty());
}

TEST_F(DocumentFiles, PathsAndInputKeepTheirOrder) {
  write("x.yaml", "type: Mesh\nname: file\n");
  const auto documents = read({"-", (root_ / "x.yaml").string()}, "type: Mesh\nname: input\n");
  ASSERT_TRUE(documents);
  ASSERT_EQ(documents->good.size(), 2u);
  EXPECT_EQ(documents->good[0].key.name, "input");
  EXPECT_EQ(documents->good[0].file, "-");
  EXPECT_EQ(documents->good[1].key.name, "file");
}

TEST_F(DocumentFiles, BrokenJsonFileIsOneRefusal) {
  write("x.json", "{\"type\":");
  const auto documents = read({root_.string()});
  ASSERT_TRUE(documents);
  ASSERT_EQ(documents->refused.size(), 1u);
  EXPECT_EQ(documents->refused[0].file, (root_ / "x.json").string());
  EXPECT_FALSE(documents->refused[0].reason.empty());
}

TEST_F(DocumentFiles, DirectoryWithoutDocumentsIsAUsageError) {
  write("README.md", "nothing");
  const auto documents = read({root_.string()});
  ASSERT_FALSE(documents);
  EXPECT_EQ(documents.error().exit, Exit::usage);
}

TEST(Batches, NothingGivesNothing) { EXPECT_TRUE(cut_batches({}).empty()); }

TEST(Batches, CountAndBytesAreBounded) {
  const std::vector<Document> documents = {document("a"), document("b"), document("c")};
  EXPECT_EQ(sizes(documents, {}), (std::vector<std::size_t>{3}));
  EXPECT_EQ(sizes(documents, {.documents = 2}), (std::vector<std::size_t>{2, 1}));
  EXPECT_EQ(sizes(documents, {.bytes = 25}), (std::vector<std::size_t>{2, 1}));
}

TEST(Batches, ADocumentOverTheBoundGoesAlone) {
  const std::vector<Document> documents = {document("a"), document("b", 100), document("c")};
  EXPECT_EQ(sizes(documents, {.bytes = 50}), (std::vector<std::size_t>{1, 1, 1}));
}

TEST(Batches, RepeatedKeyBeginsANewOne) {
  const std::vector<Document> documents = {document("a"), document("b"), document("a"),
                                           document("a"), document("b")};
  EXPECT_EQ(sizes(documents, {}), (std::vector<std::size_t>{2, 1, 2}));
}

}  // namespace
}  // namespace zonesync::cli

#include "client-sdk/agent/mirror_disk.hpp"

#include <algorithm>
#include <system_error>
#include <vector>

#include "client-sdk/agent/file_io.hpp"
#include "protocol/model/limits.hpp"

namespace zonesync::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMirrorFileMaxBytes = 2 * limits::kDocumentMaxBytes;

std::vector<fs::path> entries_of(const fs::path& dir) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator at(dir, error), end; !error && at != end; at.increment(error)) {
    entries.push_back(at->path());
  }
  return entries;
}

/// Calls `visit(leaf path, link)` for every third-level entry.
template <class Visit>
void for_each_leaf(const fs::path& cut, Visit&& visit) {
  std::error_code error;
  for (const fs::path& mesh : entries_of(cut)) {
    if (!fs::is_directory(fs::symlink_status(mesh, error))) continue;
    for (const fs::path& type : entries_of(mesh)) {
      if (!fs::is_directory(fs::symlink_status(type, error))) continue;
      for (const fs::path& origin : entries_of(type)) {
        visit(mesh.filename().string() + '/' + type.filename().string() + '/' +
                  origin.filename().string(),
              origin);
      }
    }
  }
}

/// The id when the link is `../../../../.dirs/<id>`.
std::string id_of_link(const fs::path& link) {
  std::error_code error;
  const fs::path target = fs::read_symlink(link, error);
  if (error) return {};
  const std::string id = target.filename().string();
  return target == fs::path("../../../../.dirs") / id ? id : std::string();
}

}  // namespace

std::set<std::string> ids_of_cut(const fs::path& cut) {
  std::set<std::string> ids;
  for_each_leaf(cut, [&](const std::string&, const fs::path& link) {
    if (auto id = id_of_link(link); !id.empty()) ids.insert(std::move(id));
  });
  return ids;
}

MirrorTree read_cut(const fs::path& cut) {
  MirrorTree tree;
  for_each_leaf(cut, [&](const std::string& path, const fs::path& link) {
    auto leaf = std::make_shared<MirrorLeaf>();
    leaf->id = id_of_link(link);
    for (const fs::path& file : entries_of(link)) {
      auto content = read_file(file, kMirrorFileMaxBytes);
      // A hash that no content has: differs from everything.
      const Hash128 hash = content ? hash_bytes(*content) : Hash128{};
      leaf->files.emplace(file.filename().string(), MirrorFile{{}, hash});
    }
    tree.emplace(path, std::move(leaf));
  });
  return tree;
}

bool same_files(const MirrorLeaf& a, const MirrorLeaf& b) {
  return std::equal(a.files.begin(), a.files.end(), b.files.begin(), b.files.end(),
                    [](const auto& x, const auto& y) {
                      return x.first == y.first && x.second.content == y.second.content;
                    });
}

}  // namespace zonesync::agent

#include "client-sdk/agent/mirror.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "client-sdk/agent/file_io.hpp"
#include "client-sdk/agent/mirror_disk.hpp"
#include "client-sdk/agent/mirror_paths.hpp"
#include "protocol/text/resource_text.hpp"

namespace zonesync::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUnfinished = ".tmp";

std::string hex_of(std::uint64_t number) {
  char text[17];
  const auto end = std::to_chars(text, text + sizeof text, number, 16).ptr;
  return std::string(text, end);
}

std::uint64_t number_of(const std::string& hex) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(hex.data(), hex.data() + hex.size(), number, 16);
  return read.ptr == hex.data() + hex.size() ? number : 0;
}

ResourceKey key_of(const MirrorLeaf& leaf, const std::string& name) {
  ResourceKey key = leaf.key;
  key.name = name;
  return key;
}

/// Leaves of `content`, not on disk yet.
MirrorTree wanted_tree(const MirrorContent& content) {
  std::map<std::string, MirrorLeaf> leaves;
  content.for_each([&](const Resource& resource) {
    MirrorLeaf& leaf = leaves[leaf_path(resource.key)];
    leaf.key = resource.key;
    leaf.key.name.clear();
    leaf.files[file_name(resource.key)] =
        MirrorFile{resource.key.name, hash_bytes(resource_to_json(resource))};
  });
  MirrorTree tree;
  for (auto& [path, leaf] : leaves) {
    tree.emplace(path, std::make_shared<const MirrorLeaf>(std::move(leaf)));
  }
  return tree;
}

Status link_to(const fs::path& target, const fs::path& link) {
  std::error_code error;
  fs::create_symlink(target, link, error);
  if (error) return io_failure("link", link, error.value());
  return {};
}

}  // namespace

Mirror::Mirror(MirrorOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock) {}

/// Finds what an earlier run left: its current cut, older cuts that readers may still hold (kept as
/// if replaced now), and half-made things, which go.
Status Mirror::open() {
  if (opened_) return {};
  if (auto made = make_directories(options_.dir / ".cuts"); !made) return made;
  if (auto made = make_directories(options_.dir / ".dirs"); !made) return made;
  std::error_code error;
  const fs::path link = options_.dir / "current";
  const auto kind = fs::symlink_status(link, error).type();
  if (kind != fs::file_type::symlink && kind != fs::file_type::not_found) {
    return fail(ErrorCode::conflict,
                "'current' is not a link made by a mirror; move it away or choose another folder",
                link.string());
  }
  kept_.clear();
  ids_.clear();
  current_.clear();
  if (kind == fs::file_type::symlink) {
    const fs::path target = fs::read_symlink(link, error);
    if (target.parent_path() == ".cuts") current_ = target.filename().string();
  }
  for (const auto& entry : fs::directory_iterator(options_.dir / ".cuts", error)) {
    const std::string name = entry.path().filename().string();
    std::error_code ignored;
    if (name.ends_with(kUnfinished)) {
      fs::remove_all(entry.path(), ignored);
    } else if (name != current_) {
      kept_.push_back(Kept{name, ids_of_cut(entry.path()), clock_.now()});
    }
  }
  if (error) return io_failure("read", options_.dir / ".cuts", error.value());
  for (const auto& entry : fs::directory_iterator(options_.dir / ".dirs", error)) {
    const std::string id = entry.path().filename().string();
    ids_.insert(id);
    next_id_ = std::max(next_id_, number_of(id) + 1);
  }
  if (error) return io_failure("read", options_.dir / ".dirs", error.value());
  opened_ = true;
  return {};
}

/// Somebody removed the folder below us: it is made anew, from nothing.
void Mirror::forget_if_gone() {
  std::error_code ignored;
  if (!opened_ || (fs::is_directory(options_.dir / ".cuts", ignored) &&
                   fs::is_directory(options_.dir / ".dirs", ignored))) {
    return;
  }
  opened_ = false;
  tree_.clear();
  about_.clear();
}

Result<MirrorResult> Mirror::reconcile(const MirrorContent& content) {
  forget_if_gone();
  if (auto status = open(); !status) return fail(status.error());
  if (!current_.empty()) {
    const fs::path cut = options_.dir / ".cuts" / current_;
    tree_ = read_cut(cut);
    auto about = read_file(cut / ".cut.json", 4096);
    about_ = about ? std::move(*about) : std::string();
  }
  MirrorTree wanted = wanted_tree(content);
  for (auto& [path, leaf] : wanted) {
    const auto old = tree_.find(path);
    if (old == tree_.end() || old->second->id.empty() || !same_files(*old->second, *leaf)) continue;
    MirrorLeaf same = *leaf;
    same.id = old->second->id;
    leaf = std::make_shared<const MirrorLeaf>(std::move(same));
  }
  return show(content, std::move(wanted));
}

Result<MirrorResult> Mirror::apply(const MirrorContent& content,
                                   const std::set<ResourceKey>& changed) {
  forget_if_gone();
  if (!opened_ || current_.empty()) return reconcile(content);
  std::map<std::string, MirrorLeaf> touched;
  for (const ResourceKey& key : changed) {
    const std::string path = leaf_path(key);
    const auto old = tree_.find(path);
    const auto resource = content.get(key);
    const std::string file = file_name(key);
    const MirrorFile* before = nullptr;
    if (const auto leaf = touched.find(path); leaf != touched.end()) {
      if (const auto at = leaf->second.files.find(file); at != leaf->second.files.end()) {
        before = &at->second;
      }
    } else if (old != tree_.end()) {
      if (const auto at = old->second->files.find(file); at != old->second->files.end()) {
        before = &at->second;
      }
    }
    if (!resource && before == nullptr) continue;
    MirrorFile after{key.name, {}};
    if (resource) after.content = hash_bytes(resource_to_json(*resource));
    if (resource && before != nullptr && before->content == after.content) continue;
    auto [leaf, first] = touched.try_emplace(path);
    if (first && old != tree_.end()) leaf->second = *old->second;
    leaf->second.id.clear();
    leaf->second.key = key;
    leaf->second.key.name.clear();
    if (resource) {
      leaf->second.files[file] = std::move(after);
    } else {
      leaf->second.files.erase(file);
    }
  }
  MirrorTree wanted = tree_;
  for (auto& [path, leaf] : touched) {
    if (leaf.files.empty()) {
      wanted.erase(path);
    } else {
      wanted[path] = std::make_shared<const MirrorLeaf>(std::move(leaf));
    }
  }
  return show(content, std::move(wanted));
}

/// Makes what `wanted` lacks on disk, then the cut, then switches.
Result<MirrorResult> Mirror::show(const MirrorContent& content, MirrorTree wanted) {
  const MirrorPoint point = content.point();
  const std::string about_text = about(point);
  const auto made = [](const auto& entry) { return !entry.second->id.empty(); };
  MirrorResult result;
  result.cut = current_;
  if (about_text == about_ && std::all_of(wanted.begin(), wanted.end(), made) &&
      wanted.size() == tree_.size()) {
    tree_ = std::move(wanted);
    revision_ = point.revision;
    drop_unreferenced();
    return result;
  }
  const auto give_up = [this](const Error& error) {
    drop_unreferenced();
    return fail(error);
  };
  for (auto& [path, leaf] : wanted) {
    if (!leaf->id.empty()) continue;
    const auto old = tree_.find(path);
    auto built = build_leaf(content, old == tree_.end() ? nullptr : old->second.get(), *leaf,
                            result);
    if (!built) return give_up(built.error());
    leaf = std::move(*built);
  }
  result.cut = free_cut_name(point.revision);
  const fs::path cut = options_.dir / ".cuts" / result.cut;
  if (auto status = build_cut(cut, wanted, about_text); !status) return give_up(status.error());
  std::error_code error;
  const fs::path staged = options_.dir / ("current" + std::string(kUnfinished));
  fs::remove(staged, error);
  Status status = link_to(fs::path(".cuts") / result.cut, staged);
  if (status) {
    fs::rename(staged, options_.dir / "current", error);
    if (error) status = io_failure("switch", options_.dir / "current", error.value());
  }
  if (!status) {
    fs::remove_all(cut, error);
    return give_up(status.error());
  }
  if (!current_.empty()) {
    kept_.push_back(Kept{current_, ids_of_cut(options_.dir / ".cuts" / current_), clock_.now()});
  }
  tree_ = std::move(wanted);
  current_ = result.cut;
  about_ = about_text;
  revision_ = point.revision;
  switched_ = clock_.now();
  result.switched = true;
  collect();
  return result;
}

Result<std::shared_ptr<const MirrorLeaf>> Mirror::build_leaf(const MirrorContent& content,
                                                             const MirrorLeaf* old,
                                                             MirrorLeaf wanted,
                                                             MirrorResult& result) {
  wanted.id = hex_of(next_id_++);
  ids_.insert(wanted.id);
  const fs::path dir = options_.dir / ".dirs" / wanted.id;
  std::error_code error;
  fs::create_directory(dir, error);
  if (error) return io_failure("create", dir, error.value());
  ++result.dirs_built;
  for (const auto& [file, about_file] : wanted.files) {
    if (old != nullptr && !old->id.empty()) {
      const auto same = old->files.find(file);
      if (same != old->files.end() && same->second.content == about_file.content) {
        fs::create_hard_link(options_.dir / ".dirs" / old->id / file, dir / file, error);
        if (!error) {
          ++result.files_linked;
          continue;
        }  // too many links, or somebody removed it: write it
      }
    }
    const auto resource = content.get(key_of(wanted, about_file.name));
    if (!resource) {
      return fail(ErrorCode::internal, "the snapshot lost a resource; please report",
                  (dir / file).string());
    }
    auto written = write_new_file(dir / file, resource_to_json(*resource));
    if (!written) return fail(written.error());
    ++result.files_written;
  }
  return std::make_shared<const MirrorLeaf>(std::move(wanted));
}

Status Mirror::build_cut(const fs::path& cut, const MirrorTree& tree,
                         const std::string& about_text) const {
  const fs::path staged = cut.string() + std::string(kUnfinished);
  std::error_code error;
  fs::remove_all(staged, error);
  if (auto made = make_directories(staged); !made) return made;
  Status status = write_new_file(staged / ".cut.json", about_text);
  fs::path parent;
  for (auto leaf = tree.begin(); status && leaf != tree.end(); ++leaf) {
    const fs::path link = staged / leaf->first;
    if (link.parent_path() != parent) {
      parent = link.parent_path();
      status = make_directories(parent);
      if (!status) break;
    }
    status = link_to(fs::path("../../../../.dirs") / leaf->second->id, link);
  }
  if (status) {
    fs::rename(staged, cut, error);
    if (error) status = io_failure("rename", cut, error.value());
  }
  if (!status) {
    std::error_code ignored;
    fs::remove_all(staged, ignored);
  }
  return status;
}

std::string Mirror::about(const MirrorPoint& point) const {
  // Members in canonical order; zone names need no escaping.
  return "{\"digest\":\"" + to_string(point.digest) + "\",\"era\":\"" + to_hex(point.era.id) +
         "\",\"revision\":" + std::to_string(point.revision.value) + ",\"zone\":\"" +
         options_.zone + "\"}";
}

std::string Mirror::free_cut_name(Revision revision) const {
  const std::string base = std::to_string(revision.value);
  std::string name = base;
  std::error_code error;
  for (int suffix = 2; fs::exists(fs::symlink_status(options_.dir / ".cuts" / name, error));
       ++suffix) {
    name = base + '-' + std::to_string(suffix);
  }
  return name;
}

void Mirror::collect() {
  std::error_code error;
  const TimePoint now = clock_.now();
  const auto too_many = [this] { return kept_.size() + 1 > options_.max_cuts; };
  while (!kept_.empty() && (now - kept_.front().replaced >= options_.keep || too_many())) {
    fs::remove_all(options_.dir / ".cuts" / kept_.front().name, error);
    kept_.pop_front();
  }
  drop_unreferenced();
}

void Mirror::drop_unreferenced() {
  std::set<std::string> used;
  for (const auto& [path, leaf] : tree_) used.insert(leaf->id);
  for (const Kept& cut : kept_) used.insert(cut.ids.begin(), cut.ids.end());
  for (auto id = ids_.begin(); id != ids_.end();) {
    if (used.contains(*id)) {
      ++id;
      continue;
    }
    std::error_code error;
    fs::remove_all(options_.dir / ".dirs" / *id, error);
    id = error ? std::next(id) : ids_.erase(id);
  }
}

TimePoint Mirror::next_switch() const {
  if (kept_.size() < options_.fast_cuts) return switched_;
  const auto room = options_.max_cuts > options_.fast_cuts + 1
                        ? options_.max_cuts - options_.fast_cuts - 1 : 1;
  return switched_ + options_.keep / static_cast<Duration::rep>(room);
}

std::optional<Revision> Mirror::shown() const { return revision_; }

}  // namespace zonesync::agent

// What the agent's tests share: a temporary folder, resources, a content to mirror.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "client-sdk/agent/mirror.hpp"
#include "protocol/model/resource.hpp"

namespace zonesync::agent {

namespace fs = std::filesystem;

/// Removed at the end of its scope.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (fs::temp_directory_path() / "zonesync-agent-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryDirectory() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

inline std::string slurp(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream content;
  content << stream.rdbuf();
  return std::move(content).str();
}

inline void spill(const fs::path& file, const std::string& content) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << content;
}

inline Resource make_resource(const std::string& type, const std::string& mesh,
                              const std::string& origin, const std::string& name, int n) {
  return {{type, mesh, origin, name}, {}, "{\"n\":" + std::to_string(n) + "}", {}};
}

inline ResourceKey timeout_key(const std::string& name) {
  return {"MeshTimeout", "default", "global", name};
}

class MapContent final : public MirrorContent {
 public:
  void put(Resource resource) {
    const ResourceKey key = resource.key;
    resources_[key] = std::move(resource);
  }
  void erase(const ResourceKey& key) { resources_.erase(key); }
  void set_point(std::uint64_t revision, std::uint8_t era = 1) {
    point_.revision = Revision{revision};
    point_.era.id.bytes[0] = era;
    point_.digest.count = resources_.size();
  }
  /// get() finds nothing for this key.
  void lose(ResourceKey key) { lost_ = std::move(key); }

  [[nodiscard]] MirrorPoint point() const override { return point_; }
  [[nodiscard]] std::optional<Resource> get(const ResourceKey& key) const override {
    const auto found = resources_.find(key);
    if (found == resources_.end() || key == lost_) return std::nullopt;
    return found->second;
  }
  void for_each(const std::function<void(const Resource&)>& visit) const override {
    for (const auto& [key, resource] : resources_) visit(resource);
  }

 private:
  std::map<ResourceKey, Resource> resources_;
  MirrorPoint point_;
  ResourceKey lost_;
};

}  // namespace zonesync::agent

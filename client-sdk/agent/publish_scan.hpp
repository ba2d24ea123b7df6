// One look at a publish directory: names and stamps, no content.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace zonesync::agent {

inline constexpr const char* kPublishMarker = ".zonesync-publish";

/// Equal stamps mean: nobody wrote in between, as far as a file system can tell.
struct FileStamp {
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  std::uint64_t inode = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

struct PublishScan {
  bool present = false;                    // the directory itself is there
  bool marker = false;                     // and so is its `.zonesync-publish`
  std::string problem;                     // not empty: the listing is not complete
  std::map<std::string, FileStamp> files;  // relative path -> stamp, *.yaml *.yml *.json
};

/// Lists `dir` and its subdirectories. Skipped: names that start with a dot, links to directories,
/// everything that is no regular file. Links to files count (a mounted ConfigMap is made of them);
/// read_file_within refuses those that lead outside. Never fails: troubles are in the result.
[[nodiscard]] PublishScan scan_publish_directory(const std::filesystem::path& dir);

}  // namespace zonesync::agent

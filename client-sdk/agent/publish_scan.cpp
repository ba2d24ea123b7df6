#include "client-sdk/agent/publish_scan.hpp"

#include <system_error>

#include <sys/stat.h>

#include "protocol/model/limits.hpp"

namespace zonesync::agent {
namespace {

namespace fs = std::filesystem;

constexpr int kDepthMax = 32;

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

bool is_document(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".yaml" || extension == ".yml" || extension == ".json";
}

void list(const fs::path& dir, const std::string& prefix, int depth, PublishScan& scan) {
  if (depth > kDepthMax) {
    scan.problem = prefix + ": more than " + std::to_string(kDepthMax) + " levels";
    return;
  }
  std::error_code error;
  for (fs::directory_iterator at(dir, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with('.')) continue;
    std::error_code failed;
    if (fs::is_directory(at->symlink_status(failed))) {
      list(at->path(), prefix + name + '/', depth + 1, scan);
      continue;
    }
    if (!is_document(at->path())) continue;
    struct stat about {};
    if (::stat(at->path().c_str(), &about) != 0 || !S_ISREG(about.st_mode)) continue;
    if (scan.files.size() >= limits::kDocumentsMax) {
      scan.problem = "more than " + std::to_string(limits::kDocumentsMax) + " files";
      return;
    }
    scan.files.emplace(prefix + name,
                       FileStamp{static_cast<std::uint64_t>(about.st_size),
                                 nanoseconds(about.st_mtim), nanoseconds(about.st_ctim),
                                 static_cast<std::uint64_t>(about.st_ino)});
  }
  if (error) scan.problem = "cannot list " + dir.string() + ": " + error.message();
}

}  // namespace

PublishScan scan_publish_directory(const fs::path& dir) {
  PublishScan scan;
  std::error_code error;
  scan.present = fs::is_directory(dir, error);
  if (!scan.present) return scan;
  list(dir, "", 0, scan);
  scan.marker = fs::is_regular_file(dir / kPublishMarker, error);
  return scan;
}

}  // namespace zonesync::agent

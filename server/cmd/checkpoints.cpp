#include "server/cmd/checkpoints.hpp"

#include <algorithm>

#include <sys/stat.h>

#include "storage/rocksdb/offline_store.hpp"

namespace zonesync {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNameMaxBytes = 64;

bool is_name_byte(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '.';
}

/// What a crash left half made is removed: only the caller makes checkpoints here.
std::size_t checkpoints_in(const fs::path& folder) {
  std::error_code error;
  std::size_t count = 0;
  std::vector<fs::path> half_made;
  for (const auto& item : fs::directory_iterator(folder, error)) {
    if (!item.is_directory(error)) continue;
    const bool made = !item.path().filename().string().ends_with(kMakingSuffix);
    if (made) {
      ++count;
    } else {
      half_made.push_back(item.path());
    }
  }
  for (const fs::path& path : half_made) fs::remove_all(path, error);
  return count;
}

}  // namespace

Status check_checkpoint_name(const std::string& name) {
  const bool good = !name.empty() && name.size() <= kNameMaxBytes && name.front() != '.' &&
                    std::all_of(name.begin(), name.end(), is_name_byte);
  if (good) return {};
  return fail(ErrorCode::invalid_argument,
              "the name of a checkpoint has letters, digits, '-', '_' and '.', at most 64, and "
              "does not begin with '.'",
              "name");
}

Result<hub::CheckpointInfo> make_checkpoint(ChangeLog& log, const fs::path& folder,
                                            std::string name) {
  const LogState state = log.state();
  if (name.empty()) name = "revision-" + std::to_string(state.head.value);
  if (Status status = check_checkpoint_name(name); !status) return fail(status.error());
  std::error_code error;
  fs::create_directories(folder.parent_path(), error);
  ::mkdir(folder.c_str(), 0700);  // a failure shows when the copy is made
  if (checkpoints_in(folder) >= kCheckpointsMax) {
    return fail(ErrorCode::resource_exhausted,
                "there are " + std::to_string(kCheckpointsMax) +
                    " checkpoints already, and each keeps old files alive; move some away",
                folder.string());
  }
  const std::string directory = (folder / name).string();
  if (Status status = log.checkpoint(directory); !status) return fail(std::move(status.error()));
  return hub::CheckpointInfo{name, directory, state.head, state.current_era()};
}

}  // namespace zonesync

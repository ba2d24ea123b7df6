// A temporary directory, and patience with one generous deadline.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace zonesync::integration {

/// Everything a real process could be slow at on a busy machine; only failures ever wait this long.
inline constexpr std::chrono::milliseconds kDeadline = std::chrono::minutes(1);

/// Removed with everything in it at the end; kept when ZONESYNC_KEEP is set.
class Workspace {
 public:
  Workspace();
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// Asks `ready` again and again until it says yes or the deadline passed.
[[nodiscard]] bool eventually(const std::function<bool()>& ready,
                              std::chrono::milliseconds deadline = kDeadline);
[[nodiscard]] std::string read_file(const std::filesystem::path& path);
/// Atomic: written beside and renamed.
void write_file(const std::filesystem::path& path, const std::string& text, unsigned mode = 0600);
/// Path of one of our programs.
[[nodiscard]] std::string program(const std::string& name);

/// Runs a program to its end. Output is stdout and stderr together.
struct RunResult {
  int code = -1;
  std::string output;
};
[[nodiscard]] RunResult run(const std::vector<std::string>& argv);

}  // namespace zonesync::integration

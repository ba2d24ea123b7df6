#include "conformance/integration/support/workspace.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "protocol/model/assert.hpp"
#include "protocol/runtime/child_process.hpp"

namespace zonesync::integration {

Workspace::Workspace() {
  std::string pattern = (std::filesystem::temp_directory_path() / "zonesync-XXXXXX").string();
  ZS_ASSERT(::mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

Workspace::~Workspace() {
  if (std::getenv("ZONESYNC_KEEP") != nullptr) {
    std::cerr << "kept: " << path_ << "\n";
    return;
  }
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

bool eventually(const std::function<bool()>& ready, std::chrono::milliseconds deadline) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  while (!ready()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // between two looks, not a wait
  }
  return true;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_file(const std::filesystem::path& path, const std::string& text, unsigned mode) {
  const std::filesystem::path beside = path.string() + ".new";
  std::ofstream(beside, std::ios::binary) << text;
  ZS_ASSERT(::chmod(beside.c_str(), static_cast<mode_t>(mode)) == 0);
  std::filesystem::rename(beside, path);
}

std::string program(const std::string& name) { return ZONESYNC_BIN_DIR "/" + name; }

RunResult run(const std::vector<std::string>& argv) {
  ChildProcess::Options options;
  options.argv = argv;
  options.keep_lines = 100'000;
  auto child = ChildProcess::start(std::move(options));
  if (!child) return {-1, describe(child.error())};
  const auto exit = (*child)->wait(kDeadline);
  RunResult result;
  result.output = (*child)->recent_lines(100'000);
  result.code = exit && exit->signal == 0 ? exit->code : -1;
  return result;
}

}  // namespace zonesync::integration

#include "conformance/campaigns/memory_group.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace zonesync::campaigns {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUnified = "/sys/fs/cgroup";
constexpr std::string_view kOld = "/sys/fs/cgroup/memory";

bool write_to(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  return static_cast<bool>((file << text).flush());
}

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The number behind `name` in "name number" lines; 0 = none.
std::uint64_t number_of(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  std::string word;
  std::uint64_t value = 0;
  while (lines >> word >> value) {
    if (word == name) return value;
  }
  return 0;
}

/// This process's group of the memory controller: children of it are ours to make.
std::string own_group(bool unified) {
  std::istringstream lines(content_of("/proc/self/cgroup"));
  for (std::string line; std::getline(lines, line);) {
    const auto name = line.find(':');
    const auto path = line.find(':', name + 1);
    if (name == std::string::npos || path == std::string::npos) continue;
    const std::string controllers = line.substr(name + 1, path - name - 1);
    if (controllers == (unified ? "" : "memory")) return line.substr(path + 1);
  }
  return "/";
}

}  // namespace

Result<MemoryGroup> MemoryGroup::create(std::uint64_t limit_bytes) {
  const bool unified = fs::exists(std::string(kUnified) + "/cgroup.controllers");
  const std::string root(unified ? kUnified : kOld);
  const std::string limit_file = unified ? "/memory.max" : "/memory.limit_in_bytes";
  const std::string name = "/zonesync-campaign-" + std::to_string(::getpid());
  // Ours first; where the own group may have no children, one beside it.
  for (const std::string& parent : {root + own_group(unified), root}) {
    if (unified) static_cast<void>(write_to(parent + "/cgroup.subtree_control", "+memory"));
    const std::string path = parent + name;
    std::error_code failed;
    fs::create_directory(path, failed);
    if (failed) continue;
    if (write_to(path + limit_file, std::to_string(limit_bytes))) return MemoryGroup(path, unified);
    fs::remove(path, failed);
  }
  return fail(ErrorCode::unsupported, "no control group with a memory limit can be made", root);
}

MemoryGroup::MemoryGroup(MemoryGroup&& other) noexcept
    : path_(std::move(other.path_)), unified_(other.unified_) {
  other.path_.clear();
}

MemoryGroup::~MemoryGroup() {
  if (path_.empty()) return;
  std::error_code ignored;
  fs::remove(path_, ignored);
}

Status MemoryGroup::add(pid_t pid) {
  if (write_to(path_ + "/cgroup.procs", std::to_string(pid))) return {};
  return fail(ErrorCode::unsupported, "a process cannot be put into a control group", path_);
}

std::uint64_t MemoryGroup::most_bytes() const {
  const std::string file = unified_ ? "/memory.peak" : "/memory.max_usage_in_bytes";
  return std::strtoull(content_of(path_ + file).c_str(), nullptr, 10);
}

std::uint64_t MemoryGroup::kills() const {
  const std::string file = unified_ ? "/memory.events" : "/memory.oom_control";
  return number_of(content_of(path_ + file), "oom_kill");
}

}  // namespace zonesync::campaigns

// A limit on the memory of one process, page cache included, by a control group of its own.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "protocol/model/result.hpp"

namespace zonesync::campaigns {

/// Life cycle: create, add processes, removed at the end, when they are gone.
/// Thread rule: one thread.
class MemoryGroup {
 public:
  /// Errors: unsupported (no memory controller that we may use).
  [[nodiscard]] static Result<MemoryGroup> create(std::uint64_t limit_bytes);
  MemoryGroup(MemoryGroup&& other) noexcept;
  MemoryGroup& operator=(MemoryGroup&&) = delete;
  ~MemoryGroup();

  /// What the process takes from now on counts. Errors: unsupported.
  Status add(pid_t pid);
  /// The most it ever took.
  [[nodiscard]] std::uint64_t most_bytes() const;
  /// How often the kernel killed something in it.
  [[nodiscard]] std::uint64_t kills() const;

 private:
  MemoryGroup(std::string path, bool unified) : path_(std::move(path)), unified_(unified) {}
  std::string path_;
  bool unified_;      // cgroup v2
};

}  // namespace zonesync::campaigns

#include "protocol/runtime/core_dumps.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace zonesync {
namespace {

/// Why a crash leaves no core here whatever a program does; empty = it would.
std::string no_core_because() {
  rlimit limit{};
  ::getrlimit(RLIMIT_CORE, &limit);
  if (limit.rlim_max == 0) return "the hard limit of core files is 0";
  std::string pattern;
  std::getline(std::ifstream("/proc/sys/kernel/core_pattern"), pattern);
  if (pattern.empty()) return "kernel.core_pattern is empty";
  return {};
}

/// A child that wants a core and dies of `signal`; whether the kernel dumped one.
bool dumps_core(int signal, bool disabled) {
  std::string pattern = (std::filesystem::temp_directory_path() / "zonesync-core-XXXXXX").string();
  const std::string directory = ::mkdtemp(pattern.data());
  const pid_t child = ::fork();
  if (child == 0) {
    rlimit limit{};
    ::getrlimit(RLIMIT_CORE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_CORE, &limit);
    if (::chdir(directory.c_str()) != 0) ::_exit(1);
    if (disabled) disable_core_dumps();
    std::signal(signal, SIG_DFL);
    ::raise(signal);
    ::_exit(2);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status)) << status;
  const bool empty = std::filesystem::is_empty(directory);
  std::filesystem::remove_all(directory);
  return WCOREDUMP(status) || !empty;
}

TEST(CoreDumps, ACrashLeavesNone) {
  for (const int signal : {SIGABRT, SIGSEGV}) EXPECT_FALSE(dumps_core(signal, true)) << signal;
}

/// Holds wherever it runs, also where the environment allows no core.
TEST(CoreDumps, LimitAndDumpableAreOff) {
  const pid_t child = ::fork();
  if (child == 0) {
    disable_core_dumps();
    rlimit limit{1, 1};
    ::getrlimit(RLIMIT_CORE, &limit);
    ::_exit(limit.rlim_max == 0 && ::prctl(PR_GET_DUMPABLE) == 0 ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(CoreDumps, TheCheckCanFail) {
  if (const std::string why = no_core_because(); !why.empty()) {
    GTEST_SKIP() << "this environment allows no core at all (" << why
                 << "): that ours leave none is shown by LimitAndDumpableAreOff alone";
  }
  EXPECT_TRUE(dumps_core(SIGABRT, false));
}

}  // namespace
}  // namespace zonesync

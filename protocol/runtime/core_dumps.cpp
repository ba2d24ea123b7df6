#include "protocol/runtime/core_dumps.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>

namespace zonesync {

void disable_core_dumps() {
  const rlimit none{0, 0};
  static_cast<void>(::setrlimit(RLIMIT_CORE, &none));
  // Also where the kernel pipes cores to a program, which does not heed the limit.
  static_cast<void>(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
}

}  // namespace zonesync

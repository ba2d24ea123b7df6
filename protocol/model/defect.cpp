#include "protocol/model/defect.hpp"

#ifdef ZONESYNC_DEFECTS

namespace zonesync::defects {

Switches& switches() {
  static thread_local Switches current;
  return current;
}

bool buggify(unsigned percent) {
  Switches& run = switches();
  if (!run.buggify) return false;
  run.draws += 0x9e3779b97f4a7c15ull;
  std::uint64_t z = run.draws;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return (z ^ (z >> 31)) % 100 < percent;
}

}  // namespace zonesync::defects

#endif

#include "storage/random_id.hpp"

#include <cstring>
#include <random>

namespace zonesync {

Id128 random_id() {
  std::random_device device;
  Id128 id;
  for (std::size_t i = 0; i < id.bytes.size(); i += 4) {
    const std::uint32_t word = device();
    std::memcpy(id.bytes.data() + i, &word, sizeof word);
  }
  return id;
}

}  // namespace zonesync

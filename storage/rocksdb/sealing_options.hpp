// Encryption at rest as a log's owner wants it.
#pragma once

#include <functional>
#include <string_view>

#include "storage/sealing/master_key.hpp"

namespace zonesync {

struct SealingOptions {
  sealing::MasterKeyPtr key;     // opens what is sealed, and seals; null = none
  bool seal = true;              // false = new values stay readable, `key` only opens old ones
  /// Refuse to store values of sensitive types unsealed. False = tests, and tools that only look.
  bool required = false;
  std::function<bool(std::string_view type)> sensitive;  // empty = no type is
  /// Types that are sealed too when there is a key: they hold hashes of what is sensitive.
  std::function<bool(std::string_view type)> guarded;
};

}  // namespace zonesync

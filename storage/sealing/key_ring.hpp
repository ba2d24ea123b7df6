// The data keys of one log. Each lies in the log wrapped by the master key; the newest seals, all
// that are there open.
//
// Life cycle: fill with generate and unwrap, then share. Thread rule: const functions from any
// thread once nobody fills it any more.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/model/ids.hpp"
#include "storage/sealing/master_key.hpp"

namespace zonesync::sealing {

class KeyRing {
 public:
  /// A data key as it lies in the log.
  struct Wrapped {
    std::uint32_t id = 0;
    std::string value;
  };

  explicit KeyRing(const Id128& log_id) : log_id_(log_id) {}

  /// A new newest key, wrapped. Errors: internal.
  [[nodiscard]] Result<Wrapped> generate(const MasterKey& master);
  /// Errors: forbidden (wrapped by another master key: the text names both), storage_corrupt.
  [[nodiscard]] Status unwrap(const Wrapped& wrapped, const MasterKey& master);
  /// All keys, wrapped by another master key. Errors: internal.
  [[nodiscard]] Result<std::vector<Wrapped>> wrap_all(const MasterKey& master) const;

  [[nodiscard]] bool empty() const { return keys_.empty(); }
  [[nodiscard]] std::size_t size() const { return keys_.size(); }
  /// Id of the key that seals; 0 = none.
  [[nodiscard]] std::uint32_t active() const { return keys_.empty() ? 0 : keys_.rbegin()->first; }

  /// key id u32 | sealed bytes. Errors: internal.
  [[nodiscard]] Result<std::string> seal(std::string_view bound, std::string_view plain) const;
  /// Errors: storage_corrupt (changed, moved, or a key that is not there).
  [[nodiscard]] Result<std::string> open(std::string_view bound, std::string_view blob) const;
  /// Which key sealed; nothing when these are not sealed bytes.
  [[nodiscard]] static std::optional<std::uint32_t> key_of(std::string_view blob);

 private:
  [[nodiscard]] std::string bound_of(std::uint32_t id) const;
  [[nodiscard]] Result<Wrapped> wrap(std::uint32_t id, const Key& key,
                                     const MasterKey& master) const;
  Id128 log_id_;
  std::map<std::uint32_t, Key> keys_;
};

/// The master key's id in a wrapped key; nothing when it is unreadable.
[[nodiscard]] std::optional<std::string> master_of(std::string_view wrapped);

}  // namespace zonesync::sealing

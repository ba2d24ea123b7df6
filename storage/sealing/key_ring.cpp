#include "storage/sealing/key_ring.hpp"

#include "storage/byte_codec.hpp"

namespace zonesync::sealing {
namespace {

constexpr std::string_view kWrapDomain = "zonesync data key 1";
constexpr std::size_t kIdBytes = 4;

}  // namespace

std::string KeyRing::bound_of(std::uint32_t id) const {
  ByteWriter out;
  out.raw(kWrapDomain);
  out.id(log_id_);
  out.u32(id);
  return out.take();
}

Result<KeyRing::Wrapped> KeyRing::wrap(std::uint32_t id, const Key& key,
                                       const MasterKey& master) const {
  auto sealed = aead_seal(master.key, bound_of(id), key.expose());
  if (!sealed) return fail(std::move(sealed.error()));
  ByteWriter out;
  out.text(master.id);
  out.raw(*sealed);
  return Wrapped{id, out.take()};
}

Result<KeyRing::Wrapped> KeyRing::generate(const MasterKey& master) {
  auto key = random_key();
  if (!key) return fail(std::move(key.error()));
  const std::uint32_t id = active() + 1;
  auto wrapped = wrap(id, *key, master);
  if (wrapped) keys_.emplace(id, *key);
  return wrapped;
}

std::optional<std::string> master_of(std::string_view wrapped) {
  ByteReader in(wrapped);
  std::string id(in.text());
  if (!in.ok()) return std::nullopt;
  return id;
}

Status KeyRing::unwrap(const Wrapped& wrapped, const MasterKey& master) {
  ByteReader in(wrapped.value);
  const std::string by(in.text());
  const std::string_view sealed = in.rest();
  if (!in.done() || wrapped.id == 0) {
    return fail(ErrorCode::storage_corrupt, "a data key of the log is unreadable");
  }
  if (by != master.id) {
    return fail(ErrorCode::forbidden, "the log is sealed with master key " + by +
                                          ", the key file holds key " + master.id +
                                          "; give the file that holds it: after a change of "
                                          "keys KEYFILE, KEYFILE.new or KEYFILE.old-" + by);
  }
  auto bytes = aead_open(master.key, bound_of(wrapped.id), sealed);
  if (!bytes) return fail(std::move(bytes.error()));
  if (bytes->size() != Key::kBytes) {
    return fail(ErrorCode::storage_corrupt, "a data key of the log has a wrong length");
  }
  keys_.insert_or_assign(wrapped.id, Key(*bytes));
  wipe(*bytes);
  return {};
}

Result<std::vector<KeyRing::Wrapped>> KeyRing::wrap_all(const MasterKey& master) const {
  std::vector<Wrapped> all;
  for (const auto& [id, key] : keys_) {
    auto wrapped = wrap(id, key, master);
    if (!wrapped) return fail(std::move(wrapped.error()));
    all.push_back(std::move(*wrapped));
  }
  return all;
}

Result<std::string> KeyRing::seal(std::string_view bound, std::string_view plain) const {
  if (keys_.empty()) return fail(ErrorCode::internal, "there is no key to seal with");
  auto sealed = aead_seal(keys_.rbegin()->second, bound, plain);
  if (!sealed) return sealed;
  ByteWriter out;
  out.u32(active());
  out.raw(*sealed);
  return out.take();
}

std::optional<std::uint32_t> KeyRing::key_of(std::string_view blob) {
  if (blob.size() < kIdBytes) return std::nullopt;
  ByteReader in(blob);
  return in.u32();
}

Result<std::string> KeyRing::open(std::string_view bound, std::string_view blob) const {
  const auto id = key_of(blob);
  const auto key = id ? keys_.find(*id) : keys_.end();
  if (key == keys_.end()) {
    return fail(ErrorCode::storage_corrupt,
                "a sealed value names data key " + std::to_string(id.value_or(0)) +
                    ", which the log does not hold");
  }
  return aead_open(key->second, bound, blob.substr(kIdBytes));
}

}  // namespace zonesync::sealing

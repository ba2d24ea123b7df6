#include "server/cmd/encryption.hpp"

#include "server/auth/secret.hpp"
#include "server/hub/system_entries.hpp"

namespace zonesync {

Result<sealing::MasterKeyPtr> read_master_key(const std::filesystem::path& file) {
  const auto text = auth::read_secret_file(file, sealing::kMasterKeyFileMaxBytes);
  if (!text) return fail(text.error());
  return sealing::parse_master_key(text->expose(), file.string());
}

Result<sealing::MasterKeyPtr> create_master_key(const std::filesystem::path& file) {
  auto key = sealing::generate_master_key();
  if (!key) return key;
  const auth::Secret text(sealing::to_text(**key));
  if (Status status = auth::write_secret_file(file, text.expose()); !status) {
    return fail(std::move(status.error()));
  }
  const auto folder = std::filesystem::absolute(file).parent_path();
  if (Status status = auth::sync_directory(folder); !status) return fail(status.error());
  return key;
}

Result<SealingOptions> sealing_of(const HubConfig& config) {
  SealingOptions options;
  if (!config.encryption_key_file.empty()) {
    auto key = read_master_key(config.encryption_key_file);
    if (!key) return fail(std::move(key.error()));
    options.key = std::move(*key);
  }
  options.seal = config.encrypt;
  options.required = config.encrypt;
  options.sensitive = [types = config.registry](std::string_view type) {
    const TypeInfo* info = types->find(type);
    return info != nullptr && info->sensitive;
  };
  // They hold hashes over requests and offers.
  options.guarded = [](std::string_view type) {
    return type == hub::kIdempotencyType || type == hub::kOfferType;
  };
  return options;
}

}  // namespace zonesync

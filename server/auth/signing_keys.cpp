#include "server/auth/signing_keys.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <system_error>

#include <sys/stat.h>

namespace zonesync::auth {
namespace {

namespace fs = std::filesystem;

struct KeyFile {
  std::uint32_t number = 0;
  bool is_private = false;
};

std::string file_prefix(KeyPurpose purpose) {
  return std::string(to_string(purpose)) + "-token-signing-key-";
}

std::string key_id(KeyPurpose purpose, std::uint32_t number) {
  return std::string(to_string(purpose)) + "-" + std::to_string(number);
}

/// `<prefix><n>.pem` or `<prefix><n>.pub.pem` with n >= 1 in its shortest form; nothing for others.
std::optional<KeyFile> parse_file_name(std::string_view name, KeyPurpose purpose) {
  const std::string prefix = file_prefix(purpose);
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  KeyFile file;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), file.number);
  if (error != std::errc() || file.number == 0 || name.front() == '0') return std::nullopt;
  name.remove_prefix(static_cast<std::size_t>(end - name.data()));
  file.is_private = name == ".pem";
  if (!file.is_private && name != ".pub.pem") return std::nullopt;
  return file;
}

Result<JwtKey> read_key(const fs::path& path, KeyPurpose purpose, const KeyFile& file) {
  std::string kid = key_id(purpose, file.number);
  const auto locate = [&](Error error) {
    if (error.field.empty()) error.field = path.string();
    return fail(std::move(error));
  };
  if (file.is_private) {
    const auto pem = read_secret_file(path, kKeyFileMaxBytes);
    if (!pem) return fail(pem.error());
    auto key = JwtKey::from_private_pem(std::move(kid), pem->expose());
    if (!key) return locate(key.error());
    return key;
  }
  const auto pem = read_public_file(path, kKeyFileMaxBytes);
  if (!pem) return fail(pem.error());
  auto key = JwtKey::from_public_pem(std::move(kid), *pem);
  if (!key) return locate(key.error());
  return key;
}

/// All key files of a purpose, by number; of a pair, the private half is kept.
Result<std::map<std::uint32_t, JwtKey>> read_keys(const fs::path& directory, KeyPurpose purpose) {
  std::map<std::uint32_t, JwtKey> keys;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    const auto file = parse_file_name(it->path().filename().string(), purpose);
    if (!file) continue;
    auto key = read_key(it->path(), purpose, *file);
    if (!key) return fail(key.error());
    const auto [place, is_new] = keys.try_emplace(file->number, *key);
    if (!is_new) {
      if (!place->second.same_public_key(*key)) {
        return fail(ErrorCode::invalid_argument,
                    "two different keys have the number " + std::to_string(file->number) +
                        "; remove the wrong file",
                    it->path().string());
      }
      if (key->can_sign()) place->second = std::move(*key);
    }
    if (keys.size() > kSigningKeysMax) {
      return fail(ErrorCode::too_large,
                  "more than " + std::to_string(kSigningKeysMax) +
                      " signing keys; delete those that are no longer used",
                  directory.string());
    }
  }
  if (error == std::errc::no_such_file_or_directory) {
    return fail(ErrorCode::not_found, "the directory of the signing keys does not exist",
                directory.string());
  }
  if (error) {
    return fail(ErrorCode::storage_io, "cannot read the directory: " + error.message(),
                directory.string());
  }
  return keys;
}

}  // namespace

std::string_view to_string(KeyPurpose purpose) {
  return purpose == KeyPurpose::zone ? "zone" : "api";
}

Result<SigningKeys> SigningKeys::load(const fs::path& directory, KeyPurpose purpose) {
  auto found = read_keys(directory, purpose);
  if (!found) return fail(found.error());
  if (found->empty()) {
    return fail(ErrorCode::not_found,
                "no " + file_prefix(purpose) + "<n>.pem or .pub.pem here; make one with "
                "`zonesync-hub init`, or copy a public key",
                directory.string());
  }
  std::vector<JwtKey> keys;
  for (auto& [number, key] : *found) keys.push_back(std::move(key));
  return from_keys(purpose, std::move(keys));
}

SigningKeys SigningKeys::from_keys(KeyPurpose purpose, std::vector<JwtKey> keys) {
  SigningKeys result;
  result.purpose_ = purpose;
  result.keys_ = std::move(keys);
  return result;
}

Result<std::uint32_t> SigningKeys::rotate(const fs::path& directory, KeyPurpose purpose,
                                          JwtAlgorithm algorithm) {
  std::error_code error;
  if (!fs::exists(directory, error)) {
    if (directory.has_parent_path()) fs::create_directories(directory.parent_path(), error);
    if (::mkdir(directory.c_str(), 0700) != 0 && !fs::is_directory(directory, error)) {
      return fail(ErrorCode::storage_io, "cannot create the directory", directory.string());
    }
  }
  const auto present = read_keys(directory, purpose);
  if (!present) return fail(present.error());
  if (present->size() >= kSigningKeysMax) {
    return fail(ErrorCode::too_large, "too many signing keys; delete those no longer used",
                directory.string());
  }
  const std::uint32_t number = present->empty() ? 1 : present->rbegin()->first + 1;
  const auto key = JwtKey::generate(key_id(purpose, number), algorithm);
  if (!key) return fail(key.error());
  const auto pem = key->private_pem();
  if (!pem) return fail(pem.error());
  const fs::path path = directory / (file_prefix(purpose) + std::to_string(number) + ".pem");
  if (auto written = write_secret_file(path, pem->expose()); !written) return fail(written.error());
  if (auto synced = sync_directory(directory); !synced) return fail(synced.error());
  return number;
}

Result<const JwtKey*> SigningKeys::signing_key() const {
  if (keys_.empty()) {
    return fail(ErrorCode::not_found, "there is no signing key for " +
                                          std::string(to_string(purpose_)) + " tokens");
  }
  if (!keys_.back().can_sign()) {
    return fail(ErrorCode::invalid_argument,
                "the newest key, " + keys_.back().kid() +
                    ", is only here as a public key; issue tokens where its private half is");
  }
  return &keys_.back();
}

}  // namespace zonesync::auth

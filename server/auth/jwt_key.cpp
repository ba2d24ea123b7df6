#include <cstring>

#include "server/auth/jwt.hpp"
#include "server/auth/openssl.hpp"

namespace zonesync::auth {
namespace {

constexpr int kRsaMinBits = 2048;
constexpr int kRsaMaxBits = 8192;
constexpr unsigned kRsaNewBits = 3072;

}  // namespace

std::string_view to_string(JwtAlgorithm algorithm) {
  return algorithm == JwtAlgorithm::es256 ? "ES256" : "RS256";
}

Result<JwtKey> JwtKey::adopt(std::string kid, evp_pkey_st* key, bool can_sign) {
  JwtKey adopted;
  adopted.kid_ = std::move(kid);
  adopted.key_ = std::shared_ptr<evp_pkey_st>(key, &EVP_PKEY_free);
  adopted.can_sign_ = can_sign;
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
    char group[64] = {};
    std::size_t size = 0;
    EVP_PKEY_get_group_name(key, group, sizeof group, &size);
    if (std::strcmp(group, "prime256v1") != 0) {
      return fail(ErrorCode::invalid_argument, "an EC signing key must be on curve P-256");
    }
    adopted.algorithm_ = JwtAlgorithm::es256;
    return adopted;
  }
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
    const int bits = EVP_PKEY_get_bits(key);
    if (bits < kRsaMinBits || bits > kRsaMaxBits) {
      return fail(ErrorCode::invalid_argument, "an RSA signing key must have 2048 to 8192 bits");
    }
    adopted.algorithm_ = JwtAlgorithm::rs256;
    return adopted;
  }
  return fail(ErrorCode::invalid_argument, "a signing key must be EC P-256 or RSA");
}

Result<JwtKey> JwtKey::from_private_pem(std::string kid, std::string_view pem) {
  EVP_PKEY* key = openssl::private_key_from_pem(pem).release();
  if (key == nullptr) {
    return fail(ErrorCode::invalid_argument, "not an unencrypted private key in PEM form");
  }
  return adopt(std::move(kid), key, true);
}

Result<JwtKey> JwtKey::from_public_pem(std::string kid, std::string_view pem) {
  const auto bio = openssl::reading_bio(pem);
  EVP_PKEY* key = nullptr;
  if (bio) key = PEM_read_bio_PUBKEY(bio.get(), nullptr, &openssl::no_password, nullptr);
  openssl::clear_errors();
  if (key == nullptr) return fail(ErrorCode::invalid_argument, "not a public key in PEM form");
  return adopt(std::move(kid), key, false);
}

Result<JwtKey> JwtKey::generate(std::string kid, JwtAlgorithm algorithm) {
  EVP_PKEY* key = algorithm == JwtAlgorithm::es256 ? EVP_EC_gen("P-256") : EVP_RSA_gen(kRsaNewBits);
  openssl::clear_errors();
  if (key == nullptr) return fail(ErrorCode::internal, "generating a key failed");
  return adopt(std::move(kid), key, true);
}

bool JwtKey::same_public_key(const JwtKey& other) const {
  const bool same = EVP_PKEY_eq(key_.get(), other.key_.get()) == 1;
  openssl::clear_errors();
  return same;
}

Result<Secret> JwtKey::private_pem() const {
  if (!can_sign_) {
    return fail(ErrorCode::invalid_argument, "only the public half of key " + kid_ + " is here");
  }
  return openssl::private_key_to_pem(key_.get());
}

Result<std::string> JwtKey::public_pem() const {
  const openssl::BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_PUBKEY(bio.get(), key_.get()) != 1) {
    openssl::clear_errors();
    return fail(ErrorCode::internal, "writing a public key as PEM failed");
  }
  return openssl::bio_text(bio.get());
}

}  // namespace zonesync::auth

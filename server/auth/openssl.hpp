// Owners for OpenSSL handles and its error queue. Internal to server/auth.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "server/auth/secret.hpp"

namespace zonesync::auth::openssl {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* handle) const {
    Free(handle);
  }
};

using BioPtr = std::unique_ptr<BIO, Deleter<&BIO_free_all>>;
using BignumPtr = std::unique_ptr<BIGNUM, Deleter<&BN_free>>;
using EcdsaSigPtr = std::unique_ptr<ECDSA_SIG, Deleter<&ECDSA_SIG_free>>;
using DigestContextPtr = std::unique_ptr<EVP_MD_CTX, Deleter<&EVP_MD_CTX_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<&EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Deleter<&X509_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Deleter<&X509_EXTENSION_free>>;

/// Forgets errors of this thread, so that a later TLS call does not find ours in the queue.
inline void clear_errors() { ERR_clear_error(); }

/// A BIO that reads `bytes` in place; null when out of memory.
[[nodiscard]] BioPtr reading_bio(std::string_view bytes);
/// Copies what a memory BIO holds.
[[nodiscard]] std::string bio_text(BIO* bio);

/// For PEM readers: an encrypted key fails, where OpenSSL would ask on the terminal.
int no_password(char* buffer, int size, int writing, void* user);

/// PKCS#8 PEM, unencrypted. Errors: `internal`.
[[nodiscard]] Result<Secret> private_key_to_pem(const EVP_PKEY* key);
/// Null unless `pem` is an unencrypted private key.
[[nodiscard]] KeyPtr private_key_from_pem(std::string_view pem);

}  // namespace zonesync::auth::openssl

#include "server/auth/openssl.hpp"

namespace zonesync::auth::openssl {

BioPtr reading_bio(std::string_view bytes) {
  return BioPtr(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

std::string bio_text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

int no_password(char*, int, int, void*) { return 0; }

Result<Secret> private_key_to_pem(const EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_mem()));  // OpenSSL wipes a memory BIO when it is freed
  if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr,
                                            nullptr) != 1) {
    clear_errors();
    return fail(ErrorCode::internal, "writing a private key as PEM failed");
  }
  return Secret(bio_text(bio.get()));
}

KeyPtr private_key_from_pem(std::string_view pem) {
  const auto bio = reading_bio(pem);
  KeyPtr key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_password, nullptr) : nullptr);
  clear_errors();
  return key;
}

}  // namespace zonesync::auth::openssl

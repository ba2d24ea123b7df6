#include "storage/sealing/aead.hpp"

#include <algorithm>
#include <memory>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "protocol/model/assert.hpp"

namespace zonesync::sealing {
namespace {

constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* octets(std::string& bytes, std::size_t at) {
  return reinterpret_cast<unsigned char*>(bytes.data() + at);
}

tl::unexpected<Error> cipher_error() {
  ERR_clear_error();
  return fail(ErrorCode::internal, "AES-256-GCM is not available in this OpenSSL");
}

tl::unexpected<Error> not_ours() {
  ERR_clear_error();
  return fail(ErrorCode::storage_corrupt,
              "a sealed value cannot be opened: it was changed or moved, or the key is another");
}

}  // namespace

Key::Key(std::string_view bytes) {
  ZS_ASSERT(bytes.size() == kBytes);
  std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

Key::~Key() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

Result<std::string> random_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  if (RAND_bytes(octets(bytes, 0), static_cast<int>(size)) == 1) return bytes;
  ERR_clear_error();
  return fail(ErrorCode::internal, "the random source of OpenSSL fails");
}

Result<Key> random_key() {
  auto bytes = random_bytes(Key::kBytes);
  if (!bytes) return fail(std::move(bytes.error()));
  Key key(*bytes);
  wipe(*bytes);
  return key;
}

void wipe(std::string& bytes) {
  OPENSSL_cleanse(bytes.data(), bytes.size());
  bytes.clear();
}

Result<std::string> aead_seal(const Key& key, std::string_view bound, std::string_view plain) {
  auto nonce = random_bytes(kNonceBytes);
  if (!nonce) return fail(std::move(nonce.error()));
  std::string out = std::move(*nonce);
  out.resize(kNonceBytes + plain.size() + kTagBytes);
  const Context context(EVP_CIPHER_CTX_new());
  int done = 0;
  const bool sealed =
      context != nullptr &&
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, octets(key.expose()),
                         octets(out, 0)) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &done, octets(bound),
                        static_cast<int>(bound.size())) == 1 &&
      EVP_EncryptUpdate(context.get(), octets(out, kNonceBytes), &done, octets(plain),
                        static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), octets(out, kNonceBytes + plain.size()), &done) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes,
                          octets(out, kNonceBytes + plain.size())) == 1;
  if (!sealed) return cipher_error();
  return out;
}

Result<std::string> aead_open(const Key& key, std::string_view bound, std::string_view sealed) {
  if (sealed.size() < kNonceBytes + kTagBytes) return not_ours();
  const std::string_view nonce = sealed.substr(0, kNonceBytes);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  const std::string_view text =
      sealed.substr(kNonceBytes, sealed.size() - kNonceBytes - kTagBytes);
  std::string plain(text.size(), '\0');
  const Context context(EVP_CIPHER_CTX_new());
  int done = 0;
  const bool ready =
      context != nullptr &&
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, octets(key.expose()),
                         octets(nonce)) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, octets(tag, 0)) == 1;
  if (!ready) return cipher_error();
  const bool opened =
      EVP_DecryptUpdate(context.get(), nullptr, &done, octets(bound),
                        static_cast<int>(bound.size())) == 1 &&
      EVP_DecryptUpdate(context.get(), octets(plain, 0), &done, octets(text),
                        static_cast<int>(text.size())) == 1 &&
      EVP_DecryptFinal_ex(context.get(), octets(plain, plain.size()), &done) == 1;
  if (!opened) {
    wipe(plain);
    return not_ours();
  }
  return plain;
}

}  // namespace zonesync::sealing

#include "protocol/transport/testing/test_certificates.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace zonesync {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

// Real files, because production code reads files.
Key make_key() { return Key(EVP_EC_gen("P-256"), &EVP_PKEY_free); }

void add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  if (extension == nullptr) throw std::runtime_error("test certificate: extension refused");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// `names` empty = a CA that signs itself.
Certificate make_certificate(EVP_PKEY* key, const char* subject, X509* issuer, EVP_PKEY* issuer_key,
                             const char* names, long serial) {
  Certificate result(X509_new(), &X509_free);
  X509* certificate = result.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 24 * 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(subject), -1, -1, 0);
  X509* signer = issuer == nullptr ? certificate : issuer;
  X509_set_issuer_name(certificate, X509_get_subject_name(signer));
  add_extension(certificate, signer, NID_basic_constraints,
                issuer == nullptr ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (names != nullptr) add_extension(certificate, signer, NID_subject_alt_name, names);
  X509_sign(certificate, issuer_key, EVP_sha256());
  return result;
}

void write_pem(const std::string& file, EVP_PKEY* key, X509* certificate) {
  std::unique_ptr<FILE, int (*)(FILE*)> out(std::fopen(file.c_str(), "w"), &std::fclose);
  if (!out) throw std::runtime_error("test certificate: cannot write " + file);
  if (key != nullptr) PEM_write_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  if (certificate != nullptr) PEM_write_X509(out.get(), certificate);
}

}  // namespace

TestCertificates::TestCertificates() {
  std::string pattern = (std::filesystem::temp_directory_path() / "zonesync-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a directory");
  directory_ = pattern;
  const Key ca_key = make_key();
  const auto ca = make_certificate(ca_key.get(), "test ca", nullptr, ca_key.get(), nullptr, 1);
  write_pem(ca_file(), nullptr, ca.get());
  const Key server_key = make_key();
  const auto server = make_certificate(server_key.get(), "test server", ca.get(), ca_key.get(),
                                       "DNS:localhost,IP:127.0.0.1,IP:::1", 2);
  write_pem(certificate_file(), nullptr, server.get());
  write_pem(key_file(), server_key.get(), nullptr);
  const Key client_key = make_key();
  const auto client = make_certificate(client_key.get(), "east", ca.get(), ca_key.get(),
                                       "URI:spiffe://test/zone/east", 3);
  write_pem(client_certificate_file(), nullptr, client.get());
  write_pem(client_key_file(), client_key.get(), nullptr);
}

TestCertificates::~TestCertificates() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace zonesync

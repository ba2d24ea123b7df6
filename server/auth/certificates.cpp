#include "server/auth/certificates.hpp"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

#include "server/auth/openssl.hpp"

namespace zonesync::auth {
namespace {

constexpr std::chrono::hours kBackdate{1};        // clocks of zones may be behind
constexpr int kSerialBits = 127;                  // positive, unguessable (RFC 5280: <= 20 bytes)
constexpr std::size_t kNamesMax = 64;
constexpr std::size_t kDnsNameMaxBytes = 253;
constexpr std::size_t kCommonNameMaxBytes = 64;   // ub-common-name of RFC 5280
constexpr std::size_t kPemFileMaxBytes = 64u << 10;

tl::unexpected<Error> internal_error(const char* what) {
  openssl::clear_errors();
  return fail(ErrorCode::internal, std::string("OpenSSL failed: ") + what);
}

bool valid_dns_name(std::string_view name) {
  if (name.starts_with("*.")) name.remove_prefix(2);
  if (name.empty() || name.size() > kDnsNameMaxBytes) return false;
  char previous = '.';
  for (const char c : name) {
    const bool alphanumeric =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!alphanumeric && c != '-' && c != '_' && c != '.') return false;
    if (previous == '.' && (c == '.' || c == '-')) return false;
    if (previous == '-' && c == '.') return false;
    previous = c;
  }
  return previous != '.' && previous != '-';
}

bool valid_ip(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

/// OpenSSL's text form of the names, each checked so that none can smuggle in another entry.
Result<std::string> subject_alternative_names(const ServerCertificateOptions& options) {
  const std::size_t count = options.dns_names.size() + options.ip_addresses.size();
  if (count == 0 || count > kNamesMax) {
    return fail(ErrorCode::invalid_argument,
                "a server certificate needs 1 to 64 DNS names and IP addresses", "names");
  }
  std::string text;
  for (const std::string& name : options.dns_names) {
    if (!valid_dns_name(name)) return fail(ErrorCode::invalid_argument, "not a DNS name", name);
    text += (text.empty() ? "DNS:" : ",DNS:") + name;
  }
  for (const std::string& address : options.ip_addresses) {
    if (!valid_ip(address)) return fail(ErrorCode::invalid_argument, "not an IP address", address);
    text += (text.empty() ? "IP:" : ",IP:") + address;
  }
  return text;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const openssl::ExtensionPtr extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_random_serial(X509* certificate) {
  const openssl::BignumPtr serial(BN_new());
  return serial &&
         BN_rand(serial.get(), kSerialBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_common_name(X509* certificate, const std::string& name) {
  return X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                    MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(name.data()),
                                    static_cast<int>(name.size()), -1, 0) == 1;
}

std::time_t as_time_t(UnixTime time) {
  return static_cast<std::time_t>(time.time_since_epoch().count());
}

Status check_common(const std::string& common_name, std::chrono::hours valid_for) {
  if (common_name.empty() || common_name.size() > kCommonNameMaxBytes) {
    return fail(ErrorCode::invalid_argument, "a common name has 1 to 64 bytes", "common_name");
  }
  if (valid_for <= std::chrono::hours::zero() || valid_for > std::chrono::hours(24 * 36600)) {
    return fail(ErrorCode::invalid_argument,
                "a certificate is valid for at least an hour and at most 100 years", "valid_for");
  }
  return {};
}

/// A new certificate for `key` without issuer, extensions and signature.
openssl::X509Ptr make_certificate(EVP_PKEY* key, const std::string& common_name, UnixTime from,
                                  UnixTime until) {
  openssl::X509Ptr certificate(X509_new());
  const bool ok = certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
                  set_random_serial(certificate.get()) &&
                  set_common_name(certificate.get(), common_name) &&
                  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), as_time_t(from)) &&
                  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), as_time_t(until)) &&
                  X509_set_pubkey(certificate.get(), key) == 1;
  return ok ? std::move(certificate) : nullptr;
}

Result<KeyPair> to_pem(X509* certificate, const EVP_PKEY* key) {
  const openssl::BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), certificate) != 1) {
    return internal_error("writing a certificate as PEM");
  }
  auto key_pem = openssl::private_key_to_pem(key);
  if (!key_pem) return fail(key_pem.error());
  return KeyPair{openssl::bio_text(bio.get()), std::move(*key_pem)};
}

UnixTime from_asn1(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return UnixTime{};
  return UnixTime(std::chrono::seconds(::timegm(&parts)));
}

}  // namespace

Result<KeyPair> create_ca(const CaOptions& options) {
  if (auto checked = check_common(options.common_name, options.valid_for); !checked) {
    return fail(checked.error());
  }
  const openssl::KeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return internal_error("generating a key");
  const auto certificate = make_certificate(key.get(), options.common_name,
                                            options.now - kBackdate,
                                            options.now + options.valid_for);
  if (!certificate) return internal_error("making a certificate");
  X509* self = certificate.get();
  const bool ok = X509_set_issuer_name(self, X509_get_subject_name(self)) == 1 &&
                  add_extension(self, self, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                  add_extension(self, self, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                  add_extension(self, self, NID_subject_key_identifier, "hash") &&
                  X509_sign(self, key.get(), EVP_sha256()) > 0;
  if (!ok) return internal_error("signing a CA certificate");
  return to_pem(self, key.get());
}

Result<KeyPair> create_server_certificate(const KeyPair& ca,
                                          const ServerCertificateOptions& options) {
  if (auto checked = check_common(options.common_name, options.valid_for); !checked) {
    return fail(checked.error());
  }
  const auto names = subject_alternative_names(options);
  if (!names) return fail(names.error());
  const auto ca_bio = openssl::reading_bio(ca.certificate_pem);
  const openssl::X509Ptr issuer(
      ca_bio ? PEM_read_bio_X509(ca_bio.get(), nullptr, &openssl::no_password, nullptr) : nullptr);
  const auto issuer_key = openssl::private_key_from_pem(ca.key_pem.expose());
  if (!issuer || !issuer_key || X509_check_private_key(issuer.get(), issuer_key.get()) != 1) {
    openssl::clear_errors();
    return fail(ErrorCode::invalid_argument,
                "the CA's certificate and key are unreadable or do not belong together", "ca");
  }
  const UnixTime ca_until = from_asn1(X509_get0_notAfter(issuer.get()));
  if (ca_until <= options.now) {
    return fail(ErrorCode::invalid_argument, "the CA has expired; make a new one", "ca");
  }
  const UnixTime ca_from = from_asn1(X509_get0_notBefore(issuer.get()));
  const openssl::KeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return internal_error("generating a key");
  const auto certificate =
      make_certificate(key.get(), options.common_name, std::max(ca_from, options.now - kBackdate),
                       std::min(ca_until, UnixTime(options.now + options.valid_for)));
  if (!certificate) return internal_error("making a certificate");
  X509* self = certificate.get();
  X509* ca_certificate = issuer.get();
  const bool ok =
      X509_set_issuer_name(self, X509_get_subject_name(ca_certificate)) == 1 &&
      add_extension(self, ca_certificate, NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(self, ca_certificate, NID_key_usage, "critical,digitalSignature") &&
      add_extension(self, ca_certificate, NID_ext_key_usage, "serverAuth") &&
      add_extension(self, ca_certificate, NID_subject_alt_name, *names) &&
      add_extension(self, ca_certificate, NID_subject_key_identifier, "hash") &&
      add_extension(self, ca_certificate, NID_authority_key_identifier, "keyid:always") &&
      X509_sign(self, issuer_key.get(), EVP_sha256()) > 0;
  if (!ok) return internal_error("signing a server certificate");
  return to_pem(self, key.get());
}

Status write_key_pair(const KeyPair& pair, const std::filesystem::path& certificate_file,
                      const std::filesystem::path& key_file) {
  if (auto written = write_secret_file(key_file, pair.key_pem.expose()); !written) return written;
  return write_public_file(certificate_file, pair.certificate_pem);
}

Result<KeyPair> read_key_pair(const std::filesystem::path& certificate_file,
                              const std::filesystem::path& key_file) {
  auto certificate = read_public_file(certificate_file, kPemFileMaxBytes);
  if (!certificate) return fail(certificate.error());
  auto key = read_secret_file(key_file, kPemFileMaxBytes);
  if (!key) return fail(key.error());
  return KeyPair{std::move(*certificate), std::move(*key)};
}

}  // namespace zonesync::auth

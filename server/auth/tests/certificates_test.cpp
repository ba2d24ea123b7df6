#include "server/auth/certificates.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "server/auth/openssl.hpp"
#include "server/auth/tests/fixture.hpp"

namespace zonesync::auth {
namespace {

using namespace zonesync::auth::testing;
using std::chrono::hours;

KeyPair make_ca(UnixTime now = kNow, hours valid_for = hours(24 * 3650)) {
  CaOptions options;
  options.now = now;
  options.valid_for = valid_for;
  return create_ca(options).value();
}

ServerCertificateOptions server_options() {
  ServerCertificateOptions options;
  options.dns_names = {"localhost", "hub.example"};
  options.ip_addresses = {"127.0.0.1", "::1"};
  options.now = kNow;
  return options;
}

openssl::X509Ptr parse(const std::string& pem) {
  const auto bio = openssl::reading_bio(pem);
  return openssl::X509Ptr(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

struct Check {
  std::string ca_pem;
  std::string server_pem;
  UnixTime at = kNow;
  const char* host = nullptr;
  const char* address = nullptr;
};

/// What a strict TLS client does; returns OpenSSL's verdict.
int verify(const Check& check) {
  const auto ca = parse(check.ca_pem);
  const auto server = parse(check.server_pem);
  X509_STORE* store = X509_STORE_new();
  X509_STORE_add_cert(store, ca.get());
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, server.get(), nullptr);
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_time(parameters, check.at.time_since_epoch().count());
  X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
  X509_VERIFY_PARAM_set_auth_level(parameters, 2);
  if (check.host != nullptr) X509_VERIFY_PARAM_set1_host(parameters, check.host, 0);
  if (check.address != nullptr) X509_VERIFY_PARAM_set1_ip_asc(parameters, check.address);
  X509_verify_cert(context);
  const int verdict = X509_STORE_CTX_get_error(context);
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  return verdict;
}

TEST(Certificates, StrictClientAcceptsEveryNameOfTheServer) {
  const auto ca = make_ca();
  const auto server = create_server_certificate(ca, server_options());
  ASSERT_TRUE(server) << describe(server.error());
  for (const char* host : {"localhost", "hub.example"}) {
    EXPECT_EQ(verify({ca.certificate_pem, server->certificate_pem, kNow, host}), X509_V_OK) << host;
  }
  for (const char* address : {"127.0.0.1", "::1"}) {
    EXPECT_EQ(verify({ca.certificate_pem, server->certificate_pem, kNow, nullptr, address}),
              X509_V_OK)
        << address;
  }
}

TEST(Certificates, OtherNamesAreRefused) {
  const auto ca = make_ca();
  const auto server = create_server_certificate(ca, server_options()).value();
  EXPECT_EQ(verify({ca.certificate_pem, server.certificate_pem, kNow, "evil.example"}),
            X509_V_ERR_HOSTNAME_MISMATCH);
  EXPECT_EQ(verify({ca.certificate_pem, server.certificate_pem, kNow, "zonesync-hub"}),
            X509_V_ERR_HOSTNAME_MISMATCH);
  EXPECT_EQ(verify({ca.certificate_pem, server.certificate_pem, kNow, nullptr, "192.0.2.1"}),
            X509_V_ERR_IP_ADDRESS_MISMATCH);
}

TEST(Certificates, AnotherAuthorityOfTheSameNameIsRefused) {
  const auto server = create_server_certificate(make_ca(), server_options()).value();
  EXPECT_NE(verify({make_ca().certificate_pem, server.certificate_pem}), X509_V_OK);
}

TEST(Certificates, ValidityIsAsAsked) {
  const auto ca = make_ca();
  auto options = server_options();
  options.valid_for = hours(2);
  const auto server = create_server_certificate(ca, options).value();
  EXPECT_EQ(verify({ca.certificate_pem, server.certificate_pem, kNow + hours(1)}), X509_V_OK);
  EXPECT_EQ(verify({ca.certificate_pem, server.certificate_pem, kNow + hours(3)}),
            X509_V_ERR_CERT_HAS_EXPIRED);
  EXPECT_EQ(verify({ca.certificate_pem, server.certificate_pem, kNow - hours(2)}),
            X509_V_ERR_CERT_NOT_YET_VALID);
}

TEST(Certificates, ServerNeverOutlivesTheAuthority) {
  const auto ca = make_ca(kNow, hours(10));
  const auto server = create_server_certificate(ca, server_options()).value();
  EXPECT_EQ(ASN1_TIME_compare(X509_get0_notAfter(parse(server.certificate_pem).get()),
                              X509_get0_notAfter(parse(ca.certificate_pem).get())),
            0);
  auto late = server_options();
  late.now = kNow + hours(11);
  EXPECT_EQ(create_server_certificate(ca, late).error().code, ErrorCode::invalid_argument);
}

TEST(Certificates, ServerCertificateCannotSignOthers) {
  const auto ca = make_ca();
  const auto server = create_server_certificate(ca, server_options()).value();
  const auto below = create_server_certificate(server, server_options());
  ASSERT_TRUE(below);
  EXPECT_NE(verify({server.certificate_pem, below->certificate_pem}), X509_V_OK);
}

TEST(Certificates, NamesThatAreNoneAreRefused) {
  const auto ca = make_ca();
  for (const char* name : {"", " ", "a,DNS:evil.example", "a..b", ".a", "a.", "-a", "a-", "a/b",
                           "*.", "*", "a.*.b", "DNS:a"}) {
    auto options = server_options();
    options.dns_names = {name};
    EXPECT_FALSE(create_server_certificate(ca, options)) << name;
  }
  for (const char* address : {"", "localhost", "1.2.3", "1.2.3.4,DNS:evil.example", "::1%lo"}) {
    auto options = server_options();
    options.ip_addresses = {address};
    EXPECT_FALSE(create_server_certificate(ca, options)) << address;
  }
  auto none = server_options();
  none.dns_names.clear();
  none.ip_addresses.clear();
  EXPECT_FALSE(create_server_certificate(ca, none));
}

TEST(Certificates, WildcardNamesWork) {
  const auto ca = make_ca();
  auto options = server_options();
  options.dns_names = {"*.mesh.example"};
  const auto server = create_server_certificate(ca, options).value();
  EXPECT_EQ(verify({ca.certificate_pem, server.certificate_pem, kNow, "a.mesh.example"}),
            X509_V_OK);
}

TEST(Certificates, WrongAuthorityKeyIsRefused) {
  auto mixed = make_ca();
  mixed.key_pem = Secret(std::string(make_ca().key_pem.expose()));
  EXPECT_FALSE(create_server_certificate(mixed, server_options()));
  EXPECT_FALSE(create_server_certificate(KeyPair{"", Secret("")}, server_options()));
}

TEST(Certificates, FilesKeepTheKeyPrivateAndAreNeverOverwritten) {
  const TemporaryDirectory directory;
  const auto certificate_file = directory.path() / "ca.pem";
  const auto key_file = directory.path() / "ca.key";
  const auto ca = make_ca();
  ASSERT_TRUE(write_key_pair(ca, certificate_file, key_file));
  struct ::stat info {};
  ASSERT_EQ(::stat(key_file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(write_key_pair(ca, certificate_file, key_file).error().code, ErrorCode::conflict);
  EXPECT_EQ(read_key_pair(certificate_file, key_file)->certificate_pem, ca.certificate_pem);
  ::chmod(key_file.c_str(), 0644);
  EXPECT_EQ(read_key_pair(certificate_file, key_file).error().code, ErrorCode::forbidden);
}

}  // namespace
}  // namespace zonesync::auth

// Throw-away certificates for tests, made in process. Never for production.
#pragma once

#include <string>

namespace zonesync {

/// A CA and a server certificate for 127.0.0.1, ::1 and localhost, as PEM files in a new temporary
/// directory that is removed with the object. Two objects are two unrelated authorities.
class TestCertificates {
 public:
  TestCertificates();
  ~TestCertificates();
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;

  [[nodiscard]] std::string ca_file() const { return directory_ + "/ca.pem"; }
  [[nodiscard]] std::string certificate_file() const { return directory_ + "/server.pem"; }
  [[nodiscard]] std::string key_file() const { return directory_ + "/server.key"; }
  /// Client certificate with SAN spiffe://test/zone/east.
  [[nodiscard]] std::string client_certificate_file() const { return directory_ + "/client.pem"; }
  [[nodiscard]] std::string client_key_file() const { return directory_ + "/client.key"; }

 private:
  std::string directory_;
};

}  // namespace zonesync

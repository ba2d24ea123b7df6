// Tokens as a stranger sends them: every one is refused, none is fatal.
#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/model/assert.hpp"
#include "server/auth/credentials.hpp"

namespace {

using namespace zonesync::auth;

SigningKeys keys(KeyPurpose purpose) {
  std::vector<JwtKey> all;
  all.push_back(std::move(JwtKey::generate("1", JwtAlgorithm::es256).value()));
  return SigningKeys::from_keys(purpose, std::move(all));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Credentials credentials(keys(KeyPurpose::zone), keys(KeyPurpose::api), "fuzz-hub");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const UnixTime now{std::chrono::seconds(1'700'000'000)};
  ZS_ASSERT(!credentials.verify_zone_token(text, now).has_value());
  ZS_ASSERT(!credentials.verify_api_token(text, now).has_value());
  if (const auto bearer = bearer_token(text)) ZS_ASSERT(bearer->size() < text.size());
  return 0;
}

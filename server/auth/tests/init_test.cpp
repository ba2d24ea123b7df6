#include "server/auth/init.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "server/auth/tests/fixture.hpp"

namespace zonesync::auth {
namespace {

using namespace zonesync::auth::testing;
namespace fs = std::filesystem;

InitOptions options() {
  InitOptions result;
  result.now = kNow;
  return result;
}

unsigned mode_of(const fs::path& path) {
  struct ::stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777 : 0;
}

TEST(Init, MakesADirectoryAHubCanStartFrom) {
  const TemporaryDirectory parent;
  const auto made = init_directory(parent.path() / "hub", options());
  ASSERT_TRUE(made) << describe(made.error());
  const auto credentials =
      Credentials::load({made->zone_keys_dir, made->api_keys_dir, options().audience});
  ASSERT_TRUE(credentials) << describe(credentials.error());
  std::string token = read_text(made->admin_token_file);
  ASSERT_EQ(token.back(), '\n');
  token.pop_back();
  const auto admin = credentials->verify_api_token(token, kNow);
  ASSERT_TRUE(admin) << admin.error().detail;
  EXPECT_TRUE(admin->allows(Role::admin));
  EXPECT_TRUE(read_key_pair(made->certificate_file, made->key_file));
  EXPECT_TRUE(read_key_pair(made->ca_file, made->ca_key_file));
  EXPECT_TRUE(fs::is_directory(made->data_dir));
}

TEST(Init, ZoneTokensCanBeIssuedFromIt) {
  const TemporaryDirectory parent;
  const auto made = init_directory(parent.path() / "hub", options()).value();
  const auto keys = SigningKeys::load(made.zone_keys_dir, KeyPurpose::zone).value();
  const auto issued = issue_zone_token(
      keys, {"east", options().audience, std::chrono::hours(24)}, kNow);
  ASSERT_TRUE(issued);
  const auto credentials =
      Credentials::load({made.zone_keys_dir, made.api_keys_dir, options().audience}).value();
  EXPECT_EQ(credentials.verify_zone_token(issued->token, kNow)->zone, "east");
}

TEST(Init, SecretsAreTheOwnersOnly) {
  const TemporaryDirectory parent;
  const auto made = init_directory(parent.path() / "hub", options()).value();
  EXPECT_EQ(mode_of(made.directory), 0700u);
  EXPECT_EQ(mode_of(made.admin_token_file), 0600u);
  EXPECT_EQ(mode_of(made.key_file), 0600u);
  EXPECT_EQ(mode_of(made.ca_key_file), 0600u);
}

TEST(Init, ConfigNamesWhatWasMade) {
  const TemporaryDirectory parent;
  auto wanted = options();
  wanted.listen_sync = "0.0.0.0:5685";
  wanted.audience = "hub \"quoted\": x";
  const auto made = init_directory(parent.path() / "hub", wanted).value();
  const std::string config = read_text(made.config_file);
  const std::string root = made.directory.string();
  for (const std::string& line :
       {"\n  data_dir: \"" + root + "/data\"\n", std::string("\n  sync: \"0.0.0.0:5685\"\n"),
        "\n  cert_file: \"" + root + "/tls/hub.pem\"\n",
        "\n  key_file: \"" + root + "/tls/hub.key\"\n",
        "\n  ca_file: \"" + root + "/tls/ca.pem\"\n",
        "\n  zone_keys_dir: \"" + root + "/keys/zone\"\n",
        "\n  api_keys_dir: \"" + root + "/keys/api\"\n",
        std::string("\n  audience: \"hub \\\"quoted\\\": x\"\n")}) {
    EXPECT_NE(config.find(line), std::string::npos) << line;
  }
}

TEST(Init, SecondRunIsRefusedAndChangesNothing) {
  const TemporaryDirectory parent;
  const auto made = init_directory(parent.path() / "hub", options()).value();
  const std::string token = read_text(made.admin_token_file);
  const auto again = init_directory(parent.path() / "hub", options());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::conflict);
  EXPECT_EQ(read_text(made.admin_token_file), token);
  EXPECT_EQ(parent.entries(), 1u);
}

TEST(Init, AnyOtherContentIsLeftAlone) {
  const TemporaryDirectory parent;
  fs::create_directory(parent.path() / "hub");
  write_text(parent.path() / "hub" / "notes", "mine");
  EXPECT_EQ(init_directory(parent.path() / "hub", options()).error().code, ErrorCode::conflict);
  write_text(parent.path() / "file", "mine");
  EXPECT_EQ(init_directory(parent.path() / "file", options()).error().code, ErrorCode::conflict);
  EXPECT_EQ(read_text(parent.path() / "file"), "mine");
  EXPECT_EQ(parent.entries(), 2u);
}

TEST(Init, EmptyDirectoryAndTrailingSlashAreFine) {
  const TemporaryDirectory parent;
  fs::create_directory(parent.path() / "hub");
  const auto made = init_directory((parent.path() / "hub").string() + "/", options());
  ASSERT_TRUE(made) << describe(made.error());
  EXPECT_EQ(made->config_file, fs::canonical(parent.path()) / "hub" / "hub.yaml");
  EXPECT_EQ(parent.entries(), 1u);
}

TEST(Init, FailureAtAnyStageLeavesNothing) {
  const TemporaryDirectory parent;
  auto bad_name = options();
  bad_name.dns_names = {"not a name"};
  auto bad_token = options();
  bad_token.admin_token_valid_for = std::chrono::hours(0);
  auto bad_audience = options();
  bad_audience.audience = "";
  for (const auto& bad : {bad_name, bad_token, bad_audience}) {
    EXPECT_EQ(init_directory(parent.path() / "hub", bad).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(parent.entries(), 0u);
  }
  EXPECT_TRUE(init_directory(parent.path() / "hub", options()));
}

TEST(Init, UnwritablePlaceIsAnError) {
  EXPECT_FALSE(init_directory("", options()));
  EXPECT_FALSE(init_directory("/proc/zonesync-hub", options()));
}

}  // namespace
}  // namespace zonesync::auth

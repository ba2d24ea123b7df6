#include "server/config/hub_config.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace zonesync {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMinimal =
    "hub: {data_dir: data}\n"
    "tls: {cert_file: tls/hub.pem, key_file: /abs/hub.key}\n"
    "auth: {zone_keys_dir: keys/zone, api_keys_dir: keys/api}\n";

class HubConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "zonesync-config-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override { fs::remove_all(dir_); }

  HubConfigSources with(const std::string& text) {
    const fs::path file = dir_ / "hub.yaml";
    std::ofstream(file) << text;
    HubConfigSources sources;
    sources.file = file;
    return sources;
  }
  std::vector<Error> errors(const std::string& extra) {
    const auto loaded = load_hub_config(with(kMinimal + extra));
    EXPECT_FALSE(loaded) << extra;
    return loaded ? std::vector<Error>() : loaded.error();
  }

  fs::path dir_;
};

TEST_F(HubConfigTest, MinimalFileGivesSecureDefaults) {
  const auto loaded = load_hub_config(with(kMinimal));
  ASSERT_TRUE(loaded) << describe(loaded.error()[0]);
  EXPECT_EQ(loaded->data_dir, dir_ / "data");
  EXPECT_EQ(loaded->storage_dir, dir_ / "data/log");
  EXPECT_TRUE(loaded->storage_sync);
  EXPECT_EQ(loaded->listen_sync, (Endpoint{"127.0.0.1", 5685}));
  EXPECT_EQ(loaded->listen_api, (Endpoint{"127.0.0.1", 5681}));
  EXPECT_EQ(loaded->listen_metrics, (Endpoint{"127.0.0.1", 5680}));
  EXPECT_EQ(loaded->tls_cert_file, dir_ / "tls/hub.pem");
  EXPECT_EQ(loaded->tls_key_file, "/abs/hub.key");
  EXPECT_TRUE(loaded->tls_ca_file.empty());
  EXPECT_EQ(loaded->audience, "zonesync-hub");
  EXPECT_TRUE(loaded->zones_auto_register);
  EXPECT_TRUE(loaded->delta_enabled);
  EXPECT_GE(loaded->io_threads, 1u);
  ASSERT_NE(loaded->registry, nullptr);
  EXPECT_NE(loaded->registry->find("Mesh"), nullptr);
}

TEST_F(HubConfigTest, TheFormThatInitWritesIsReadWhole) {
  const auto loaded = load_hub_config(with(
      "# Made by `zonesync-hub init`. Relative paths start at this file's folder.\n"
      "hub:\n  data_dir: data\nlisten:\n  sync: \"127.0.0.1:0\"\n  api: \"[::1]:0\"\n"
      "  metrics: \"127.0.0.1:0\"\n"
      "tls:\n  cert_file: tls/hub.pem\n  key_file: tls/hub.key\n  ca_file: tls/ca.pem\n"
      "auth:\n  zone_keys_dir: keys/zone\n  api_keys_dir: keys/api\n  audience: \"my-hub\"\n"));
  ASSERT_TRUE(loaded) << describe(loaded.error()[0]);
  EXPECT_EQ(loaded->listen_api, (Endpoint{"::1", 0}));
  EXPECT_EQ(loaded->tls_ca_file, dir_ / "tls/ca.pem");
  EXPECT_EQ(loaded->api_keys_dir, dir_ / "keys/api");
  EXPECT_EQ(loaded->audience, "my-hub");
}

TEST_F(HubConfigTest, PathsOfTheEnvironmentStartAtTheWorkingDirectory) {
  HubConfigSources sources = with(kMinimal);
  sources.environment["ZONESYNC_HUB_DATA_DIR"] = "elsewhere";
  EXPECT_EQ(load_hub_config(sources)->data_dir, "elsewhere");
  sources.overrides.emplace_back("hub.data_dir", "/x");
  EXPECT_EQ(load_hub_config(sources)->data_dir, "/x");
}

TEST_F(HubConfigTest, KumasDeltaSwitchIsAnAlias) {
  HubConfigSources sources = with(kMinimal);
  sources.environment["KUMA_EXPERIMENTAL_KDS_DELTA_ENABLED"] = "false";
  EXPECT_FALSE(load_hub_config(sources)->delta_enabled);
  sources.environment["ZONESYNC_SYNC_DELTA_ENABLED"] = "true";
  EXPECT_TRUE(load_hub_config(sources)->delta_enabled);
}

TEST_F(HubConfigTest, WithoutAnythingEveryRequiredKeyIsNamed) {
  const auto loaded = load_hub_config({});
  ASSERT_FALSE(loaded);
  std::string names;
  for (const Error& error : loaded.error()) names += error.field + " ";
  EXPECT_EQ(names, "hub.data_dir tls.cert_file tls.key_file auth.zone_keys_dir auth.api_keys_dir ");
}

TEST_F(HubConfigTest, MissingFileTellsWhatToDo) {
  HubConfigSources sources;
  sources.file = dir_ / "none.yaml";
  const auto loaded = load_hub_config(sources);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error()[0].code, ErrorCode::not_found);
  EXPECT_NE(loaded.error()[0].message.find("zonesync-hub init"), std::string::npos);
}

TEST_F(HubConfigTest, ErrorsAcrossSettingsComeAllAtOnce) {
  const auto found = errors("listen: {sync: nowhere, api: '[::1]:70000', metrics: ''}\n"
                            "types: [{name: Mesh, plural: x}, {name: lower, plural: y}]\n");
  ASSERT_EQ(found.size(), 4u);
  EXPECT_NE(found[0].message.find("'listen.sync'"), std::string::npos);
  EXPECT_NE(found[0].field.find("hub.yaml:4:"), std::string::npos) << found[0].field;
  EXPECT_NE(found[1].message.find("'listen.api'"), std::string::npos);
  EXPECT_EQ(found[2].code, ErrorCode::conflict);
  EXPECT_NE(found[2].field.find("types[0].name"), std::string::npos);
  EXPECT_NE(found[3].field.find("hub.yaml:5:"), std::string::npos);
}

TEST_F(HubConfigTest, ListenersMustDiffer) {
  EXPECT_EQ(errors("listen: {sync: 'a:1', api: 'a:1'}").size(), 1u);
  EXPECT_EQ(errors("listen: {sync: 'a:1', metrics: 'a:1'}").size(), 1u);
  EXPECT_TRUE(load_hub_config(with(std::string(kMinimal) + "listen: {sync: 'a:0', api: 'a:0'}")));
}

TEST_F(HubConfigTest, KeyFoldersMustDiffer) {
  HubConfigSources sources = with(kMinimal);
  sources.overrides = {{"auth.zone_keys_dir", "/k"}, {"auth.api_keys_dir", "/k"}};
  const auto loaded = load_hub_config(sources);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error()[0].field, "--set auth.api_keys_dir");
}

TEST_F(HubConfigTest, ExtraTypesAreRegistered) {
  const auto loaded = load_hub_config(with(
      std::string(kMinimal) +
      "types:\n- name: Tenant\n  plural: tenants\n  global_to_zones: true\n  max_bytes: 64KiB\n"
      "  scope_labels: [team]\n- name: Probe\n  plural: probes\n  scope: global\n"
      "  zone_to_global: true\n"));
  ASSERT_TRUE(loaded) << describe(loaded.error()[0]);
  const TypeInfo* tenant = loaded->registry->find("Tenant");
  ASSERT_NE(tenant, nullptr);
  EXPECT_TRUE(tenant->provided_by_global);
  EXPECT_EQ(tenant->max_bytes, 64u << 10);
  EXPECT_EQ(tenant->scope_labels, std::vector<std::string>{"team"});
  EXPECT_EQ(loaded->registry->find_plural("probes")->scope, TypeScope::global);
  EXPECT_EQ(loaded->types.size(), 2u);
}

TEST_F(HubConfigTest, TypesMayHaveARetentionOfTheirOwn) {
  const auto loaded = load_hub_config(with(
      std::string(kMinimal) +
      "storage:\n  retention:\n    age: 24h\n    types:\n    - {type: DataplaneInsight, "
      "revisions: 100, age: 10m, bytes: 64MiB}\n    - {type: Mesh}\n"));
  ASSERT_TRUE(loaded) << describe(loaded.error()[0]);
  EXPECT_EQ(loaded->retention.age_ms, 24 * 3'600'000);
  ASSERT_EQ(loaded->type_retention.size(), 2u);
  const HubConfig::Retention& insights = loaded->type_retention.at("DataplaneInsight");
  EXPECT_EQ(insights.revisions, 100u);
  EXPECT_EQ(insights.age_ms, 600'000);
  EXPECT_EQ(insights.bytes, 64u << 20);
  EXPECT_EQ(loaded->type_retention.at("Mesh").age_ms, 0) << "all of its history stays";
}

TEST_F(HubConfigTest, RetentionNamesEveryTypeOnceAndNotTooMany) {
  const auto twice = errors("storage: {retention: {types: [{type: Mesh}, {type: Mesh}]}}");
  ASSERT_EQ(twice.size(), 1u);
  EXPECT_NE(twice[0].message.find("every type once, got 'Mesh'"), std::string::npos);
  std::string many = "storage: {retention: {types: [";
  for (int i = 0; i < 65; ++i) many += "{type: T" + std::to_string(i) + "},";
  const auto refused = errors(many + "]}}");
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_NE(refused[0].message.find("at most 64"), std::string::npos) << refused[0].message;
}

TEST_F(HubConfigTest, RetentionOfATypeThatNobodyKnowsIsRefusedWithTheNearest) {
  const auto found = errors(
      "storage:\n  retention:\n    types:\n    - {type: DataplaneInsigth, age: 10m}\n"
      "    - {type: Tennant}\ntypes: [{name: Tenant, plural: tenants}]\n");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_NE(found[0].message.find("'DataplaneInsigth'"), std::string::npos) << found[0].message;
  EXPECT_NE(found[0].message.find("did you mean 'DataplaneInsight'?"), std::string::npos)
      << found[0].message;
  EXPECT_NE(found[0].field.find("hub.yaml:7:"), std::string::npos) << found[0].field;
  EXPECT_NE(found[1].message.find("did you mean 'Tenant'?"), std::string::npos) << found[1].message;
  EXPECT_TRUE(load_hub_config(with(std::string(kMinimal) +
                                   "storage: {retention: {types: [{type: Tenant, age: 1h}]}}\n"
                                   "types: [{name: Tenant, plural: tenants}]\n")))
      << "a type of the same file is known";
}

TEST_F(HubConfigTest, SettingsThatDifferAreNamed) {
  const auto running = load_hub_config(with(kMinimal));
  ASSERT_TRUE(running);
  const auto named = [&](const std::string& extra) {
    const auto fresh = load_hub_config(with(kMinimal + extra));
    EXPECT_TRUE(fresh) << extra;
    std::string names;
    for (const std::string& path : changed_settings(*running, *fresh)) names += path + " ";
    return names;
  };
  EXPECT_EQ(named(""), "");
  EXPECT_EQ(named("# a remark\nlog: {level: info}\n"), "") << "the default, spelt out";
  EXPECT_EQ(named("log: {level: debug}\nzones: {auto_register: false}\nio: {threads: 3}\n"),
            "zones.auto_register io.threads log.level ");
  EXPECT_EQ(named("storage: {retention: {age: 1h, types: [{type: Mesh, age: 1h}]}}\n"),
            "storage.retention.age storage.retention.types ");
  EXPECT_EQ(named("types: [{name: Tenant, plural: tenants, scope_labels: [team]}]\n"), "types ");
}

TEST_F(HubConfigTest, UnsafeStorageMustBeSpeltOut) {
  EXPECT_FALSE(load_hub_config(with(std::string(kMinimal) +
                                    "storage: {sync: unsafe_never}"))->storage_sync);
  EXPECT_EQ(errors("storage: {sync: false}").size(), 1u);
  EXPECT_EQ(errors("storage: {sync: never}").size(), 1u);
}

TEST_F(HubConfigTest, MetricsCanBeTurnedOff) {
  EXPECT_FALSE(load_hub_config(with(std::string(kMinimal) +
                                    "listen: {metrics: ''}"))->metrics_enabled);
}

TEST(ParseEndpoint, TakesNamesAndBracketedIpv6) {
  EXPECT_EQ(*parse_endpoint("[::1]:0"), (Endpoint{"::1", 0}));
  EXPECT_EQ(*parse_endpoint("localhost:65535"), (Endpoint{"localhost", 65535}));
  for (const char* bad : {"", ":1", "a", "a:", "a:x", "a:65536", "a:-1", "::1:5", "[]:1", "[a:1",
                          "https://a:1", "a b:1"}) {
    EXPECT_FALSE(parse_endpoint(bad)) << bad;
  }
}

TEST(HubConfigDocs, CommittedPageIsUpToDate) {
  const fs::path page = fs::path(ZONESYNC_SOURCE_DIR) / "docs/configuration.md";
  if (std::getenv("ZONESYNC_UPDATE_DOCS") != nullptr) std::ofstream(page) << hub_config_page();
  std::ifstream stream(page);
  std::ostringstream content;
  content << stream.rdbuf();
  EXPECT_EQ(content.str(), hub_config_page())
      << "run config_test with ZONESYNC_UPDATE_DOCS=1 and commit docs/configuration.md";
}

TEST(HubConfigDocs, EverySettingIsInEveryGeneratedText) {
  for (const text::ConfigKey& key : hub_config_table().keys) {
    const std::string name = hub_config_table().environment_name(key);
    EXPECT_NE(hub_config_page().find('`' + key.path + '`'), std::string::npos) << key.path;
    EXPECT_NE(hub_config_defaults().find(name), std::string::npos) << key.path;
    EXPECT_NE(hub_config_schema().find(key.doc.substr(0, 20)), std::string::npos) << key.path;
    EXPECT_FALSE(key.doc.empty());
  }
}

}  // namespace
}  // namespace zonesync

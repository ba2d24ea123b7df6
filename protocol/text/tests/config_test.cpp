#include <gtest/gtest.h>

#include "protocol/text/config_docs.hpp"
#include "protocol/text/json_value.hpp"
#include "protocol/text/strict_yaml.hpp"

namespace zonesync::text {
namespace {

ConfigTable table() {
  ConfigTable t;
  t.program = "thing";
  t.environment_prefix = "ZONESYNC_";
  t.keys = {
      {.path = "hub.name", .default_text = "hub", .doc = "Name | shown."},
      {.path = "hub.data_dir", .doc = "Where.", .required = true},
      {.path = "listen.sync", .default_text = "127.0.0.1:5685", .doc = "Address."},
      {.path = "sync.delta.enabled", .type = ConfigType::boolean, .default_text = "true",
       .doc = "Delta.", .environment_aliases = {"KUMA_DELTA"}},
      {.path = "io.threads", .type = ConfigType::integer, .default_text = "0", .doc = "Threads.",
       .max = 64},
      {.path = "io.timeout", .type = ConfigType::duration, .default_text = "10s", .doc = "Wait.",
       .min = 100, .max = 3'600'000},
      {.path = "io.buffer", .type = ConfigType::size, .default_text = "1MiB", .doc = "Bytes.",
       .max = 1 << 30},
      {.path = "log.level", .type = ConfigType::choice, .default_text = "info", .doc = "Level.",
       .choices = {"debug", "info", "error"}},
      {.path = "log.events", .type = ConfigType::string_list, .doc = "Events."},
      {.path = "types", .type = ConfigType::records, .doc = "Types.",
       .fields = {{.path = "name", .doc = "Name.", .required = true},
                  {.path = "rank", .type = ConfigType::integer, .default_text = "100",
                   .doc = "Rank."}}},
  };
  return t;
}

tl::expected<ConfigValues, ConfigErrors> read(ConfigSources sources) {
  sources.file_name = "hub.yaml";
  return read_config(table(), sources);
}
ConfigErrors errors(ConfigSources sources) {
  const auto result = read(std::move(sources));
  EXPECT_FALSE(result);
  return result ? ConfigErrors() : result.error();
}
constexpr const char* kMinimal = "hub: {data_dir: d}\n";

TEST(StrictConfig, DefaultsAndOrigins) {
  const ConfigValues v = read({.text = kMinimal}).value();
  EXPECT_EQ(v.text("hub.name"), "hub");
  EXPECT_TRUE(v.flag("sync.delta.enabled"));
  EXPECT_EQ(v.duration("io.timeout"), std::chrono::seconds(10));
  EXPECT_EQ(v.bytes("io.buffer"), 1u << 20);
  EXPECT_TRUE(v.list("log.events").empty());
  EXPECT_TRUE(v.records("types").empty());
  EXPECT_EQ(v.entry("hub.name").origin, "default");
  EXPECT_EQ(v.entry("hub.data_dir").origin.substr(0, 11), "hub.yaml:1:");
}

TEST(StrictConfig, FileThenEnvironmentThenOverrides) {
  ConfigSources s{.text = "hub: {data_dir: d, name: file}\nio: {threads: 2, buffer: 64KiB}\n"};
  EXPECT_EQ(read(s).value().text("hub.name"), "file");
  s.environment["ZONESYNC_HUB_NAME"] = "env";
  EXPECT_EQ(read(s).value().text("hub.name"), "env");
  s.overrides.emplace_back("hub.name", "flag");
  const ConfigValues v = read(s).value();
  EXPECT_EQ(v.text("hub.name"), "flag");
  EXPECT_EQ(v.entry("hub.name").origin, "--set hub.name");
  EXPECT_EQ(v.number("io.threads"), 2);
  EXPECT_EQ(v.bytes("io.buffer"), 65536u);
}

TEST(StrictConfig, OurEnvironmentNameWinsOverAnAlias) {
  ConfigSources s{.text = kMinimal};
  s.environment["KUMA_DELTA"] = "false";
  EXPECT_FALSE(read(s).value().flag("sync.delta.enabled"));
  s.environment["ZONESYNC_SYNC_DELTA_ENABLED"] = "true";
  EXPECT_TRUE(read(s).value().flag("sync.delta.enabled"));
}

TEST(StrictConfig, UnknownKeyHasPlaceAndNearestName) {
  const ConfigErrors e =
      errors({.text = "hub:\n  data_dir: d\n  nmae: x\nlitsen: {}\nzzzzzz: 1\n"});
  ASSERT_EQ(e.size(), 3u);
  EXPECT_EQ(e[0].field, "hub.yaml:3:3");
  EXPECT_EQ(e[0].message, "unknown key 'hub.nmae' (did you mean 'hub.name'?)");
  EXPECT_EQ(e[1].field, "hub.yaml:4:1");
  EXPECT_NE(e[1].message.find("'listen'"), std::string::npos);
  EXPECT_EQ(e[2].message, "unknown key 'zzzzzz'");
}

TEST(StrictConfig, AllErrorsComeAtOnce) {
  ConfigSources s{.text = "io:\n  threads: many\n  timeout: 5\n  buffer: 10XB\n"
                          "log: {level: infoo}\n"};
  s.environment["ZONESYNC_SYNC_DELTA_ENABLED"] = "yes";
  s.overrides.emplace_back("io.thread", "1");
  const ConfigErrors e = errors(s);
  ASSERT_EQ(e.size(), 7u);
  EXPECT_EQ(e[0].field.substr(0, 11), "hub.yaml:2:");
  EXPECT_NE(e[1].message.find("500ms"), std::string::npos);
  EXPECT_NE(e[3].message.find("did you mean 'info'"), std::string::npos);
  EXPECT_EQ(e[4].field, "environment ZONESYNC_SYNC_DELTA_ENABLED");
  EXPECT_EQ(e[5].field, "--set io.thread");
  EXPECT_EQ(e[6].message,
            "'hub.data_dir' is required; set it in the file or with ZONESYNC_HUB_DATA_DIR");
}

struct BadCase {
  const char* yaml;
  const char* text;
};
class BadConfig : public testing::TestWithParam<BadCase> {};
TEST_P(BadConfig, SaysWhatIsWrong) {
  const ConfigErrors e = errors({.text = std::string(kMinimal) + GetParam().yaml});
  ASSERT_EQ(e.size(), 1u) << describe(e[1]);
  EXPECT_NE(e[0].message.find(GetParam().text), std::string::npos) << e[0].message;
  EXPECT_EQ(e[0].field.substr(0, 9), "hub.yaml:");
}
INSTANTIATE_TEST_SUITE_P(
    Values, BadConfig,
    testing::Values(BadCase{"listen: x", "is a section"}, BadCase{"listen: {sync: 1}", "quote it"},
                    BadCase{"listen: {sync: }", "has no value"},
                    BadCase{"listen: {sync: [a]}", "got a list"},
                    BadCase{"listen.sync: x", "nested sections"},
                    BadCase{"io: {threads: 65}", "at most 64"},
                    BadCase{"io: {threads: -1}", "at least 0"},
                    BadCase{"io: {threads: '1'}", "is an integer"},
                    BadCase{"io: {threads: 1.5}", "the number 1.5"},
                    BadCase{"io: {timeout: 10ms}", "at least 100ms"},
                    BadCase{"io: {timeout: 2h}", "at most 1h"},
                    BadCase{"io: {buffer: 2GiB}", "at most 1GiB"},
                    BadCase{"sync: {delta: {enabled: yes}}", "true or false"},
                    BadCase{"log: {events: a}", "list of strings"},
                    BadCase{"log: {events: [1]}", "quote it"},
                    BadCase{"types: {name: x}", "list of objects"},
                    BadCase{"types: [x]", "is an object"},
                    BadCase{"types: [{rank: 1}]", "'name' is missing"},
                    BadCase{"types: [{name: X, rnak: 1}]", "did you mean 'rank'"},
                    BadCase{"types: [{name: X, rank: x}]", "integer"},
                    BadCase{"hub: {name: x}", "is there twice"}, BadCase{"io: [", "not YAML"},
                    BadCase{"---\nio: {}", "one document"}));

TEST(StrictConfig, RecordsHaveTheirDefaults) {
  const ConfigValues v =
      read({.text = std::string(kMinimal) + "types:\n- name: A\n- name: B\n  rank: 7\n"}).value();
  ASSERT_EQ(v.records("types").size(), 2u);
  EXPECT_EQ(v.records("types")[0].number("rank"), 100);
  EXPECT_EQ(v.records("types")[1].text("name"), "B");
  EXPECT_EQ(v.records("types")[1].number("rank"), 7);
}

TEST(StrictConfig, EmptySectionsAndFilesAreFine) {
  EXPECT_TRUE(read({.text = std::string(kMinimal) + "listen:\n"}));
  ConfigSources s{.text = "# nothing\n"};
  s.environment["ZONESYNC_HUB_DATA_DIR"] = "d";
  EXPECT_TRUE(read(s));
  s.environment["ZONESYNC_HUB_DATA_DIR"] = "";
  EXPECT_NE(errors(s)[0].message.find("must not be empty"), std::string::npos);
}

TEST(StrictConfig, MisspeltEnvironmentIsAnErrorForeignIsAWarning) {
  ConfigSources s{.text = kMinimal};
  s.environment["ZONESYNC_IO_THREDS"] = "1";
  const ConfigErrors e = errors(s);
  ASSERT_EQ(e.size(), 1u);
  EXPECT_EQ(e[0].field, "environment ZONESYNC_IO_THREDS");
  EXPECT_NE(e[0].message.find("ZONESYNC_IO_THREADS"), std::string::npos);
  s.environment.clear();
  s.environment["ZONESYNC_COMPLETELY_OTHER"] = "1";
  s.environment["PATH"] = "/bin";
  EXPECT_EQ(read(s).value().warnings.size(), 1u);
}

TEST(StrictConfig, EnvironmentListsAreCommaSeparated) {
  ConfigSources s{.text = kMinimal};
  s.environment["ZONESYNC_LOG_EVENTS"] = " a, b ,,c";
  EXPECT_EQ(read(s).value().list("log.events"), (std::vector<std::string>{"a", "b", "c"}));
}

TEST(ConfigUnits, RoundTrip) {
  for (const char* text : {"0", "1ms", "1500ms", "10s", "90s", "5m", "1h", "7d"}) {
    EXPECT_EQ(duration_to_text(parse_duration_ms(text).value()), text);
  }
  for (const char* text : {"0", "1B", "512B", "64KiB", "1MiB", "3GiB"}) {
    EXPECT_EQ(size_to_text(parse_size_bytes(text).value()), text);
  }
  for (const char* bad : {"", "s", "1", "-1s", "1.5s", "1 s", "99999999999999999999s",
                          "9223372036854775807d"}) {
    EXPECT_FALSE(parse_duration_ms(bad)) << bad;
  }
  for (const char* bad : {"", "KiB", "-1", "1kb", "1.5MiB", "9223372036854775807GiB"}) {
    EXPECT_FALSE(parse_size_bytes(bad)) << bad;
  }
}

TEST(ConfigDocs, DefaultsFileReadsBackAsTheDefaults) {
  const std::string yaml = config_defaults_yaml(table());
  ConfigSources s{.file_name = "d.yaml", .text = yaml};
  s.environment["ZONESYNC_HUB_DATA_DIR"] = "d";
  const auto v = read_config(table(), s);
  ASSERT_TRUE(v) << describe(v.error()[0]) << "\n" << yaml;
  EXPECT_EQ(v->bytes("io.buffer"), 1u << 20);
  for (const ConfigKey& key : table().keys) {
    EXPECT_NE(yaml.find(table().environment_name(key)), std::string::npos) << key.path;
  }
}

TEST(ConfigDocs, EffectiveReadsBackAndShowsOrigins) {
  ConfigSources s{.text = "hub: {data_dir: 'yes'}\nlog: {events: ['1', a b]}\n"
                          "types: [{name: X, rank: 3}]\n"};
  const ConfigValues v = read(s).value();
  const std::string yaml = config_effective_yaml(table(), v, true);
  EXPECT_NE(yaml.find("# hub.yaml:1:"), std::string::npos) << yaml;
  EXPECT_NE(yaml.find("# default"), std::string::npos);
  const auto again = read({.text = yaml});
  ASSERT_TRUE(again) << describe(again.error()[0]) << "\n" << yaml;
  EXPECT_EQ(again->text("hub.data_dir"), "yes");
  EXPECT_EQ(again->list("log.events"), (std::vector<std::string>{"1", "a b"}));
  EXPECT_EQ(again->records("types")[0].number("rank"), 3);
}

TEST(ConfigDocs, SchemaForbidsUnknownKeys) {
  const auto schema = parse_json(config_json_schema(table()));
  ASSERT_TRUE(schema);
  const auto& hub = schema->at("properties").at("hub");
  EXPECT_FALSE(hub.at("additionalProperties").as_bool());
  EXPECT_TRUE(hub.at("properties").as_object().contains("data_dir"));
  EXPECT_EQ(schema->at("properties").at("types").at("items").at("required").as_array().size(), 1u);
}

TEST(ConfigDocs, MarkdownEscapesBars) {
  const std::string page = config_markdown(table());
  EXPECT_NE(page.find("Name \\| shown."), std::string::npos);
  EXPECT_NE(page.find("| `types[].rank` | integer | `100` | – | Rank. |"), std::string::npos);
}

}  // namespace
}  // namespace zonesync::text

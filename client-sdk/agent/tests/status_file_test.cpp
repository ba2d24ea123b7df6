#include <gtest/gtest.h>

#include "client-sdk/agent/agent_config.hpp"
#include "client-sdk/agent/status_file.hpp"
#include "client-sdk/agent/tests/agent_fixture.hpp"
#include "protocol/text/json_value.hpp"

namespace zonesync::agent {
namespace {

TEST(StatusFile, ShowsEveryFactAsAnInteger) {
  AgentStatus status;
  status.zone = "east";
  status.client.state = client::State::synced;
  status.client.held = "mass_delete";
  status.client.held_text = "would remove 900 of 1000";
  status.client.cursor = Cursor{{}, Revision{42}, {}};
  status.client.counters.intents_changes = 3;
  status.client.last_error =
      client::LastError{ErrorCode::protocol, "closed", 4409, 0};
  status.publish.emplace();
  status.publish->totals.published = 7;
  status.publish->refused = {{"a.yaml", 3, "k", "why"}};
  status.publish->held = {12, "mass_removal"};
  status.mirror = MirrorStatus{Revision{41}, "disk full"};
  const auto value = text::parse_json(render_status(status));
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(value->at("state").as_string(), "synced");
  EXPECT_EQ(value->at("mode").as_string(), "delta");
  EXPECT_EQ(value->at("revision").as_int64(), 42);
  EXPECT_EQ(value->at("counters").at("intents_changes").as_int64(), 3);
  EXPECT_EQ(value->at("last_error").at("close_code").as_int64(), 4409);
  EXPECT_EQ(value->at("publish").at("published").as_int64(), 7);
  EXPECT_EQ(value->at("publish").at("refused").at(0).at("line").as_int64(), 3);
  EXPECT_EQ(value->at("publish").at("held").at("reason").as_string(), "mass_removal");
  EXPECT_EQ(value->at("mirror").at("error").as_string(), "disk full");
  EXPECT_EQ(value->at("hold").as_string(), "mass_delete");
  EXPECT_EQ(value->at("hold_text").as_string(), "would remove 900 of 1000");
}

TEST(StatusFile, IsShownToPeopleWithoutControlCharacters) {
  AgentStatus status;
  status.zone = "east";
  status.mirror = MirrorStatus{std::nullopt, "\x1b[2Jbad"};
  const auto shown = describe_status(render_status(status));
  ASSERT_TRUE(shown.has_value());
  EXPECT_NE(shown->find("zone: east\n"), std::string::npos);
  EXPECT_NE(shown->find("mirror.error: ?[2Jbad\n"), std::string::npos);
  EXPECT_FALSE(describe_status("{}").has_value());
  EXPECT_FALSE(describe_status("torn{").has_value());
}

TEST(AgentConfig, FlagsWinOverEnvironmentAndFile) {
  TemporaryDirectory dir;
  spill(dir.path() / "agent.yaml",
        "hub: wss://hub:5685/sync\nzone: east\ntoken_file: t\npublish:\n  interval: 5s\n");
  const auto config = load_agent_config(dir.path() / "agent.yaml",
                                        {{"ZONESYNC_AGENT_ZONE", "west"}},
                                        {{"publish.interval", "250ms"}, {"types", "Mesh,Retry"}});
  ASSERT_TRUE(config.has_value()) << describe(config.error().front());
  EXPECT_EQ(config->client.zone, "west");
  EXPECT_EQ(config->publish_interval, std::chrono::milliseconds(250));
  EXPECT_EQ(config->client.types, (std::vector<std::string>{"Mesh", "Retry"}));
  EXPECT_FALSE(config->log_cuts);
}

TEST(AgentConfig, WhatIsMissingOrWrongIsNamed) {
  const auto empty = load_agent_config({}, {}, {});
  ASSERT_FALSE(empty.has_value());
  EXPECT_EQ(empty.error().size(), 2u);  // hub, zone
  const auto no_token =
      load_agent_config({}, {}, {{"hub", "wss://hub:5685/sync"}, {"zone", "east"}});
  ASSERT_FALSE(no_token.has_value());
  EXPECT_EQ(no_token.error().front().field, "token_file");
  EXPECT_FALSE(load_agent_config("no/such/file", {}, {}).has_value());
}

}  // namespace
}  // namespace zonesync::agent

// Lists and their pages.
#include "server/admin/tests/fixture.hpp"

namespace zonesync::admin::testing {
namespace {

class Lists : public AdminFixture {
 protected:
  /// Names of one page, and its `next`.
  std::vector<std::string> names(const HttpResponse& response) {
    std::vector<std::string> out;
    const auto body = parsed(response);
    for (const auto& item : body.at("items").as_array()) {
      out.emplace_back(item.at("resource").at("name").as_string().c_str());
    }
    next_ = body.at("next").is_string() ? body.at("next").as_string().c_str() : "";
    return out;
  }
  std::string next_;
};

using Names = std::vector<std::string>;

TEST_F(Lists, an_empty_list_is_a_list) {
  const HttpResponse empty = get("/meshtimeouts");
  EXPECT_EQ(empty.status, 200u);
  EXPECT_EQ(empty.body, R"({"items":[],"next":null,"revision":0})");
}

TEST_F(Lists, items_carry_revision_and_origin_of_every_owner) {
  put("a", "1s");
  Resource zones_own = hub::testing::policy("a");
  zones_own.key.origin = "east";
  hub_.publish(zones_own);
  const auto body = parsed(get("/meshtimeouts"));
  const auto& items = body.at("items").as_array();
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].at("origin"), "east");
  EXPECT_EQ(items[0].at("revision"), 2);
  EXPECT_EQ(items[1].at("origin"), "global");
  EXPECT_EQ(body.at("revision"), 2);
  EXPECT_EQ(names(get("/meshtimeouts?origin=east")).size(), 1u);
  EXPECT_EQ(names(get("/meshes/default/meshtimeouts")).size(), 2u);
  EXPECT_EQ(names(get("/meshes/other/meshtimeouts")).size(), 0u);
}

TEST_F(Lists, pages_meet_every_item_once) {
  for (const char* name : {"a", "b", "c", "d", "e"}) put(name, "1s");
  EXPECT_EQ(names(get("/meshtimeouts?size=2")), (Names{"a", "b"}));
  EXPECT_EQ(names(get("/meshtimeouts?size=2&offset=" + next_)), (Names{"c", "d"}));
  EXPECT_EQ(names(get("/meshtimeouts?size=2&offset=" + next_)), (Names{"e"}));
  EXPECT_EQ(next_, "");
}

TEST_F(Lists, a_page_of_many_steps_is_whole) {
  std::vector<hub::WriteOp> ops;
  for (int i = 0; i < 260; ++i) {
    ops.push_back(hub::testing::put(hub::testing::policy("p" + std::to_string(1'000 + i))));
  }
  hub_.write(std::move(ops));
  EXPECT_EQ(names(get("/meshtimeouts")).size(), 100u);
  EXPECT_EQ(names(get("/meshtimeouts?size=1000&offset=" + next_)).size(), 160u);
  EXPECT_EQ(next_, "");
}

TEST_F(Lists, wrong_sizes_and_offsets_are_refused) {
  for (const char* size : {"0", "1001", "-1", "x", ""}) {
    EXPECT_EQ(problem(get(std::string("/meshtimeouts?size=") + size)), "invalid_argument size");
  }
  for (const char* offset : {"", "!", "AAAA", "W10", "WyJhIiwiYiJd"}) {
    EXPECT_EQ(problem(get(std::string("/meshtimeouts?offset=") + offset)),
              "invalid_argument offset");
  }
}

TEST_F(Lists, an_unknown_query_parameter_is_refused_by_name) {
  const HttpResponse refused = get("/meshtimeouts?sise=3");
  EXPECT_EQ(problem(refused), "invalid_argument sise");
  EXPECT_NE(refused.body.find("size"), std::string::npos);
}

TEST_F(Lists, types_show_what_is_registered) {
  const auto body = parsed(get("/types"));
  bool found = false;
  for (const auto& item : body.at("items").as_array()) {
    EXPECT_NE(item.at("name").as_string().front(), '$');
    found = found || item.at("plural") == "meshtimeouts";
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace zonesync::admin::testing

#include <gtest/gtest.h>

#include "protocol/http/client.hpp"
#include "protocol/http/types.hpp"

namespace zonesync {
namespace {

TEST(HttpTypes, header_names_compare_without_case) {
  HttpHeaders headers{{"ETag", "1"}, {"etag", "2"}};
  EXPECT_EQ(headers.get("ETAG"), "1");
  headers.set("Etag", "3");
  EXPECT_EQ(headers.fields().size(), 1u);
  EXPECT_EQ(headers.get("etag"), "3");
  EXPECT_FALSE(headers.has("if-match"));
}

TEST(HttpTypes, percent_decoding_refuses_broken_escapes_and_nul) {
  EXPECT_EQ(percent_decode("a%20b%2Fc", false), "a b/c");
  EXPECT_EQ(percent_decode("a+b", true), "a b");
  EXPECT_EQ(percent_decode("a+b", false), "a+b");
  for (const char* broken : {"%", "%2", "%zz", "a%00b"}) {
    EXPECT_EQ(percent_decode(broken, false), std::nullopt) << broken;
  }
}

TEST(HttpTypes, percent_encoding_is_undone_by_decoding) {
  std::string all;
  for (int i = 1; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(percent_decode(percent_encode(all), true), all);
  EXPECT_EQ(percent_encode("a/b c"), "a%2Fb%20c");
}

TEST(HttpTypes, query_takes_the_last_of_a_repeated_key) {
  const auto query = parse_query("a=1&b&a=2&&c=%3D");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->at("a"), "2");
  EXPECT_EQ(query->at("b"), "");
  EXPECT_EQ(query->at("c"), "=");
  EXPECT_EQ(parse_query("a=%"), std::nullopt);
}

TEST(HttpTypes, path_segments_are_decoded_one_by_one) {
  HttpRequest request;
  request.path = "/meshes/a%2Fb/x/";
  EXPECT_EQ(request.split_path(), (std::vector<std::string>{"meshes", "a/b", "x"}));
  request.path = "/";
  EXPECT_TRUE(request.split_path().empty());
  request.path = "//a";
  EXPECT_EQ(request.split_path(), (std::vector<std::string>{"", "a"}));
}

TEST(HttpTypes, bearer_token_needs_the_scheme) {
  HttpRequest request;
  request.headers.set("authorization", "Bearer abc");
  EXPECT_EQ(request.bearer_token(), "abc");
  request.headers.set("authorization", "Basic abc");
  EXPECT_EQ(request.bearer_token(), "");
}

TEST(HttpUrl, takes_addresses_apart) {
  const auto plain = HttpUrl::parse("https://hub.example:5681/api/");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host, "hub.example");
  EXPECT_EQ(plain->port, 5681);
  EXPECT_EQ(plain->path, "/api");
  EXPECT_TRUE(plain->tls);
  const auto v6 = HttpUrl::parse("http://[::1]");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->port, 80);
  EXPECT_FALSE(v6->tls);
}

TEST(HttpUrl, refuses_what_is_not_one) {
  for (const char* bad : {"", "hub:5681", "ftp://x", "https://", "https://x:0", "https://x:70000",
                          "https://x:ab", "https://u:p@x", "https://[::1", "https://x/?q=1",
                          "https://x\r\n"}) {
    EXPECT_FALSE(HttpUrl::parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace zonesync

#include "protocol/text/resource_text.hpp"

#include <gtest/gtest.h>

namespace zonesync {
namespace {

const TypeRegistry& registry() {
  static const TypeRegistry types = TypeRegistry::with_default_types();
  return types;
}

std::vector<ParsedDocument> parse(std::string_view text, ParseOptions options = {}) {
  auto documents = parse_documents(text, "f.yaml", registry(), options);
  EXPECT_TRUE(documents) << describe(documents.error());
  return documents ? std::move(*documents) : std::vector<ParsedDocument>();
}
Resource one(std::string_view text, ParseOptions options = {}) {
  auto documents = parse(text, options);
  EXPECT_EQ(documents.size(), 1u);
  EXPECT_TRUE(documents.at(0).resource) << describe(documents.at(0).resource.error());
  return documents.at(0).resource.value_or(Resource{});
}
Error refusal(std::string_view text, ParseOptions options = {}) {
  auto documents = parse(text, options);
  EXPECT_EQ(documents.size(), 1u);
  EXPECT_FALSE(documents.at(0).resource) << text;
  return documents.at(0).resource ? Error{} : documents.at(0).resource.error();
}

TEST(ResourceText, SpecStyle) {
  const Resource r = one("type: MeshTimeout\nmesh: m\nname: t\nlabels: {team: a}\n"
                         "creationTime: x\nmodificationTime: y\nkri: z\n"
                         "spec: {to: [{default: {idleTimeout: 10s, n: 1.0}}]}\nstatus: {ok: true}");
  EXPECT_EQ(r.key, (ResourceKey{"MeshTimeout", "m", "global", "t"}));
  EXPECT_EQ(r.labels, (Labels{{"team", "a"}}));
  EXPECT_EQ(r.spec, R"({"to":[{"default":{"idleTimeout":"10s","n":1}}]})");
  EXPECT_EQ(r.status, R"({"ok":true})");
}

TEST(ResourceText, LegacyFieldsAreTheSpec) {
  const Resource r = one("type: TrafficPermission\nname: t\nsources: [a]\ndestinations: [b]");
  EXPECT_EQ(r.key.mesh, "default");
  EXPECT_EQ(r.spec, R"({"destinations":["b"],"sources":["a"]})");
  EXPECT_EQ(r.status, "");
}

TEST(ResourceText, LegacyTakesItsUniformFormBack) {
  const Resource flat = one("type: Mesh\nname: m\nmtls: {enabledBackend: x}");
  const Resource uniform = one("type: Mesh\nname: m\nspec: {mtls: {enabledBackend: x}}");
  EXPECT_EQ(flat, uniform);
  EXPECT_EQ(one(resource_to_json(flat)), flat);
}

TEST(ResourceText, MissingOrNullSpecIsEmpty) {
  EXPECT_EQ(one("type: MeshTimeout\nname: t").spec, "{}");
  EXPECT_EQ(one("type: MeshTimeout\nname: t\nspec:").spec, "{}");
  EXPECT_EQ(one("type: Mesh\nname: t").spec, "{}");
  EXPECT_EQ(one("type: MeshTimeout\nname: t\nstatus: ~").status, "");
}

TEST(ResourceText, ExtraFieldsAreRefusedByNameUnlessLenient) {
  const char* text = "type: MeshTimeout\nname: t\nspec: {a: 1}\nextra: 2\nother: 3";
  const Error error = refusal(text);
  EXPECT_NE(error.message.find("'extra', 'other'"), std::string::npos);
  EXPECT_EQ(error.field, "f.yaml:4 /extra");
  EXPECT_EQ(one(text, {.lenient = true}).spec, R"({"a":1,"extra":2,"other":3})");
  EXPECT_NE(refusal("type: Mesh\nname: t\nspec: {a: 1}\nmtls: {}").message.find("not both"),
            std::string::npos);
  EXPECT_EQ(one("type: Mesh\nname: t\nspec: {a: 1}\nmtls: {}", {.lenient = true}).spec,
            R"({"a":1,"mtls":{}})");
  refusal("type: Mesh\nname: t\nspec: {mtls: 1}\nmtls: {}", {.lenient = true});
  EXPECT_NE(refusal("type: MeshTimeout\nname: t\nspce: {}").message.find("did you mean 'spec'"),
            std::string::npos);
}

TEST(ResourceText, MeshFollowsTheTypesScope) {
  EXPECT_EQ(one("type: Dataplane\nname: d", {.origin = "east"}).key.mesh, "default");
  const Error error = refusal("type: Mesh\nname: m\nmesh: default");
  EXPECT_EQ(error.field, "f.yaml:3 /mesh");
  EXPECT_NE(error.message.find("outside meshes"), std::string::npos);
}

struct BadCase {
  const char* yaml;
  const char* field;
  const char* text;
};
class BadResource : public testing::TestWithParam<BadCase> {};
TEST_P(BadResource, NamesFieldAndReason) {
  const Error error = refusal(GetParam().yaml);
  EXPECT_EQ(error.field, GetParam().field);
  EXPECT_NE(error.message.find(GetParam().text), std::string::npos) << error.message;
}
INSTANTIATE_TEST_SUITE_P(
    Fields, BadResource,
    testing::Values(
        BadCase{"name: x", "f.yaml:1 /type", "'type' is missing"},
        BadCase{"type: Mesh", "f.yaml:1 /name", "'name' is missing"},
        BadCase{"type: Mesh\nname: ''", "f.yaml:2 /name", "'name' is missing"},
        BadCase{"type: Mesh\nname: 12", "f.yaml:2 /name", "quote it"},
        BadCase{"type: [Mesh]\nname: x", "f.yaml:1 /type", "got a list"},
        BadCase{"type: Mehs\nname: x", "f.yaml:1 /type", "did you mean 'Mesh'"},
        BadCase{"type: Mesh\nname: a/b", "f.yaml:2 /name", "no '/'"},
        BadCase{"type: MeshRetry\nname: a\nmesh: a/b", "f.yaml:3 /mesh", "no '/'"},
        BadCase{"type: Mesh\nname: a\nlabels: [x]", "f.yaml:3 /labels", "object of strings"},
        BadCase{"type: Mesh\nname: a\nlabels:\n  n: 1", "f.yaml:4 /labels/n", "quote it"},
        BadCase{"type: Mesh\nname: a\nspec: 1", "f.yaml:3 /spec", "is an object"},
        BadCase{"type: Mesh\nname: a\nstatus: x", "f.yaml:3 /status", "is an object"},
        BadCase{"type: Mesh\nname: a\nlabels:\n  kuma.io/zone: east",
                "f.yaml:4 /labels/kuma.io~1zone", "contradicts"},
        BadCase{"apiVersion: kuma.io/v1alpha1\nkind: Mesh\nmetadata: {name: x}",
                "f.yaml:1 /apiVersion", "Kubernetes form"},
        BadCase{"- a", "f.yaml:1", "a resource is an object"},
        BadCase{"just text", "f.yaml:1", "a resource is an object"}));

TEST(ResourceText, OneBadDocumentDoesNotStopTheOthers) {
  const auto documents = parse("type: Mesh\nname: a\n---\ntype: Mesh\nname: [\n---\n# none\n---\n"
                               "type: Nope\nname: b\n---\ntype: Mesh\nname: c\n");
  ASSERT_EQ(documents.size(), 4u);
  EXPECT_TRUE(documents[0].resource);
  ASSERT_FALSE(documents[1].resource);
  EXPECT_EQ(documents[1].line, 3);
  EXPECT_EQ(documents[1].resource.error().field.substr(0, 7), "f.yaml:");
  EXPECT_EQ(documents[2].resource.error().code, ErrorCode::not_found);
  EXPECT_EQ(documents[3].resource.value().key.name, "c");
}

TEST(ResourceText, DerivedLabelsAreStripped) {
  const Resource r = one("type: MeshRetry\nname: a\nlabels: {kuma.io/origin: zone, "
                         "kuma.io/zone: east, x: y}", {.origin = "east"});
  EXPECT_EQ(r.labels, (Labels{{"x", "y"}}));
  EXPECT_EQ(r.key.origin, "east");
}

TEST(ResourceText, JsonObjectAndArray) {
  const std::string object = R"({"type":"Mesh","name":"a","spec":{"n":18446744073709551615}})";
  EXPECT_EQ(one(object, {.format = TextFormat::json}).spec, R"({"n":18446744073709551615})");
  const auto documents =
      parse_documents("[" + object + ",{\"type\":\"Mesh\"}]", "-", registry()).value();
  ASSERT_EQ(documents.size(), 2u);
  EXPECT_TRUE(documents[0].resource);
  EXPECT_NE(documents[1].resource.error().message.find("element 1"), std::string::npos);
  const auto broken =
      parse_documents("{\"type\":\"Mesh\",\"type\":\"Mesh\"}", "x.json", registry());
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().field.substr(0, 9), "x.json:1:");
}

TEST(ResourceText, NoDocuments) {
  EXPECT_TRUE(parse("").empty());
  EXPECT_TRUE(parse("# nothing\n---\n---\nnull\n").empty());
}

TEST(ResourceFromJson, PathFillsAndWins) {
  const ResourceKey key{"MeshTimeout", "m", "east", "t"};
  const Resource r = resource_from_json(R"({"spec":{"b":1,"a":2}})", key, registry()).value();
  EXPECT_EQ(r.key, key);
  EXPECT_EQ(r.spec, R"({"a":2,"b":1})");
  const auto field = [&](std::string_view body) {
    const auto result = resource_from_json(body, key, registry());
    return result ? std::string("accepted") : result.error().field;
  };
  EXPECT_EQ(field(R"({"name":"t","mesh":"m","type":"MeshTimeout"})"), "accepted");
  EXPECT_EQ(field(R"({"name":"u"})"), "/name");
  EXPECT_EQ(field(R"({"mesh":"n"})"), "/mesh");
  EXPECT_EQ(field(R"({"type":"MeshRetry"})"), "/type");
  EXPECT_EQ(field(R"({"labels":{"kuma.io/zone":"west"}})"), "/labels/kuma.io~1zone");
  EXPECT_EQ(field(R"([])"), "/");
  EXPECT_EQ(field(R"({"spec":{},"spec":{}})").substr(0, 2), "1:");
}

TEST(ResourceToJson, IsCanonicalWithDerivedLabels) {
  const Resource r{{"MeshTimeout", "m", "east", "t\"x"}, {{"z", "1"}}, R"({"a":1})", R"({"s":2})"};
  EXPECT_EQ(resource_to_json(r),
            R"({"labels":{"kuma.io/origin":"zone","kuma.io/zone":"east","z":"1"},"mesh":"m",)"
            R"("name":"t\"x","spec":{"a":1},"status":{"s":2},"type":"MeshTimeout"})");
  const Resource mesh{{"Mesh", "", "global", "m"}, {}, "{}", ""};
  EXPECT_EQ(resource_to_json(mesh),
            R"({"labels":{"kuma.io/origin":"global"},"name":"m","spec":{},"type":"Mesh"})");
}

TEST(ResourceToYaml, ReadsBackAsTheSameResource) {
  const Resource r{{"MeshTimeout", "m", "global", "yes"},
                   {{"team", "1.0"}},
                   R"({"a":[{"b":"no"}],"c":18446744073709551615})",
                   R"({"s":null})"};
  const std::string yaml = resource_to_yaml(r);
  EXPECT_EQ(yaml.substr(0, 18), "type: MeshTimeout\n");
  EXPECT_EQ(one(yaml), r) << yaml;
}

}  // namespace
}  // namespace zonesync

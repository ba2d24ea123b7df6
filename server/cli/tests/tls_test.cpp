// The channel over real loopback TLS: certificates, tokens, streams.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "protocol/http/server.hpp"
#include "protocol/transport/testing/test_certificates.hpp"
#include "server/cli/api.hpp"

namespace zonesync::cli {
namespace {

const TestCertificates& certificates() {
  static const TestCertificates made;
  return made;
}

/// Says who asked for what; `/changes` is a stream of two lines.
void answer(const HttpRequest& request, const HttpResponderPtr& responder) {
  if (request.path == "/changes") {
    responder->start_stream(200, {{"Content-Type", "application/x-ndjson"}});
    responder->write_chunk("{\"kind\":\"mark\",");
    responder->write_chunk("\"revision\":1}\n{\"kind\":\"end\"}\n");
    responder->close();
    return;
  }
  const std::string token(request.bearer_token());
  responder->respond({200, {}, "{\"body\":\"" + request.body + "\",\"token\":\"" + token + "\"}"});
}

class Tls : public ::testing::Test {
 protected:
  void SetUp() override {
    HttpServerOptions options;
    options.listener.tls = *TlsContext::server(
        {.certificate_file = certificates().certificate_file(),
         .key_file = certificates().key_file()});
    auto started = HttpServer::start(pool_, options, null_logger(), answer);
    ASSERT_TRUE(started) << describe(started.error());
    server_ = std::move(*started);
    token_file_ = ::testing::TempDir() + "/zonesync-cli-token-" +
                  std::to_string(server_->port());
    std::ofstream(token_file_) << "a.b.c\n";
    options_ = {"https://127.0.0.1:" + std::to_string(server_->port()), token_file_,
                certificates().ca_file(), std::chrono::seconds(20)};
  }
  void TearDown() override {
    server_.reset();
    pool_.stop();
    std::filesystem::remove(token_file_);
  }

  Api api() {
    auto channel = open_channel(options_);
    EXPECT_TRUE(channel) << channel.error().message;
    return Api(std::move(*channel), options_.url,
               {[](Duration) {}, [] { return TimePoint{}; }, [] { return true; }});
  }

  IoPool pool_{1};
  std::unique_ptr<HttpServer> server_;
  std::string token_file_;
  ApiOptions options_;
};

TEST_F(Tls, SendsTheTokenAndTheBody) {
  const auto first = api().send("POST", "/transactions", "x");
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->at("token").as_string(), "a.b.c");
  EXPECT_EQ(first->at("body").as_string(), "x");
}

TEST_F(Tls, StreamsLines) {
  std::vector<std::string> lines;
  const auto ended = api().stream("/changes", [&](std::string_view line) {
    lines.emplace_back(line);
    return true;
  });
  ASSERT_TRUE(ended) << ended.error().message;
  EXPECT_EQ(lines, (std::vector<std::string>{R"({"kind":"mark","revision":1})",
                                             R"({"kind":"end"})"}));
}

TEST_F(Tls, UnknownCaIsNotTrusted) {
  options_.ca_file.clear();  // the system's store does not know the test CA
  const auto refused = api().get("/");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().exit, Exit::cannot_connect);
  EXPECT_NE(refused.error().hint.find("--ca"), std::string::npos);
}

TEST_F(Tls, NobodyListens) {
  server_->stop();
  const auto refused = api().get("/");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().exit, Exit::cannot_connect);
}

TEST_F(Tls, BadFilesAndAddressesAreUsageErrors) {
  const auto code = [](ApiOptions options) {
    const auto channel = open_channel(options);
    return channel ? Exit::ok : channel.error().exit;
  };
  ApiOptions options = options_;
  options.url = "not a url";
  EXPECT_EQ(code(options), Exit::usage);
  options = options_;
  options.ca_file = "/does/not/exist";
  EXPECT_EQ(code(options), Exit::usage);
  options = options_;
  options.token_file = "/does/not/exist";
  EXPECT_EQ(code(options), Exit::usage);
  std::ofstream(token_file_) << "two tokens\n";
  EXPECT_EQ(code(options_), Exit::usage);
  std::ofstream(token_file_) << " \n";
  EXPECT_EQ(code(options_), Exit::usage);
}

TEST_F(Tls, TokensDoNotTravelInTheClear) {
  options_.url = "http://192.0.2.1:5681";
  const auto refused = open_channel(options_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().exit, Exit::usage);
}

}  // namespace
}  // namespace zonesync::cli

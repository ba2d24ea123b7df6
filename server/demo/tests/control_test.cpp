#include "server/demo/control.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

namespace zonesync::demo {
namespace {

class ControlTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/zs-control-XXXXXX";
    directory_ = ::mkdtemp(pattern);
    ::setenv("XDG_RUNTIME_DIR", directory_.c_str(), 1);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string directory_;
};

TEST_F(ControlTest, WithoutADemoTheErrorSaysWhatToType) {
  const auto answer = send_control("cut west");
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::not_found);
  EXPECT_NE(answer.error().message.find("zonesync-hub demo"), std::string::npos);
}

TEST_F(ControlTest, RequestsAndRefusalsComeBack) {
  auto server = ControlServer::start(directory_ + "/c.sock", [](const std::string& request) {
    if (request == "cut west") return Result<std::string>("cut");
    return Result<std::string>(fail(ErrorCode::invalid_argument, "no zone 'nowhere'"));
  });
  ASSERT_TRUE(server.has_value());
  EXPECT_EQ(send_control("cut west").value(), "cut");
  EXPECT_EQ(send_control("cut nowhere").error().message, "no zone 'nowhere'");
}

TEST_F(ControlTest, NothingIsLeftBehind) {
  {
    auto server = ControlServer::start(directory_ + "/c.sock",
                                       [](const std::string&) { return Result<std::string>(""); });
    ASSERT_TRUE(server.has_value());
    EXPECT_TRUE(std::filesystem::exists(pointer_path()));
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

TEST_F(ControlTest, AForeignPointerIsNotFollowed) {
  std::filesystem::create_symlink("/etc/passwd", pointer_path());
  EXPECT_EQ(send_control("cut west").error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace zonesync::demo

// Issue 2, Must show 5: a transaction over three types is never half visible in any mirror.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "conformance/integration/support/cluster.hpp"

namespace zonesync::integration {
namespace {

constexpr int kTransactions = 1'000;
const std::vector<std::string> kTypes{"MeshTimeout", "MeshRetry", "MeshCircuitBreaker"};

std::string read_at(int directory, const std::string& path) {
  const int fd = ::openat(directory, path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string text(4096, '\0');
  const ssize_t got = ::read(fd, text.data(), text.size());
  ::close(fd);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

/// The value inside each type's file as one reader sees them, having opened `current` once.
std::vector<std::string> values_of_one_cut(const AgentUnderTest& agent) {
  const int directory =
      ::open((agent.mirror() / "current").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return {};
  std::vector<std::string> values;
  for (const std::string& type : kTypes) {
    const std::string text = read_at(directory, "default/" + type + "/global/atom.json");
    const std::size_t at = text.find("\"value\":\"");
    values.push_back(
        at == std::string::npos ? "" : text.substr(at + 9, text.find('"', at + 9) - at - 9));
  }
  ::close(directory);
  return values;
}

TEST(Atomicity, AThousandTransactionsOverThreeTypesAreNeverHalfVisible) {
  Cluster cluster({"east", "west"});
  std::atomic<bool> stop{false};
  std::atomic<int> reads{0};
  std::atomic<int> half{0};
  std::atomic<int> distinct{0};
  std::vector<std::thread> readers;
  for (const std::string zone : {"east", "west"}) {
    readers.emplace_back([&, zone] {
      std::string last;
      while (!stop) {
        const auto values = values_of_one_cut(cluster.agent(zone));
        if (values.empty()) continue;
        ++reads;
        if (values[0] != values[1] || values[1] != values[2]) ++half;
        if (values[0] != last) ++distinct;
        last = values[0];
      }
    });
  }
  for (int i = 0; i < kTransactions; ++i) {
    std::string body = R"({"operations":[)";
    for (const std::string& type : kTypes) {
      if (type != kTypes.front()) body += ',';
      body += R"({"op":"upsert","resource":)" + timeout_json("atom", std::to_string(i), type) + '}';
    }
    ASSERT_EQ(cluster.hub.call("POST", "/transactions", body + "]}").status, 200u);
  }
  const bool converged = cluster.converges();
  stop = true;
  for (auto& reader : readers) reader.join();
  ASSERT_TRUE(converged);
  EXPECT_EQ(half.load(), 0) << "of " << reads.load() << " reads";
  EXPECT_GT(distinct.load(), 20) << "the readers saw it change";
  EXPECT_EQ(values_of_one_cut(cluster.agent("east"))[0], std::to_string(kTransactions - 1));
  EXPECT_TRUE(cluster.mirrors_equal());
}

}  // namespace
}  // namespace zonesync::integration

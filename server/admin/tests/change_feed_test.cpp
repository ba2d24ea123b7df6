// The stream's flow control, with a reader that takes as much as the test lets it.
#include "server/admin/change_feed.hpp"

#include <gtest/gtest.h>

#include "server/admin/tests/fixture.hpp"

namespace zonesync::admin::testing {
namespace {

/// A reader with room for so many bytes. Used on the test's thread only.
class SlowReader final : public HttpResponder {
 public:
  void respond(HttpResponse) override {}
  void start_stream(unsigned status, HttpHeaders) override { status_ = status; }
  bool write_chunk(std::string bytes) override {
    if (bytes.size() > room) return false;
    room -= bytes.size();
    text += bytes;
    return true;
  }
  void close() override { is_closed = true; }
  [[nodiscard]] bool closed() const override { return is_closed; }
  void on_closed(std::function<void()> callback) override { gone = std::move(callback); }
  void on_writable(std::function<void()> callback) override { writable = std::move(callback); }

  std::size_t room = 1u << 20;
  std::string text;
  bool is_closed = false;
  std::function<void()> gone;
  std::function<void()> writable;

 private:
  unsigned status_ = 0;
};

class Feed : public ::testing::Test {
 protected:
  Feed() {
    AdminOptions options;
    options.clock = &clock_;
    options.now = [this] { return now_; };
    context_ = std::make_shared<AdminContext>(std::move(options), hub_, pool_);
    context_->credentials = test_credentials;
    context_->logger = null_logger();
    call_.context = context_;
    call_.user = {"ann", {auth::Role::viewer}, "jti-feed", kNow + std::chrono::hours(1)};
  }

  void open(ChangeFeedRequest request) {
    feed_ = std::make_shared<ChangeFeed>(call_, request, loop_, reader_, [this] { ++ended_; });
    feed_->start();
    run();
  }
  void run() {
    loop_.restart();
    loop_.poll();
  }
  void write(const std::string& name, std::size_t bytes = 3) {
    hub_.write({hub::testing::put(hub::testing::policy(name, std::string(bytes, 'x')))});
  }
  [[nodiscard]] std::string last_line() const {
    const std::string& text = reader_->text;
    if (text.empty() || text.back() != '\n') return "(half a line)";
    const std::size_t start = text.rfind('\n', text.size() - 2);
    return text.substr(start == std::string::npos ? 0 : start + 1);
  }

  IoPool pool_{1};
  FakeHub hub_;
  ManualClock clock_;
  auth::UnixTime now_ = kNow;
  ContextPtr context_;
  Call call_;
  boost::asio::io_context loop_;
  std::shared_ptr<SlowReader> reader_ = std::make_shared<SlowReader>();
  std::shared_ptr<ChangeFeed> feed_;
  int ended_ = 0;
};

TEST_F(Feed, a_full_buffer_pauses_and_goes_on_where_it_stopped) {
  write("a", 300'000);
  write("b");
  reader_->room = 100'000;
  open({.since = {}, .type = "", .mesh = {}, .watch = true, .events = false});
  EXPECT_LE(reader_->text.size(), 100'000u);
  reader_->room = 1u << 20;
  clock_.advance(std::chrono::seconds(1));
  reader_->writable();
  run();
  EXPECT_EQ(last_line(), "{\"kind\":\"mark\",\"revision\":2}\n");
  EXPECT_EQ(ended_, 0);
}

TEST_F(Feed, a_slow_reader_is_cut_after_its_half_line_with_where_to_continue) {
  write("a", 300'000);
  write("b", 300'000);
  reader_->room = 100'000;
  open({.since = {}, .type = "", .mesh = {}, .watch = true, .events = false});
  clock_.advance(std::chrono::seconds(60));
  reader_->room = 4u << 20;
  reader_->writable();
  run();
  EXPECT_NE(last_line().find(R"("reason":"slow_reader","revision":0)"), std::string::npos)
      << last_line();
  EXPECT_EQ(reader_->text.find(R"("name":"b")"), std::string::npos) << "more than the half line";
  EXPECT_NE(reader_->text.find(R"("revision":1})"), std::string::npos);
  EXPECT_TRUE(reader_->is_closed);
  EXPECT_EQ(ended_, 1);
}

TEST_F(Feed, a_slow_reader_of_events_is_cut_at_an_event) {
  write("a", 200'000);
  reader_->room = 100'000;
  open({.since = {}, .type = "", .mesh = {}, .watch = true, .events = true});
  clock_.advance(std::chrono::seconds(60));
  reader_->room = 4u << 20;
  reader_->writable();
  run();
  const std::size_t end = reader_->text.find("\n\nid: 0\nevent: end\ndata: ");
  EXPECT_NE(end, std::string::npos);
  EXPECT_TRUE(reader_->text.ends_with("}\n\n"));
}

TEST_F(Feed, an_expired_token_ends_the_stream) {
  open({.since = {}, .type = "", .mesh = {}, .watch = true, .events = false});
  now_ = kNow + std::chrono::hours(2);
  write("a");
  feed_->wake();
  run();
  EXPECT_NE(last_line().find("\"reason\":\"token_expired\",\"revision\":0"), std::string::npos);
  EXPECT_EQ(reader_->text.find(R"("name":"a")"), std::string::npos);
  EXPECT_EQ(ended_, 1);
}

TEST_F(Feed, a_revoked_token_ends_the_stream) {
  call_.user.jti = "jti-revoked";
  open({.since = {}, .type = "", .mesh = {}, .watch = true, .events = false});
  ASSERT_TRUE(test_credentials()->revoke_api_token("jti-revoked"));
  feed_->wake();
  run();
  EXPECT_NE(last_line().find("token_revoked"), std::string::npos);
}

TEST_F(Feed, a_reader_that_leaves_ends_the_feed) {
  open({.since = {}, .type = "", .mesh = {}, .watch = true, .events = false});
  reader_->gone();
  run();
  EXPECT_EQ(ended_, 1);
  write("a");
  feed_->wake();
  run();
  EXPECT_EQ(reader_->text, "{\"kind\":\"mark\",\"revision\":0}\n");
}

TEST_F(Feed, a_page_boundary_inside_a_transaction_loses_nothing) {
  std::vector<hub::WriteOp> ops;
  for (int i = 0; i < 600; ++i) {
    ops.push_back(hub::testing::put(hub::testing::policy("p" + std::to_string(i))));
  }
  hub_.write(std::move(ops));
  reader_->room = 8u << 20;
  open({.since = {}, .type = "", .mesh = {}, .watch = false, .events = true});
  std::size_t upserts = 0;
  for (std::size_t at = 0; (at = reader_->text.find("event: upsert", at)) != std::string::npos;
       ++at) {
    ++upserts;
  }
  EXPECT_EQ(upserts, 600u);
  std::size_t zero = 0;  // nothing may be continued after but the end of the transaction
  for (std::size_t at = 0; (at = reader_->text.find("id: 0\n", at)) != std::string::npos; ++at) {
    ++zero;
  }
  EXPECT_EQ(zero, 599u);
  EXPECT_TRUE(reader_->is_closed);
}

}  // namespace
}  // namespace zonesync::admin::testing

#include <atomic>
#include <future>
#include <mutex>
#include <set>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "protocol/http/client.hpp"
#include "protocol/http/server.hpp"
#include "protocol/transport/testing/test_certificates.hpp"

namespace zonesync {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;

const TestCertificates& certificates() {
  static const TestCertificates made;
  return made;
}

// Answers with what it got: "METHOD path?k=v body".
void echo(const HttpRequest& request, const HttpResponderPtr& responder) {
  std::string text = request.method + " " + request.path;
  for (const auto& [name, value] : request.query) text += " " + name + "=" + value;
  responder->respond({200, {{"Content-Type", "text/plain"}}, text + " " + request.body});
}

class Server {
 public:
  explicit Server(HttpHandler handler = echo, HttpServerOptions options = {}, bool tls = false) {
    if (tls) {
      options.listener.tls = *TlsContext::server(
          {.certificate_file = certificates().certificate_file(),
           .key_file = certificates().key_file()});
    }
    tls_ = tls;
    auto made = HttpServer::start(pool_, options, nullptr, std::move(handler));
    EXPECT_TRUE(made) << describe(made.error());
    server_ = std::move(*made);
  }
  ~Server() {
    server_->stop();
    pool_.stop();
  }

  [[nodiscard]] HttpClientOptions client() const {
    HttpClientOptions options;
    options.url = {.tls = tls_, .host = "127.0.0.1", .port = server_->port(), .path = ""};
    if (tls_) options.tls = *TlsContext::client({.ca_file = certificates().ca_file()});
    return options;
  }

  /// Sends bytes, reads until the server closes.
  [[nodiscard]] std::string raw(const std::string& bytes) const {
    boost::asio::io_context context;
    tcp::socket socket(context);
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), server_->port()});
    boost::asio::write(socket, boost::asio::buffer(bytes));
    std::string answer;
    boost::system::error_code ended;
    boost::asio::read(socket, boost::asio::dynamic_buffer(answer), ended);
    return answer;
  }

  HttpServer& server() { return *server_; }

 private:
  IoPool pool_{2};
  bool tls_ = false;
  std::unique_ptr<HttpServer> server_;
};

TEST(Http, a_request_and_its_answer_over_tls) {
  Server server(echo, {}, true);
  const auto answer = request_blocking(
      server.client(), {.method = "PUT", .target = "/a/b?x=1&y=%20", .body = "hello"});
  ASSERT_TRUE(answer) << describe(answer.error());
  EXPECT_EQ(answer->status, 200u);
  EXPECT_EQ(answer->body, "PUT /a/b x=1 y=  hello");
  EXPECT_EQ(answer->headers.get("content-type"), "text/plain");
  EXPECT_EQ(answer->headers.get("X-Content-Type-Options"), "nosniff");
}

TEST(Http, many_requests_share_one_connection) {
  std::atomic<int> requests{0};
  std::mutex mutex;
  std::set<std::string> peers;
  Server server([&](const HttpRequest& request, const HttpResponderPtr& responder) {
    ++requests;
    {
      const std::lock_guard lock(mutex);
      peers.insert(request.peer.address);
    }
    echo(request, responder);
  });
  BlockingHttpClient client(server.client());
  for (int i = 0; i < 20; ++i) {
    const auto answer = client.request({.target = "/" + std::to_string(i)});
    ASSERT_TRUE(answer) << describe(answer.error());
    EXPECT_EQ(answer->body, "GET /" + std::to_string(i) + " ");
  }
  EXPECT_EQ(requests, 20);
  EXPECT_EQ(peers.size(), 1u);
}

TEST(Http, pipelined_requests_are_answered_in_turn) {
  Server server;
  const std::string answer = server.raw(
      "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"
      "GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const auto one = answer.find("GET /1");
  const auto two = answer.find("POST /2 hi");
  const auto three = answer.find("GET /3");
  EXPECT_LT(one, two);
  EXPECT_LT(two, three);
  EXPECT_NE(three, std::string::npos) << answer;
}

TEST(Http, answers_may_come_from_another_thread) {
  std::vector<std::thread> threads;
  Server server([&](const HttpRequest& request, const HttpResponderPtr& responder) {
    threads.emplace_back([request, responder] { echo(request, responder); });
  });
  const auto answer = request_blocking(server.client(), {});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200u);
  for (auto& thread : threads) thread.join();
}

TEST(Http, a_handler_that_drops_its_responder_answers_500) {
  Server server([](const HttpRequest&, const HttpResponderPtr&) {});
  const auto answer = request_blocking(server.client(), {});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 500u);
}

TEST(Http, only_the_first_answer_counts) {
  Server server([](const HttpRequest&, const HttpResponderPtr& responder) {
    responder->respond({201, {}, "first"});
    responder->respond({202, {}, "second"});
    responder->start_stream(203, {});
  });
  BlockingHttpClient client(server.client());
  for (int i = 0; i < 2; ++i) EXPECT_EQ(client.request({})->status, 201u);
}

TEST(Http, head_and_204_have_no_body_and_keep_the_connection) {
  Server server([](const HttpRequest& request, const HttpResponderPtr& responder) {
    responder->respond({request.path == "/none" ? 204u : 200u, {}, "body"});
  });
  BlockingHttpClient client(server.client());
  const auto head = client.request({.method = "HEAD"});
  ASSERT_TRUE(head) << describe(head.error());
  EXPECT_EQ(head->body, "");
  EXPECT_EQ(head->headers.get("Content-Length"), "4");
  EXPECT_EQ(client.request({.target = "/none"})->status, 204u);
  EXPECT_EQ(client.request({})->body, "body");
}

TEST(Http, a_body_of_the_largest_size_passes_and_one_byte_more_is_413) {
  HttpServerOptions options;
  options.body_max_bytes = 3u << 20;
  for (const bool tls : {false, true}) {
    Server server(
        [](const HttpRequest& request, const HttpResponderPtr& responder) {
          responder->respond({200, {}, std::to_string(request.body.size())});
        },
        options, tls);
    const auto fits = request_blocking(
        server.client(), {.method = "POST", .body = std::string(options.body_max_bytes, 'b')});
    ASSERT_TRUE(fits) << describe(fits.error());
    EXPECT_EQ(fits->body, std::to_string(options.body_max_bytes));
    const auto over = request_blocking(
        server.client(), {.method = "POST", .body = std::string(options.body_max_bytes + 1, 'b')});
    ASSERT_TRUE(over) << describe(over.error());
    EXPECT_EQ(over->status, 413u);
  }
}

TEST(Http, a_large_answer_arrives_whole) {
  Server server([](const HttpRequest&, const HttpResponderPtr& responder) {
    responder->respond({200, {}, std::string(8u << 20, 'r')});
  }, {}, true);
  const auto answer = request_blocking(server.client(), {});
  ASSERT_TRUE(answer) << describe(answer.error());
  EXPECT_EQ(answer->body.size(), 8u << 20);
}

TEST(Http, refuses_chunked_bodies_oversized_headers_garbage_and_bad_escapes) {
  HttpServerOptions options;
  options.header_max_bytes = 1000;
  options.linger_timeout = 20ms;
  Server server(echo, options);
  const std::pair<std::string, std::string> cases[] = {
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "411"},
      {"GET / HTTP/1.1\r\nX: " + std::string(2000, 'x') + "\r\n\r\n", "431"},
      {"\x16\x03\x01\x02\r\n\r\n", "400"},
      {"GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"GET /?a=%0 HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\nab", "400"},
  };
  for (const auto& [request, status] : cases) {
    EXPECT_TRUE(server.raw(request).starts_with("HTTP/1.1 " + status)) << request;
  }
}

TEST(Http, a_slow_request_is_408_and_an_idle_connection_is_closed) {
  HttpServerOptions options;
  options.read_timeout = 20ms;
  options.linger_timeout = 20ms;
  options.idle_timeout = 20ms;
  Server server(echo, options);
  EXPECT_TRUE(server.raw("GET / HT").starts_with("HTTP/1.1 408"));
  EXPECT_TRUE(server.raw("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab")
                  .starts_with("HTTP/1.1 408"));
  EXPECT_EQ(server.raw(""), "");
}

TEST(Http, expect_100_continue_is_answered) {
  Server server;
  const auto answer = server.raw(
      "POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nConnection: close\r\n"
      "Content-Length: 2\r\n\r\nhi");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.1 100")) << answer;
  EXPECT_NE(answer.find("POST /x hi"), std::string::npos);
}

// Without the precheck the server waits for the body: the answers would be 408.
TEST(Http, a_request_that_the_precheck_refuses_is_answered_before_its_body_is_sent) {
  HttpServerOptions options;
  options.linger_timeout = 20ms;
  options.read_timeout = 2s;
  std::atomic<int> handled{0};
  options.precheck = [](const HttpRequest& head) -> std::optional<HttpResponse> {
    EXPECT_EQ(head.path, "/x");
    EXPECT_EQ(head.body, "");
    if (head.bearer_token() == "good") return std::nullopt;
    return HttpResponse{401, {{"X-Why", "no token"}}, "who are you"};
  };
  Server server([&](const HttpRequest& request, const HttpResponderPtr& responder) {
    ++handled;
    echo(request, responder);
  }, options);
  const std::string head = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 8000000\r\n";
  for (const char* expect : {"", "Expect: 100-continue\r\n"}) {
    const std::string answer = server.raw(head + expect + "\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 401")) << answer;
    EXPECT_NE(answer.find("X-Why: no token"), std::string::npos);
    EXPECT_NE(answer.find("Connection: close"), std::string::npos);
    EXPECT_NE(answer.find("who are you"), std::string::npos);
  }
  EXPECT_EQ(handled, 0);
  HttpClientOptions client = server.client();
  client.bearer_token = "good";
  const auto good =
      request_blocking(client, {.method = "POST", .target = "/x", .body = "hello"});
  ASSERT_TRUE(good) << describe(good.error());
  EXPECT_EQ(good->body, "POST /x hello");
  EXPECT_EQ(handled, 1);
}

TEST(Http, header_values_cannot_inject_lines) {
  Server server([](const HttpRequest&, const HttpResponderPtr& responder) {
    responder->respond({200, {{"X-A", "1\r\nX-B: 2"}}, ""});
  });
  const auto answer = request_blocking(
      server.client(), {.headers = {{"X-C", "3\r\nX-D: 4"}}});
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->headers.has("X-B"));
}

TEST(HttpStream, lines_arrive_as_they_are_written) {
  Server server([](const HttpRequest&, const HttpResponderPtr& responder) {
    responder->start_stream(200, {{"Content-Type", "application/x-ndjson"}});
    EXPECT_TRUE(responder->write_chunk("{\"n\":1}\n{\"n\""));
    EXPECT_TRUE(responder->write_chunk(":2}\r\n"));
    responder->close();
    EXPECT_FALSE(responder->write_chunk("late\n"));
  }, {}, true);
  std::vector<std::string> lines;
  BlockingHttpClient client(server.client());
  const auto answer = client.stream_lines({}, [&](std::string_view line) {
    lines.emplace_back(line);
    return true;
  });
  ASSERT_TRUE(answer) << describe(answer.error());
  EXPECT_EQ(lines, (std::vector<std::string>{"{\"n\":1}", "{\"n\":2}"}));
  EXPECT_EQ(answer->headers.get("content-type"), "application/x-ndjson");
}

TEST(HttpStream, the_server_learns_that_the_client_went_away) {
  std::promise<void> closed;
  HttpResponderPtr kept;
  Server server([&](const HttpRequest&, const HttpResponderPtr& responder) {
    kept = responder;
    responder->on_closed([&closed] { closed.set_value(); });
    responder->start_stream(200, {});
    responder->write_chunk("one\n");
  });
  const auto answer = BlockingHttpClient(server.client())
                          .stream_lines({}, [](std::string_view) { return false; });
  EXPECT_TRUE(answer);
  EXPECT_EQ(closed.get_future().wait_for(20s), std::future_status::ready);
  EXPECT_TRUE(kept->closed());
  EXPECT_FALSE(kept->write_chunk("two\n"));
  kept.reset();
}

TEST(HttpStream, a_client_that_reads_nothing_fills_a_bounded_buffer) {
  std::promise<std::size_t> taken;
  HttpServerOptions options;
  options.stream_buffer_max_bytes = 100'000;
  Server server([&](const HttpRequest&, const HttpResponderPtr& responder) {
    responder->start_stream(200, {});
    std::size_t bytes = 0;
    while (responder->write_chunk(std::string(1000, 'x'))) bytes += 1000;
    taken.set_value(bytes);
  }, options);
  const auto answer = request_blocking(server.client(), {});
  EXPECT_LE(taken.get_future().get(), options.stream_buffer_max_bytes);
  ASSERT_TRUE(answer);
}

TEST(HttpStream, a_refusal_is_returned_whole) {
  Server server([](const HttpRequest&, const HttpResponderPtr& responder) {
    responder->respond({410, {}, "gone\nlong ago\n"});
  });
  BlockingHttpClient client(server.client());
  const auto answer = client.stream_lines({}, [](std::string_view) {
    ADD_FAILURE();
    return true;
  });
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 410u);
  EXPECT_EQ(answer->body, "gone\nlong ago\n");
}

TEST(HttpStream, the_caller_can_interrupt_a_silent_stream) {
  HttpResponderPtr kept;
  Server server([&](const HttpRequest&, const HttpResponderPtr& responder) {
    kept = responder;
    responder->start_stream(200, {});
  });
  bool go_on = true;
  BlockingHttpClient client(server.client());
  const auto answer = client.stream_lines({}, [](std::string_view) { return true; },
                                          [&] { return std::exchange(go_on, false); });
  EXPECT_TRUE(answer || answer.error().code == ErrorCode::canceled);
  kept.reset();
}

TEST(HttpClient, errors_tell_apart_unreachable_untrusted_late_and_too_large) {
  Server server([](const HttpRequest& request, const HttpResponderPtr& responder) {
    static HttpResponderPtr never;
    if (request.path == "/never") {
      never = responder;
      responder->on_closed([] { never.reset(); });
    } else {
      responder->respond({200, {}, std::string(1000, 'x')});
    }
  }, {}, true);
  auto options = server.client();
  options.timeout = 50ms;
  EXPECT_EQ(request_blocking(options, {.target = "/never"}).error().code, ErrorCode::timeout);
  options = server.client();
  options.body_max_bytes = 10;
  EXPECT_EQ(request_blocking(options, {}).error().code, ErrorCode::too_large);
  const TestCertificates other;
  options = server.client();
  options.tls = *TlsContext::client({.ca_file = other.ca_file()});
  EXPECT_EQ(request_blocking(options, {}).error().code, ErrorCode::unauthenticated);
  options.tls = nullptr;
  EXPECT_EQ(request_blocking(options, {}).error().code, ErrorCode::invalid_argument);
  options = server.client();
  server.server().stop();
  const auto stopped = request_blocking(options, {});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::unavailable);
}

TEST(HttpClient, a_dead_kept_connection_is_opened_anew) {
  HttpServerOptions options;
  options.idle_timeout = 5ms;
  Server server(echo, options);
  BlockingHttpClient client(server.client());
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(client.request({}));
    (void)server.raw("");  // returns after the idle timeout
    (void)server.raw("");  // returns after the idle timeout
  }
}

TEST(HttpClient, many_connections_at_once) {
  Server server(echo, {}, true);
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      BlockingHttpClient client(server.client());
      for (int k = 0; k < 10; ++k) {
        const auto answer = client.request({.method = "POST", .target = "/t", .body = "x"});
        good += answer && answer->body == "POST /t x";
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 80);
}

}  // namespace
}  // namespace zonesync

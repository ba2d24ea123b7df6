// The hub's REST API as the commands use it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "protocol/core/time.hpp"
#include "protocol/http/client.hpp"
#include "server/cli/outcome.hpp"

namespace zonesync::cli {

/// How requests reach the hub; tests script it.
class ApiChannel {
 public:
  virtual ~ApiChannel() = default;
  virtual Result<HttpResponse> request(HttpClientRequest request) = 0;
  virtual Result<HttpResponse> stream(HttpClientRequest request,
                                      const BlockingHttpClient::LineHandler& on_line,
                                      const BlockingHttpClient::KeepGoing& keep_going) = 0;
};

struct ApiOptions {
  std::string url;
  std::string token_file;  // empty = no token
  std::string ca_file;     // empty = the system's trust store
  Duration timeout = std::chrono::seconds(30);
};

/// Reads the files and makes a channel over HTTPS; connects at the first request. Failures: usage
/// (URL, files). A plain http URL with a token is refused unless the host is loopback: tokens do
/// not travel in the clear.
[[nodiscard]] Outcome<std::unique_ptr<ApiChannel>> open_channel(const ApiOptions& options);

/// What commands need besides the hub: replaced in tests.
struct Surroundings {
  std::function<void(Duration)> sleep;
  std::function<TimePoint()> now;
  std::function<bool()> keep_going;  // false after an interrupt
};

/// Turns answers into values and failures, and tries again where that is safe.
/// Thread rule: one thread.
class Api {
 public:
  Api(std::unique_ptr<ApiChannel> channel, std::string url, Surroundings surroundings);

  /// A whole answer with status < 300. Answers 429 and 503 are asked again a few times, after what
  /// Retry-After says.
  [[nodiscard]] Outcome<HttpResponse> call(HttpClientRequest request);
  /// As call(), but an error status is an answer too.
  [[nodiscard]] Outcome<HttpResponse> call_any(HttpClientRequest request);
  [[nodiscard]] Outcome<boost::json::value> get(std::string target);
  [[nodiscard]] Outcome<boost::json::value> send(std::string method, std::string target,
                                                 std::string body = {});
  /// NDJSON until it ends, `on_line` says false or an interrupt.
  [[nodiscard]] Outcome<void> stream(std::string target,
                                     const BlockingHttpClient::LineHandler& on_line);

  [[nodiscard]] const Surroundings& surroundings() const { return surroundings_; }

 private:
  std::unique_ptr<ApiChannel> channel_;
  std::string url_;
  Surroundings surroundings_;
};

/// Builds "/a%20b?x=1": segments and values are percent-encoded.
class Target {
 public:
  explicit Target(std::initializer_list<std::string_view> segments);
  /// Before any query.
  Target& segment(std::string_view segment);
  Target& query(std::string_view name, std::string_view value);
  /// Only when `value` is not empty.
  Target& query_if(std::string_view name, std::string_view value);
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
  bool has_query_ = false;
};

/// The body as a JSON value. Failures: failed (not JSON: not our hub).
[[nodiscard]] Outcome<boost::json::value> body_of(const HttpResponse& response);

}  // namespace zonesync::cli

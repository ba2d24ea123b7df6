// docs/openapi.yaml as the tests hold the server to it.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "protocol/http/types.hpp"

namespace zonesync::admin::testing {

class OpenApi {
 public:
  /// Reads the committed document; aborts the test program when it cannot.
  [[nodiscard]] static const OpenApi& document();

  struct Operation {
    std::string method;  // "GET"
    std::string path;
    std::string role;    // x-role; empty on the metrics port
    std::set<std::string> path_parameters;
    std::set<std::string> query;
    friend auto operator<=>(const Operation&, const Operation&) = default;
  };
  [[nodiscard]] std::vector<Operation> operations() const;

  /// What is wrong with `response` of the operation `method` `pattern`: undocumented status,
  /// content type, field or header. Where there is no such operation, only a problem is right.
  [[nodiscard]] std::vector<std::string> findings(std::string_view method,
                                                  std::string_view pattern,
                                                  const HttpResponse& response) const;

 private:
  OpenApi();
  [[nodiscard]] const boost::json::value* operation(std::string_view method,
                                                    std::string_view pattern) const;
  boost::json::value root_;
};

}  // namespace zonesync::admin::testing

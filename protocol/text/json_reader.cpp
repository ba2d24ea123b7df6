#include <boost/json/basic_parser_impl.hpp>

#include "protocol/model/limits.hpp"
#include "protocol/text/json_value.hpp"
#include "protocol/text/number.hpp"
#include "protocol/text/position.hpp"
#include "protocol/text/value_builder.hpp"

namespace zonesync::text {
namespace {

namespace json = boost::json;
using ErrorRef = json::error_code&;

/// Handler of Boost.JSON's event parser. Keeps the first refusal in `error`; the parser then stops
/// at the place where it happened.
struct Handler {
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  ValueBuilder builder;
  std::string part;
  Status error;

  bool check(Status status, ErrorRef ec) {
    if (status) return true;
    error = std::move(status);
    ec = json::make_error_code(json::error::exception);
    return false;
  }
  std::string_view whole(json::string_view last) {
    if (part.empty()) return {last.data(), last.size()};
    part.append(last.data(), last.size());
    return part;
  }

  bool on_document_begin(ErrorRef) { return true; }
  bool on_document_end(ErrorRef) { return true; }
  bool on_object_begin(ErrorRef ec) { return check(builder.begin_object(), ec); }
  bool on_array_begin(ErrorRef ec) { return check(builder.begin_array(), ec); }
  bool on_object_end(std::size_t, ErrorRef) { return builder.end().has_value(); }
  bool on_array_end(std::size_t, ErrorRef) { return builder.end().has_value(); }
  bool on_key_part(json::string_view text, std::size_t, ErrorRef) {
    part.append(text.data(), text.size());
    return true;
  }
  bool on_key(json::string_view text, std::size_t, ErrorRef ec) {
    Status added = builder.key(whole(text));
    part.clear();
    return check(std::move(added), ec);
  }
  bool on_string_part(json::string_view text, std::size_t, ErrorRef) {
    part.append(text.data(), text.size());
    return true;
  }
  bool on_string(json::string_view text, std::size_t, ErrorRef ec) {
    Status added = builder.add_string(whole(text));
    part.clear();
    return check(std::move(added), ec);
  }
  bool on_number_part(json::string_view text, ErrorRef) {
    part.append(text.data(), text.size());
    return true;
  }
  bool on_int64(std::int64_t number, json::string_view, ErrorRef ec) {
    part.clear();
    return check(builder.add(number, {1, 0}), ec);
  }
  bool on_uint64(std::uint64_t number, json::string_view, ErrorRef ec) {
    part.clear();
    return check(builder.add(number, {1, 0}), ec);
  }
  /// Boost.JSON 1.81 rounds doubles inexactly and turns long integers into doubles: read the text.
  bool on_double(double, json::string_view text, ErrorRef ec) {
    Result<json::value> number = number_from_text(whole(text));
    part.clear();
    if (!number) return check(fail(std::move(number.error())), ec);
    return check(builder.add(std::move(*number), {1, 0}), ec);
  }
  bool on_bool(bool flag, ErrorRef ec) { return check(builder.add(flag, {1, 0}), ec); }
  bool on_null(ErrorRef ec) { return check(builder.add(nullptr, {1, 0}), ec); }
  bool on_comment_part(json::string_view, ErrorRef) { return true; }
  bool on_comment(json::string_view, ErrorRef) { return true; }
};

tl::unexpected<Error> at(std::string_view text, std::size_t offset, ErrorCode code,
                         std::string message) {
  return fail(code, std::move(message), to_string(position_of(text, offset)));
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

Result<json::value> parse_json(std::string_view text) {
  if (text.size() > limits::kFileMaxBytes) {
    return fail(ErrorCode::too_large, "the text has more than " +
                                          std::to_string(limits::kFileMaxBytes) + " bytes", "1:1");
  }
  json::parse_options options;
  options.max_depth = limits::kDocumentMaxDepth + 1;  // the builder's own message comes first
  json::basic_parser<Handler> parser(options);
  json::error_code ec;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
  Handler& handler = parser.handler();
  if (!handler.error) {
    return at(text, used, handler.error.error().code, handler.error.error().message);
  }
  if (ec) return at(text, used, ErrorCode::invalid_argument, "not JSON: " + ec.message());
  for (std::size_t i = used; i < text.size(); ++i) {
    if (!is_space(text[i])) {
      return at(text, i, ErrorCode::invalid_argument, "not JSON: content after the end");
    }
  }
  return handler.builder.take();
}

}  // namespace zonesync::text

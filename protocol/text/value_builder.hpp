// Builds a JSON value from parser events, for JSON and YAML alike, within bounds.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "protocol/model/result.hpp"

namespace zonesync::text {

/// Refuses duplicate keys, too deep nesting and more than limits.hpp's nodes and bytes per
/// document (YAML aliases are counted expanded). Life cycle: events of one document, then take().
/// After an error the builder is not used further. Not thread-safe.
class ValueBuilder {
 public:
  /// What a finished subtree costs when it is copied (YAML aliases).
  struct Cost {
    std::size_t nodes = 0;
    std::size_t bytes = 0;
  };

  Status begin_object();
  Status begin_array();
  /// Key of the next value; only directly inside an object. Errors: invalid_argument (duplicate).
  Status key(std::string_view name);
  Status add(boost::json::value value, Cost cost);
  Status add_string(std::string_view text);
  /// Ends the innermost container and returns its cost.
  Result<Cost> end();

  /// The finished document; null when there was none.
  [[nodiscard]] boost::json::value take() { return std::move(root_); }
  /// Inside an object, before a key.
  [[nodiscard]] bool wants_key() const;
  [[nodiscard]] std::size_t depth() const { return frames_.size(); }
  /// JSON pointer to the value that comes next.
  [[nodiscard]] std::string pointer() const;
  /// The value finished last (just added or ended), for anchors.
  [[nodiscard]] const boost::json::value& last() const;

 private:
  struct Frame {
    boost::json::value container;
    std::string key;
    bool has_key = false;
    Cost before;
  };
  Status begin(boost::json::value container);
  Status spend(Cost cost);
  void attach(boost::json::value value);

  std::vector<Frame> frames_;
  boost::json::value root_;
  Cost spent_;
};

/// `text` with '~' and '/' escaped for a JSON pointer.
[[nodiscard]] std::string pointer_token(std::string_view text);

}  // namespace zonesync::text

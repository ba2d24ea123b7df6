#include "protocol/text/value_builder.hpp"

#include <utility>

#include "protocol/model/assert.hpp"
#include "protocol/model/limits.hpp"

namespace zonesync::text {

Status ValueBuilder::spend(Cost cost) {
  spent_.nodes += cost.nodes;
  spent_.bytes += cost.bytes;
  if (spent_.nodes > limits::kDocumentMaxNodes) {
    return fail(ErrorCode::too_large, "the document has more than " +
                                          std::to_string(limits::kDocumentMaxNodes) +
                                          " values, aliases expanded");
  }
  if (spent_.bytes > limits::kDocumentMaxBytes) {
    return fail(ErrorCode::too_large, "the document has more than " +
                                          std::to_string(limits::kDocumentMaxBytes) +
                                          " bytes of text, aliases expanded");
  }
  return {};
}

Status ValueBuilder::begin(boost::json::value container) {
  if (frames_.size() >= limits::kDocumentMaxDepth) {
    return fail(ErrorCode::too_large, "the document is nested deeper than " +
                                          std::to_string(limits::kDocumentMaxDepth) + " levels");
  }
  const Cost before = spent_;
  if (Status paid = spend({1, 0}); !paid) return paid;
  Frame frame;
  frame.container = std::move(container);
  frame.before = before;
  frames_.push_back(std::move(frame));
  return {};
}

Status ValueBuilder::begin_object() { return begin(boost::json::object()); }
Status ValueBuilder::begin_array() { return begin(boost::json::array()); }

Status ValueBuilder::key(std::string_view name) {
  ZS_ASSERT(wants_key());
  Frame& frame = frames_.back();
  if (frame.container.get_object().contains(name)) {
    return fail(ErrorCode::invalid_argument,
                "key '" + std::string(name.substr(0, 100)) + "' is there twice in one object");
  }
  frame.key = name;
  frame.has_key = true;
  return spend({0, name.size()});
}

Status ValueBuilder::add(boost::json::value value, Cost cost) {
  if (Status paid = spend(cost); !paid) return paid;
  attach(std::move(value));
  return {};
}

Status ValueBuilder::add_string(std::string_view text) {
  return add(boost::json::value(boost::json::string(text)), {1, text.size()});
}

Result<ValueBuilder::Cost> ValueBuilder::end() {
  ZS_ASSERT(!frames_.empty());
  const Cost before = frames_.back().before;
  boost::json::value finished = std::move(frames_.back().container);
  frames_.pop_back();
  attach(std::move(finished));
  return Cost{spent_.nodes - before.nodes, spent_.bytes - before.bytes};
}

void ValueBuilder::attach(boost::json::value value) {
  if (frames_.empty()) {
    root_ = std::move(value);
    return;
  }
  Frame& frame = frames_.back();
  if (frame.container.is_array()) {
    frame.container.get_array().push_back(std::move(value));
    return;
  }
  ZS_ASSERT(frame.has_key);
  frame.container.get_object().insert_or_assign(frame.key, std::move(value));
  frame.has_key = false;
}

bool ValueBuilder::wants_key() const {
  return !frames_.empty() && frames_.back().container.is_object() && !frames_.back().has_key;
}

std::string ValueBuilder::pointer() const {
  std::string text;
  for (const Frame& frame : frames_) {
    text += '/';
    text += frame.container.is_array() ? std::to_string(frame.container.get_array().size())
                                       : pointer_token(frame.key);
  }
  return text;
}

const boost::json::value& ValueBuilder::last() const {
  if (frames_.empty()) return root_;
  const Frame& frame = frames_.back();
  if (frame.container.is_array()) return frame.container.get_array().back();
  return frame.container.get_object().at(frame.key);
}

std::string pointer_token(std::string_view text) {
  std::string token;
  for (const char c : text) {
    if (c == '~') token += "~0";
    else if (c == '/') token += "~1";
    else token.push_back(c);
  }
  return token;
}

}  // namespace zonesync::text

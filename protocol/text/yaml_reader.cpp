#include "protocol/text/yaml_reader.hpp"

#include <algorithm>
#include <exception>
#include <istream>
#include <streambuf>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "protocol/model/limits.hpp"
#include "protocol/model/utf8.hpp"
#include "protocol/text/value_builder.hpp"
#include "protocol/text/yaml_scalar.hpp"

namespace zonesync::text {
namespace {

/// Carries a refusal out of yaml-cpp; never leaves this file.
struct Refused : std::exception {
  Refused(Error e, YAML::Mark m) : error(std::move(e)), mark(m) {}
  Error error;
  YAML::Mark mark;
};

/// Reads memory without a copy.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // a get area is never written to
    setg(begin, begin, begin + text.size());
  }
};

/// Turns yaml-cpp's events of one document into builder events and expands aliases.
class Handler : public YAML::EventHandler {
 public:
  Handler(int first_line, Marks* marks, std::size_t mark_depth)
      : first_line_(first_line), marks_(marks), mark_depth_(mark_depth) {}

  [[nodiscard]] boost::json::value take() { return builder_.take(); }
  [[nodiscard]] std::string place(const YAML::Mark& mark) const {
    return to_string(Position{first_line_ + mark.line, mark.column + 1});
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (builder_.wants_key()) refuse(mark, "a key is not null; quote it to keep it as text");
    note(mark);
    check(mark, builder_.add(nullptr, {1, 0}));
    remember(mark, anchor, {1, 0}, 0);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (builder_.wants_key()) refuse(mark, "a key is not an alias");
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) refuse(mark, "an alias stands inside what it names");
    if (builder_.depth() + found->second.depth > limits::kDocumentMaxDepth) {
      refuse(mark, "aliases nest the document too deep");
    }
    note(mark);
    check(mark, builder_.add(found->second.value, found->second.cost));
    deepest_ = std::max(deepest_, builder_.depth() + found->second.depth);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (builder_.wants_key()) {
      if (tag == "?" && value == "<<") {
        refuse(mark, "merge keys ('<<') are not part of YAML 1.2; write the fields out");
      }
      if (anchor != YAML::NullAnchor) refuse(mark, "a key has no anchor");
      note_key(mark, value);
      return;
    }
    Result<boost::json::value> resolved = resolve_scalar(tag, value);
    if (!resolved) throw Refused(std::move(resolved.error()), mark);
    note(mark);
    const ValueBuilder::Cost cost{1, value.size()};
    check(mark, builder_.add(std::move(*resolved), cost));
    remember(mark, anchor, cost, 0);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(mark, tag, "seq", anchor);
    check(mark, builder_.begin_array());
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(mark, tag, "map", anchor);
    check(mark, builder_.begin_object());
  }
  void OnSequenceEnd() override { end(); }
  void OnMapEnd() override { end(); }

 private:
  struct Anchored {
    boost::json::value value;
    ValueBuilder::Cost cost;
    std::size_t depth = 0;
  };
  struct Open {
    YAML::Mark mark;
    YAML::anchor_t anchor;
    std::size_t outer_deepest;
  };

  [[noreturn]] void refuse(const YAML::Mark& mark, std::string message) const {
    throw Refused(Error{ErrorCode::invalid_argument, std::move(message), {}}, mark);
  }
  static void check(const YAML::Mark& mark, Status status) {
    if (!status) throw Refused(std::move(status.error()), mark);
  }
  void note(const YAML::Mark& mark) {
    if (marks_ == nullptr || builder_.depth() > mark_depth_) return;
    marks_->try_emplace(builder_.pointer(), Position{first_line_ + mark.line, mark.column + 1});
  }
  void note_key(const YAML::Mark& mark, const std::string& key) {
    check(mark, builder_.key(key));
    note(mark);
  }
  void begin(const YAML::Mark& mark, const std::string& tag, std::string_view kind,
             YAML::anchor_t anchor) {
    if (builder_.wants_key()) refuse(mark, "a key is a scalar, not a collection");
    if (tag != "?" && tag != "!" && !tag.empty() &&
        tag != "tag:yaml.org,2002:" + std::string(kind)) {
      refuse(mark, "tag '" + tag.substr(0, 100) + "' is not of the YAML core schema");
    }
    note(mark);
    open_.push_back({mark, anchor, deepest_});
    deepest_ = builder_.depth() + 1;
  }
  void end() {
    const ValueBuilder::Cost cost = builder_.end().value();
    const Open open = open_.back();
    open_.pop_back();
    remember(open.mark, open.anchor, cost, deepest_ - builder_.depth());
    deepest_ = std::max(deepest_, open.outer_deepest);
  }
  /// Keeps a copy of the value just finished, `depth` levels deep, for its aliases.
  void remember(const YAML::Mark& mark, YAML::anchor_t anchor, ValueBuilder::Cost cost,
                std::size_t depth) {
    if (anchor == YAML::NullAnchor) return;
    kept_.nodes += cost.nodes;
    kept_.bytes += cost.bytes;
    if (kept_.nodes > limits::kDocumentMaxNodes || kept_.bytes > limits::kDocumentMaxBytes) {
      throw Refused({ErrorCode::too_large, "anchors name more than a document may hold", {}}, mark);
    }
    anchors_[anchor] = Anchored{builder_.last(), cost, depth};
  }

  int first_line_;
  Marks* marks_;
  std::size_t mark_depth_;
  ValueBuilder builder_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::size_t deepest_ = 0;  // deepest level reached inside the innermost open collection
  ValueBuilder::Cost kept_;  // copies held for aliases
};

bool is_marker(std::string_view line, std::string_view marker) {
  if (!line.starts_with(marker)) return false;
  return line.size() == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\r';
}

bool has_content(std::string_view chunk) {
  while (!chunk.empty()) {
    const std::size_t end = std::min(chunk.find('\n'), chunk.size());
    std::string_view line = chunk.substr(0, end);
    if (is_marker(line, "---")) line.remove_prefix(3);
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first != line.npos && line[first] != '#' && line[0] != '%') return true;
    chunk.remove_prefix(std::min(end + 1, chunk.size()));
  }
  return false;
}

Result<boost::json::value> parse(const YamlChunk& chunk, Handler& handler) {
  ViewBuffer buffer(chunk.text);
  std::istream stream(&buffer);
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(handler)) return boost::json::value(nullptr);
    boost::json::value value = handler.take();
    Handler rest(chunk.line, nullptr, 0);
    if (parser.HandleNextDocument(rest)) {
      return fail(ErrorCode::invalid_argument, "content after the end of the document",
                  to_string(Position{chunk.line, 1}));
    }
    return value;
  } catch (const Refused& refused) {
    return fail(refused.error.code, refused.error.message, handler.place(refused.mark));
  } catch (const YAML::Exception& error) {
    return fail(ErrorCode::invalid_argument, "not YAML: " + error.msg, handler.place(error.mark));
  }
}

}  // namespace

std::vector<YamlChunk> split_yaml(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  std::vector<YamlChunk> chunks;
  std::size_t start = 0;
  int start_line = 1, line_number = 1;
  const auto cut = [&](std::size_t end) {
    const std::string_view chunk = text.substr(start, end - start);
    if (has_content(chunk)) chunks.push_back({chunk, start_line});
  };
  for (std::size_t at = 0; at < text.size(); ++line_number) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    const std::size_t next = std::min(end + 1, text.size());
    if (is_marker(line, "---")) {
      cut(at);
      start = at;
      start_line = line_number;
    } else if (is_marker(line, "...")) {
      cut(at);
      start = next;
      start_line = line_number + 1;
    }
    at = next;
  }
  cut(text.size());
  return chunks;
}

Result<boost::json::value> parse_yaml(const YamlChunk& chunk, Marks* marks,
                                      std::size_t mark_depth) {
  const auto refuse_at = [&](std::size_t offset, ErrorCode code, std::string message) {
    Position place = position_of(chunk.text, offset);
    place.line += chunk.line - 1;
    return fail(code, std::move(message), to_string(place));
  };
  if (chunk.text.size() > limits::kDocumentMaxBytes) {
    return refuse_at(0, ErrorCode::too_large,
                     "the document has more than " + std::to_string(limits::kDocumentMaxBytes) +
                         " bytes");
  }
  if (const std::size_t bad = find_invalid_utf8(chunk.text); bad != std::string_view::npos) {
    return refuse_at(bad, ErrorCode::invalid_argument, "the text is not valid UTF-8");
  }
  if (const std::size_t nul = chunk.text.find('\0'); nul != std::string_view::npos) {
    return refuse_at(nul, ErrorCode::invalid_argument, "the text holds a NUL byte");
  }
  Handler handler(chunk.line, marks, mark_depth);
  return parse(chunk, handler);
}

}  // namespace zonesync::text

#include "server/admin/change_lines.hpp"

#include "protocol/text/json_value.hpp"

namespace zonesync::admin {

std::string LineFormat::line(std::string_view kind, std::string_view json,
                             Revision complete) const {
  std::string out;
  if (events_) {
    out += "id: " + std::to_string(complete.value) + "\nevent: ";
    out += kind;
    out += "\ndata: ";
  }
  out += json;
  out += terminator();
  return out;
}

std::size_t LineFormat::line_end(std::string_view bytes, std::size_t at) const {
  const std::string_view end = terminator();
  if (at == 0 || bytes.substr(0, at).ends_with(end)) return at;
  // The terminator itself may be cut in two.
  const std::size_t from = at >= end.size() ? at - end.size() + 1 : 0;
  const std::size_t found = bytes.find(end, from);
  return found == std::string_view::npos ? bytes.size() : found + end.size();
}

std::string mark_json(Revision complete) {
  return "{\"kind\":\"mark\",\"revision\":" + std::to_string(complete.value) + '}';
}

std::string end_json(Revision complete, std::string_view reason, std::string_view detail) {
  std::string out = "{\"detail\":";
  text::append_canonical_string(out, detail);
  out += ",\"kind\":\"end\",\"reason\":";
  text::append_canonical_string(out, reason);
  return out + ",\"revision\":" + std::to_string(complete.value) + '}';
}

}  // namespace zonesync::admin

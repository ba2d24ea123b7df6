#include "protocol/runtime/logger.hpp"

#include <algorithm>

namespace zonesync {
namespace {

// C0, DEL and C1 (as UTF-8 C2 80..9F) would let a peer forge lines or drive a terminal.
void append_escaped(std::string& out, std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  const auto append_code = [&out](unsigned char code) {
    out += "\\u00";
    out += hex[code >> 4];
    out += hex[code & 15];
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool pair = byte == 0xC2 && i + 1 < text.size();
    const auto following = pair ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += static_cast<char>(byte);
    } else if (byte == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {
      append_code(byte);
    } else if (pair && following >= 0x80 && following < 0xA0) {
      append_code(static_cast<unsigned char>(following));
      ++i;
    } else {
      out += static_cast<char>(byte);
    }
  }
}

bool is_bare(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 0x7F && c != '"' && c != '=' && c != '\\';
  });
}

void append_pair(std::string& out, LogFormat format, std::string_view name,
                 std::string_view value) {
  if (format == LogFormat::json) {
    out += out.empty() ? "{\"" : ",\"";
    append_escaped(out, name);
    out += "\":\"";
    append_escaped(out, value);
    out += '"';
    return;
  }
  if (!out.empty()) out += ' ';
  out += name;
  out += '=';
  if (is_bare(value)) {
    out += value;
  } else {
    out += '"';
    append_escaped(out, value);
    out += '"';
  }
}

class NullLogger final : public Logger {
 public:
  void log(const LogEvent&) noexcept override {}
  [[nodiscard]] bool enabled(LogLevel) const noexcept override { return false; }
};

}  // namespace

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warn: return "warn";
    case LogLevel::error: return "error";
  }
  return "info";
}

std::string format_event(const LogEvent& event, LogFormat format, std::string_view time,
                         std::size_t line_max_bytes) {
  std::string line;
  const auto add = [&](std::string_view name, std::string_view value) {
    // Whole pairs only: a cut line stays parsable.
    const std::size_t before = line.size();
    const std::size_t reserve = 24;  // room for the mark and the closing brace
    const std::size_t used = before + reserve;
    const std::size_t room = used < line_max_bytes ? line_max_bytes - used : 0;
    append_pair(line, format, name, value);
    if (line.size() <= before + room) return true;
    line.resize(before);
    append_pair(line, format, name, value.substr(0, room > 64 ? (room - 32) / 6 : 0));
    append_pair(line, format, "truncated", "true");
    return false;
  };
  bool whole = add("time", time) && add("level", to_string(event.level)) &&
               add("event", event.event) && add("msg", event.message);
  for (const LogField& field : event.fields) {
    whole = whole && add(field.name, field.value);
  }
  if (format == LogFormat::json) line += '}';
  return line;
}

std::shared_ptr<Logger> null_logger() {
  static const auto logger = std::make_shared<NullLogger>();
  return logger;
}

void CapturingLogger::log(const LogEvent& event) noexcept {
  const std::lock_guard lock(mutex_);
  events_.push_back(event);
}

std::vector<LogEvent> CapturingLogger::events() const {
  const std::lock_guard lock(mutex_);
  return events_;
}

std::size_t CapturingLogger::count(std::string_view event) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count_if(
      events_.begin(), events_.end(), [&](const LogEvent& e) { return e.event == event; }));
}

}  // namespace zonesync

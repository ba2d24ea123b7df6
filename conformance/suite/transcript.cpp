#include "conformance/suite/transcript.hpp"

#include "protocol/wire/describe.hpp"

namespace zonesync::conform {
namespace {

constexpr std::size_t kLinesMax = 200;
constexpr std::size_t kLineMax = 400;

}  // namespace

void Transcript::note(std::string line) {
  if (line.size() > kLineMax) line = line.substr(0, kLineMax) + "...";
  if (lines_.size() == kLinesMax) {
    lines_.pop_front();
    ++dropped_;
  }
  lines_.push_back(std::move(line));
}

void Transcript::message(std::string_view who, std::string_view direction,
                         std::string_view bytes) {
  ++messages_;
  bytes_ += bytes.size();
  const std::string head = std::string(who) + " " + std::string(direction) + " ";
  const std::string copy(bytes);  // 8-aligned
  wire::PacketReader reader(copy, wire::kAllFeatures);
  for (;;) {
    const auto packet = reader.next();
    if (!packet) return note(head + "undecodable: " + packet.error().message);
    if (!*packet) return;
    note(head + wire::describe(**packet));
  }
}

std::string Transcript::text() const {
  std::string all;
  if (dropped_ > 0) all = "(" + std::to_string(dropped_) + " earlier lines)\n";
  for (const std::string& line : lines_) all += line + "\n";
  return all;
}

}  // namespace zonesync::conform

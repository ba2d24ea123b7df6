#include "conformance/simulator/hello_port.hpp"

#include "protocol/wire/codec.hpp"

namespace zonesync::sim {

std::optional<std::string> HelloPort::next_message(TimePoint now) {
  auto message = session_->next_message(now);
  if (!message || !visit_) return message;
  wire::PacketReader reader(*message);
  const auto packet = reader.next();
  if (!packet || !*packet || (*packet)->header.kind != wire::PacketKind::hello) return message;
  auto hello = wire::decode_hello((*packet)->payload);
  if (!hello) return message;
  const std::size_t length = (*packet)->packet_bytes;
  std::string rest = message->substr(length);
  const wire::Hello before = *hello;
  std::exchange(visit_, nullptr)(*hello);
  if (*hello == before) return message;
  std::string changed;
  wire::append(changed, *hello);
  return changed + rest;
}

}  // namespace zonesync::sim

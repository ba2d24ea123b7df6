// What a v1 sender knows of its lists, per type: versions and nonces sent, acknowledged, refused.
// The words of Kuma's zone insights, derived from cursors and verdicts.
//
// Life cycle: one per sender. Thread rule: the session's thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "protocol/wire/message.hpp"

namespace zonesync {

struct ListState {
  Revision version;                // of the newest list sent
  std::uint64_t nonce = 0;
  Revision acked_version;          // of the newest list that is durable at the receiver (ACK)
  std::uint64_t acked_nonce = 0;
  std::uint64_t nacked_nonce = 0;  // of the newest list with a refused resource (NACK); 0 = none
  std::string nack_text;           // the reason of the first
  std::uint64_t lists_sent = 0, lists_acked = 0, lists_nacked = 0;
};

class ListStatus {
 public:
  void on_sent(const wire::List& list);
  void on_ack(const wire::Ack& ack);
  [[nodiscard]] const std::map<std::string, ListState>& types() const { return types_; }

 private:
  std::map<std::string, ListState> types_;  // bounded by the types of the registry
};

}  // namespace zonesync

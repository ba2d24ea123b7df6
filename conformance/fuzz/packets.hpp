// Well-formed packets with fields that the fuzzer chooses: raw bytes alone seldom get past the
// verifier, so that the machines behind it would see little.
#pragma once

#include <string>

#include "conformance/fuzz/input.hpp"
#include "protocol/wire/codec.hpp"

namespace zonesync::fuzz {

/// The identities that make a field plausible; everything else is chosen.
struct Identities {
  Id128 peer_log;
  EraId peer_era;       // of the peer's log
  EraId own_era;        // of the log of the side under test
  ViewId inbound_view;  // of the flow that the peer sends
  ViewId outbound_view;
  wire::FlowId inbound = wire::FlowId::up;  // the flow that the peer sends
};

/// The Hello or Welcome that the side under test is glad to get.
void append_hello(std::string& out, const Identities& identities);
void append_welcome(std::string& out, const Identities& identities);
/// One packet of a kind and content that `in` chooses.
void append_packet(std::string& out, Input& in, const Identities& identities);

}  // namespace zonesync::fuzz

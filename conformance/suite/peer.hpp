// The scripted peer: one end of one connection, built on the wire codecs and never on the product's
// Session, so that it can misbehave.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conformance/suite/flow_in.hpp"
#include "conformance/suite/flow_out.hpp"
#include "conformance/suite/link.hpp"
#include "conformance/suite/transcript.hpp"

namespace zonesync::conform {

/// Life cycle: made on an open connection; every packet that arrives is checked and taken in by
/// step(). Thread rule: one thread.
class Peer {
 public:
  Peer(std::unique_ptr<Link> link, Transcript& transcript, std::string name, FlowIn in,
       FlowOut out);
  virtual ~Peer() = default;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // -- saying -------------------------------------------------------------------------------------
  /// One websocket message as it is; data of the own flow counts as sent.
  void send(std::string message);
  template <class Message>
  void say(const Message& message) {
    std::string packet;
    wire::append(packet, message);
    send(std::move(packet));
  }
  template <class Message>
  void say(wire::FlowId flow, const Message& message) {
    std::string packet;
    wire::append(packet, flow, message);
    send(std::move(packet));
  }
  /// Packets in as few messages as the target size allows; waits for credit.
  void send_packets(const std::vector<std::string>& packets);
  /// One cut from where the last ended to the log's head; nothing when nothing is new.
  void push();

  // -- hearing ------------------------------------------------------------------------------------
  /// Takes in one message; false = nothing more comes by itself, or the connection ended.
  bool step();
  /// Takes in what is there and comes within a short quiet time.
  void drain();
  /// Steps until `holds`; the case fails when it never does.
  void wait(const std::string& what, const std::function<bool()>& holds);
  /// Reads to the end of the connection; the case fails when it does not end.
  CloseInfo wait_close();
  void expect_close(std::uint16_t code, const std::string& why);
  [[nodiscard]] bool open();
  void cut() { link_->cut(); }
  /// Goodbye and the close frame behind it.
  void leave(std::uint16_t code, const std::string& reason, std::uint64_t retry_after_ms = 0);
  [[nodiscard]] Link& link() { return *link_; }
  /// What the session has: offered by us before Welcome, granted after it.
  [[nodiscard]] virtual wire::Features features() const { return {}; }
  /// Answers a Want with a repair: compares, then sends what differs (REP-02 to REP-06).
  void repair(const std::string& why);

  FlowIn in;
  FlowOut out;
  std::optional<wire::Hello> hello_heard;
  std::optional<wire::Welcome> welcome_heard;
  std::optional<wire::Goodbye> goodbye;
  std::vector<wire::Sync> syncs;
  std::vector<wire::Synced> synced;
  std::size_t messages = 0;
  std::size_t bytes = 0;
  std::size_t largest_message = 0;

 protected:
  /// Called after each message was taken in: automatic answers.
  virtual void react() {}
  Transcript& transcript_;
  std::string name_;

 private:
  void take(const std::string& message);
  void take(const wire::Packet& packet);
  void take_session(const wire::Packet& packet);
  void take_data(const wire::Packet& packet);
  void take_feedback(const wire::Packet& packet);

  std::unique_ptr<Link> link_;
};

}  // namespace zonesync::conform

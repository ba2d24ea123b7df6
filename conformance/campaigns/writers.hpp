// Clients that write without pause and remember what was acknowledged.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "conformance/campaigns/nodes.hpp"

namespace zonesync::campaigns {

struct AckedWrite {
  std::string value;
  std::uint64_t revision = 0;
};

/// Each client writes resources of its own names, one after the other, each with a value that is
/// never used again. Life cycle: start, wait_acked, stop; then read. Thread rule: one owner.
class Writers {
 public:
  /// `prefix` must be new: names are "<prefix>-<client>-<number>".
  Writers(const HubNode& hub, unsigned clients, std::string prefix);
  ~Writers() { stop(); }
  Writers(const Writers&) = delete;
  Writers& operator=(const Writers&) = delete;

  /// Until so many writes were acknowledged in all; false after the deadline.
  [[nodiscard]] bool wait_acked(std::uint64_t writes);
  /// Ends after the requests that are under way; the hub must be dead or answering.
  void stop();
  /// By name; after stop().
  [[nodiscard]] const std::map<std::string, AckedWrite>& acked() const { return acked_; }

 private:
  void write(BlockingHttpClient& client, unsigned number);

  std::string prefix_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> count_{0};
  std::mutex mutex_;
  std::map<std::string, AckedWrite> acked_;
  std::vector<std::unique_ptr<BlockingHttpClient>> clients_;
  std::vector<std::thread> threads_;
};

/// What became of acknowledged writes.
struct Judged {
  std::uint64_t lost = 0;       // not there, or with another value
  std::uint64_t moved = 0;      // there, at another revision than was acknowledged
  std::string first;            // the first of them, for people
};
[[nodiscard]] Judged judge_acked(HubNode& hub, const std::map<std::string, AckedWrite>& acked);

/// `zonesync-hub store verify` of a stopped hub's log; empty = good, else what it said.
[[nodiscard]] std::string verify_store(const HubNode& hub);

}  // namespace zonesync::campaigns

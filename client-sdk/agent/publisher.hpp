// Carries out what a publish directory decides: scans, publishes round by round, remembers.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "client-sdk/agent/publish_directory.hpp"
#include "protocol/core/time.hpp"
#include "protocol/model/verdict.hpp"
#include "protocol/runtime/logger.hpp"

namespace zonesync::agent {

/// The zone's outbox as the publisher sees it: the client, or a fake in tests.
class PublishPort {
 public:
  struct Published {
    Revision revision;          // of the outbox
    std::size_t unchanged = 0;  // steps that changed nothing
  };
  virtual ~PublishPort() = default;
  [[nodiscard]] virtual std::shared_ptr<const TypeRegistry> registry() const = 0;
  /// One transaction, durable when it returns. Errors: as Client::publish_batch.
  virtual Result<Published> publish(const std::vector<PublishStep>& steps) = 0;
  /// What the hub holds durably of the outbox.
  [[nodiscard]] virtual Revision acked() const = 0;
  /// What the hub refused of it.
  [[nodiscard]] virtual std::vector<Verdict> rejects() const = 0;
};

struct PublisherStatus {
  std::uint64_t documents = 0;
  PublishTotals totals;
  std::vector<PublishRefusal> refused;   // by this zone; at most kRefusalsShownMax
  std::uint64_t refused_count = 0;
  std::vector<PublishRefusal> rejected;  // published, and refused by the hub
  PublishHold held;
  std::string error;                     // scanning, remembering or publishing does not work now
  friend bool operator==(const PublisherStatus&, const PublisherStatus&);
};

inline constexpr std::size_t kRefusalsShownMax = 1'000;

/// Life cycle: construct; scan() at every interval; work() after it and whenever the hub's
/// acknowledgement moved while waiting() is true. Thread rule: one thread.
class Publisher {
 public:
  struct Options {
    std::filesystem::path dir;
    std::string zone;
    /// A second version of a key goes out when the hub has the first, or after this long.
    Duration patience = std::chrono::seconds(10);
  };
  /// `port` outlives the publisher.
  Publisher(Options options, PublishMemory memory, PublishPort& port,
            std::shared_ptr<Logger> logger);

  /// `release`: an operator lets the mass removal go ahead that is held now.
  void scan(bool release);
  void work(TimePoint now);
  /// Versions wait for the hub's acknowledgement of earlier ones.
  [[nodiscard]] bool waiting() const { return waiting_since_.has_value(); }
  [[nodiscard]] PublisherStatus status() const;

 private:
  bool publish(const std::vector<PublishStep>& steps);
  void publish_one(const PublishStep& step);
  void published(const std::vector<PublishStep>& steps, const PublishPort::Published& result);
  [[nodiscard]] std::vector<PublishStep> ready(std::vector<PublishStep> round, TimePoint now);
  bool flush();
  void log_changes();

  Options options_;
  PublishMemory memory_;
  PublishDirectory directory_;
  PublishPort& port_;
  std::shared_ptr<Logger> logger_;
  std::shared_ptr<const TypeRegistry> registry_;
  Id128 registry_fingerprint_;
  std::set<ResourceKey> unacked_;         // versions the hub may not have yet
  Revision unacked_revision_;
  std::optional<TimePoint> waiting_since_;
  std::string error_;
  bool failed_ = false;                   // this pass; the next scan tries again
  PublishHold logged_hold_;
  std::set<std::string> logged_refusals_;
};

}  // namespace zonesync::agent

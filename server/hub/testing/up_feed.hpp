// A zone's log and its up flow, cut by hand: what a session would stage and commit, without one.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/hub/testing/hub_harness.hpp"
#include "server/hub/up_sink.hpp"

namespace zonesync::hub::testing {

/// Hands pieces straight to the core; with `pumping` off they stay in the queue.
class DirectPort final : public UpPort {
 public:
  explicit DirectPort(HubHarness& hub) : hub_(hub) {}
  void submit(UpCommit commit, UpDone done) override;

  bool pumping = true;
  std::vector<UpCommit> seen;  // as submitted, in order

 private:
  HubHarness& hub_;
};

/// Life cycle: admitted on construction; `reconnect` opens its next session. Keeps its log over
/// hub restarts.
class UpFeed {
 public:
  using Outcome = tl::expected<CutResult, CutFailure>;
  /// Empty until the cut is answered.
  using Box = std::shared_ptr<std::optional<Outcome>>;

  UpFeed(HubHarness& hub, std::string zone, InstanceId who = instance(1));

  /// A new session of `who` with a new sink; the old sink stays usable through `old_sink`.
  tl::expected<Admitted, Refused> reconnect(InstanceId who = instance(1));
  /// The zone lost its outbox: a log with a new identity.
  void new_log(bool complete);

  void put(const Resource& resource);
  /// With a class of the caller's choice, as a broken or lying zone would send it.
  void put_as(const Class& cls, const Resource& resource);
  void remove(const ResourceKey& key);

  /// Everything after the sink's cursor, in one cut.
  Box changes() { return send(*sink, false); }
  Box full() { return send(*sink, true); }
  Box idle();
  Box send(UpSink& to, bool full);
  /// The same and its answer, which must be there.
  Outcome changes_now();
  Outcome full_now();
  /// A repair as a sender would answer the sink's prints now. Its changes stand in `repaired`.
  Outcome repair_now();
  std::size_t repaired = 0;

  [[nodiscard]] Digest digest() const;
  [[nodiscard]] Cursor head() const;

  UpSink::Options tuning;      // sizes for the next sink
  bool complete = true;
  std::optional<Digest> wrong_digest;  // sent instead of the right one
  bool marks = true;           // off: the connection ends before the Mark
  DirectPort port;
  std::unique_ptr<UpSink> sink;
  std::unique_ptr<UpSink> old_sink;

 private:
  [[nodiscard]] Revision revision_of(const ResourceKey& key) const;
  HubHarness& hub_;
  std::string zone_;
  Id128 log_id_;
  Revision head_;
  std::vector<StagedChange> log_;
  std::map<ResourceKey, Change> content_;
};

}  // namespace zonesync::hub::testing

// What waits for the writer: bounded, and fair between sources.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "protocol/model/limits.hpp"
#include "protocol/model/result.hpp"
#include "server/hub/group.hpp"

namespace zonesync::hub {

/// One unit of work for the writer thread.
///
///   plan (adds transactions to the group, judges) ── group durable ──► finish(ok | error)
///
/// `plan` is called once; `finish` exactly once, after the group's fate is known, also when the
/// job added nothing (its judgement may rest on changes of the same group).
class Job {
 public:
  virtual ~Job() = default;
  virtual void plan(Group& group) = 0;
  virtual void finish(const Status& durable) = 0;
};

/// Round robin over sources, first in first out inside one. Thread rule: the writer thread.
class CommitQueue {
 public:
  struct Limits {
    std::size_t requests = limits::kCommitQueueMaxRequests;
    std::size_t bytes = limits::kCommitQueueMaxBytes;
  };
  struct Entry {
    std::unique_ptr<Job> job;
    std::size_t bytes = 0;
    std::size_t changes = 0;
  };

  explicit CommitQueue(Limits limits) : limits_(limits) {}

  /// Whether `bytes` more may wait; an empty queue takes any single entry. Errors:
  /// resource_exhausted (retry later).
  [[nodiscard]] Status check(std::size_t bytes) const;
  /// Takes it in any case: the hub's own work (admissions, zone records) is bounded elsewhere.
  void push(const std::string& source, Entry entry);

  [[nodiscard]] bool empty() const { return requests_ == 0; }
  [[nodiscard]] std::size_t requests() const { return requests_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// The entry whose turn it is; queue not empty.
  [[nodiscard]] const Entry& front() const;
  [[nodiscard]] Entry pop();

 private:
  Limits limits_;
  std::map<std::string, std::deque<Entry>> waiting_;  // by source, none empty
  std::deque<std::string> turns_;                     // each waiting source once
  std::size_t requests_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace zonesync::hub

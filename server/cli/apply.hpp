// `apply -f`: documents in order, one bad document refused alone.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/value.hpp>

#include "server/cli/api.hpp"
#include "server/cli/documents.hpp"

namespace zonesync::cli {

struct ApplyOptions {
  bool atomic = false;   // one transaction; nothing is written when one document is refused
  bool dry_run = false;  // the hub judges; nothing is written
  std::optional<std::uint64_t> if_match;  // each document must be at this revision
  BatchLimits limits;
};

/// What became of the documents. applied + unchanged + refused = documents handled.
struct ApplyReport {
  std::uint64_t applied = 0;
  std::uint64_t unchanged = 0;
  std::vector<Refusal> refusals;          // in the order they were found, see sort_refusals()
  std::uint64_t revision = 0;             // of the last transaction; 0 = none was sent
  std::optional<Failure> failure;         // what stopped it before the end
  std::uint64_t not_sent = 0;             // good documents that were not judged because of that
  bool dry_run = false;                   // `applied` would have been
  bool changed_since = false;             // a document was not at the revision that was asked for
};

/// Sends the documents. When the hub refuses a transaction because of some of its operations, those
/// are reported as refused and the rest is sent again; the hub alone judges. A verdict on a `type`
/// holds for the run. Each transaction has an idempotency key, so a lost answer is asked for again
/// and never written twice.
[[nodiscard]] ApplyReport apply_documents(Api& api, Documents documents,
                                          const ApplyOptions& options);

/// Lines of refusals, then `applied N, unchanged N, refused N` as the last line; of a dry run
/// `would apply N, unchanged N, refused N: a dry run`.
[[nodiscard]] std::string report_text(const ApplyReport& report);
/// {applied, unchanged, refused, refusals:[{file, line, key, reason}], revision}; of a dry run
/// dry_run: true as well.
[[nodiscard]] boost::json::value report_json(const ApplyReport& report);

/// "/operations/12/type" or "ops/12": 12. nullopt when the field names no operation.
[[nodiscard]] std::optional<std::size_t> operation_of(std::string_view field);

}  // namespace zonesync::cli

// One applied cut as the application sees it, and the application's answer.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client-sdk/include/zonesync/snapshot.hpp"
#include "protocol/model/digest.hpp"
#include "protocol/model/verdict.hpp"

namespace zonesync::client {

/// One difference of the application's view: what a rejected version hides is not in here.
struct CutChange {
  ResourceKey key;
  std::optional<Resource> resource;  // nothing = removed
  Revision revision;                 // of the hub's log
};

/// Whole transactions only; nothing of a cut is visible before all of it is.
struct Cut {
  Revision revision;
  EraId era;
  Digest digest;                  // of the replica at `revision`
  bool initial = false;           // first of this process: `changes` is everything there is
  /// In type order (a Mesh before what lives in it): upserts ascending, then removes descending.
  std::vector<CutChange> changes;
  Snapshot snapshot;
};

/// What the application did with a cut.
struct CutAnswer {
  enum class Kind : std::uint8_t {
    done,
    retry,  // not now (storage trouble): the same cut comes again, newer ones wait at the hub
  };
  Kind kind = Kind::done;
  std::string why;  // for retry: shown in status
  struct Refusal {
    ResourceKey key;
    Reject reject;
  };
  std::vector<Refusal> refused;  // single resources that could not be applied; the rest stands

  [[nodiscard]] static CutAnswer ok() { return {}; }
  [[nodiscard]] static CutAnswer try_again(std::string reason) {
    return {.kind = Kind::retry, .why = std::move(reason), .refused = {}};
  }
};

/// Runs on the client's callback thread, one call at a time. While it runs, newer cuts wait and may
/// be merged into one. Exceptions are caught and count as retry.
using CutCallback = std::function<CutAnswer(const Cut&)>;

}  // namespace zonesync::client

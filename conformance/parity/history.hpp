// A seeded history of transactions made from documents.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "conformance/parity/documents.hpp"
#include "conformance/suite/subject.hpp"

namespace zonesync::conform::parity {

/// One transaction: at the hub, or of the owner zone.
struct Step {
  std::string kind;              // create, update, delete, recreate, document, batch
  bool up = false;               // of the owner zone
  std::vector<ControlOp> ops;
};

using State = std::map<ResourceKey, Resource>;

struct History {
  State base;                    // there before the first step
  std::vector<Step> steps;
  std::size_t changes = 0;       // of all steps
  std::size_t keys = 0;          // different ones in the documents
};

/// The documents in their order: a first part is the base, the rest is played one by one, mixed
/// with updates of single fields, deletes, creations of what was deleted, and transactions of up to
/// five changes, until there are `changes`. The same for the same arguments.
[[nodiscard]] History make_history(const Documents& documents, std::uint64_t seed,
                                   std::size_t changes);

/// The state after one more step.
void play(const Step& step, State& state);

/// What the model says a zone and the hub hold: directions of the type, owner, home label.
[[nodiscard]] State zone_view(const State& state, const TypeRegistry& types,
                              const std::string& zone);
[[nodiscard]] State hub_view(const State& state, const TypeRegistry& types);

/// Another content, in one field. Canonical, like `spec`.
[[nodiscard]] std::string with_one_field_changed(const std::string& spec, std::uint64_t draw);

}  // namespace zonesync::conform::parity

// From files to transactions: which documents there are, in order, and how they are cut.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#include "protocol/model/resource.hpp"
#include "protocol/model/type_registry.hpp"
#include "server/cli/outcome.hpp"

namespace zonesync::cli {

/// A document that was not written, and why.
struct Refusal {
  std::string file;
  int line = 1;
  std::string key;  // `Type/mesh/name@origin`; empty when the document does not say
  std::string reason;
  friend bool operator==(const Refusal&, const Refusal&) = default;
};

/// A document that can be sent.
struct Document {
  std::string file;
  int line = 1;
  ResourceKey key;
  std::string json;  // canonical JSON of the resource
};

struct Documents {
  std::vector<Document> good;  // in order: of arguments, of names in a directory, of the text
  std::vector<Refusal> refused;
};

struct ReadOptions {
  bool lenient = false;
};

/// Reads every path: a file, `-` for `in`, or a directory with all its .yaml, .yml and .json files,
/// subdirectories included, sorted by path. Failures: usage (no such path, no document files in a
/// directory, unreadable); a file that is no document at all is one refusal.
[[nodiscard]] Outcome<Documents> read_documents(const std::vector<std::string>& paths,
                                                std::istream& in, const TypeRegistry& registry,
                                                const ReadOptions& options);

/// Reads one text. Exposed for tests.
void read_text(const std::string& text, const std::string& file, const TypeRegistry& registry,
               const ReadOptions& options, Documents& documents);

struct BatchLimits {
  std::size_t documents = 1'000;
  std::size_t bytes = 3u << 20;  // of JSON; below the hub's limit of a transaction
};

/// Cuts documents, in order, into transactions of distinct keys. A repeated key begins a new one.
[[nodiscard]] std::vector<std::span<const Document>> cut_batches(
    std::span<const Document> documents, const BatchLimits& limits = {});

}  // namespace zonesync::cli

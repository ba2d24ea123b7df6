#include "server/cli/documents.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "protocol/model/limits.hpp"
#include "protocol/text/resource_text.hpp"

namespace zonesync::cli {
namespace {

namespace fs = std::filesystem;

bool is_document_file(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".yaml" || extension == ".yml" || extension == ".json";
}

Outcome<std::vector<std::string>> files_of(const std::string& path) {
  std::error_code failed;
  if (!fs::is_directory(path, failed)) {
    if (!fs::exists(path, failed)) {
      return give_up(Exit::usage, "no such file or directory: " + path,
                     "-f takes a file, a directory or - for standard input");
    }
    return std::vector<std::string>{path};
  }
  std::vector<std::string> files;
  for (fs::recursive_directory_iterator entry(path, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    if (entry->is_regular_file(failed) && is_document_file(entry->path())) {
      files.push_back(entry->path().string());
    }
  }
  if (failed) return give_up(Exit::usage, "cannot read " + path + ": " + failed.message());
  if (files.empty()) {
    return give_up(Exit::usage, "no .yaml, .yml or .json file in " + path);
  }
  std::sort(files.begin(), files.end());
  return files;
}

Outcome<std::string> read_all(std::istream& in, const std::string& name) {
  std::string text;
  std::string block(1u << 16, '\0');
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0) {
    text.append(block, 0, static_cast<std::size_t>(in.gcount()));
    // One byte more than allowed is enough for the parser to refuse it by size.
    if (text.size() > limits::kFileMaxBytes) break;
  }
  if (in.bad()) return give_up(Exit::usage, "cannot read " + name);
  return text;
}

/// Error places begin with the file, which the refusal names already.
std::string reason_of(const Error& error, const std::string& file) {
  std::string place = error.field;
  if (place.starts_with(file + ':')) place.erase(0, file.size() + 1);
  return place.empty() || place == file ? error.message : error.message + " (at " + place + ")";
}

}  // namespace

void read_text(const std::string& text, const std::string& file, const TypeRegistry& registry,
               const ReadOptions& options, Documents& documents) {
  ParseOptions parse;
  parse.lenient = options.lenient;
  Result<std::vector<ParsedDocument>> parsed = parse_documents(text, file, registry, parse);
  if (!parsed) {
    documents.refused.push_back({file, 1, {}, reason_of(parsed.error(), file)});
    return;
  }
  for (const ParsedDocument& document : *parsed) {
    if (document.resource) {
      documents.good.push_back({file, document.line, document.resource->key,
                                resource_to_json(*document.resource)});
    } else {
      documents.refused.push_back(
          {file, document.line, {}, reason_of(document.resource.error(), file)});
    }
  }
}

Outcome<Documents> read_documents(const std::vector<std::string>& paths, std::istream& in,
                                  const TypeRegistry& registry, const ReadOptions& options) {
  Documents documents;
  for (const std::string& path : paths) {
    if (path == "-") {
      Outcome<std::string> text = read_all(in, "standard input");
      if (!text) return give_up(text.error());
      read_text(*text, path, registry, options, documents);
      continue;
    }
    const Outcome<std::vector<std::string>> files = files_of(path);
    if (!files) return give_up(files.error());
    for (const std::string& file : *files) {
      std::ifstream opened(file, std::ios::binary);
      if (!opened) return give_up(Exit::usage, "cannot open " + file);
      Outcome<std::string> text = read_all(opened, file);
      if (!text) return give_up(text.error());
      read_text(*text, file, registry, options, documents);
    }
  }
  return documents;
}

std::vector<std::span<const Document>> cut_batches(std::span<const Document> documents,
                                                   const BatchLimits& limits) {
  std::vector<std::span<const Document>> batches;
  std::set<ResourceKey> keys;
  std::size_t first = 0;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const Document& document = documents[i];
    const bool full = i - first >= limits.documents || bytes + document.json.size() > limits.bytes;
    if (i > first && (full || keys.contains(document.key))) {
      batches.push_back(documents.subspan(first, i - first));
      first = i;
      bytes = 0;
      keys.clear();
    }
    keys.insert(document.key);
    bytes += document.json.size();
  }
  if (first < documents.size()) batches.push_back(documents.subspan(first));
  return batches;
}

}  // namespace zonesync::cli

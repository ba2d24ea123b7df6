// conformance/vectors/*.json are what the codec does today, byte for byte. A difference is a change
// of the protocol: either a bug, or new vectors written with ZONESYNC_UPDATE_VECTORS=1.
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include <gtest/gtest.h>

#include "protocol/model/digest.hpp"
#include "protocol/wire/describe.hpp"
#include "protocol/wire/json_fields.hpp"
#include "protocol/wire/tests/samples.hpp"

namespace zonesync::wire {
namespace {

std::string hex_of(const std::string& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    hex.push_back(kDigits[static_cast<unsigned char>(c) & 0xf]);
  }
  return hex;
}

/// One vector per entry, one field per line, so that a difference reads well.
std::string vector_text(const samples::Sample& sample, const std::string& field,
                        const std::string& json) {
  return "  {\n    \"name\": " + detail::json_string(sample.name) +
         ",\n    \"meaning\": " + detail::json_string(sample.meaning) + ",\n    \"" + field +
         "\": " + json + ",\n    \"hex\": \"" + hex_of(sample.bytes) + "\"\n  }";
}

/// digests.json: section 6 by example. The hashes stand for those of three upserts.
std::string digests_text() {
  const std::vector<ResourceKey> keys{{"MeshTimeout", "default", "global", "web-timeouts"},
                                      {"Zone", "", "east", "east"},
                                      {"MeshService", "default", "east", "käse"}};
  const auto entry = [&](const std::string& name, const std::string& meaning, std::size_t count) {
    std::string resources;
    Digest digest;
    for (std::size_t at = 0; at < count; ++at) {
      const ResourceKey& key = keys[at];
      const Hash128 hash = hash_bytes("upsert " + std::to_string(at));
      digest.add(fingerprint(key), hash);
      resources += (at == 0 ? "" : ",\n      ");
      resources += "{\"type\":" + detail::json_string(key.type) +
                   ",\"mesh\":" + detail::json_string(key.mesh) +
                   ",\"origin\":" + detail::json_string(key.origin) +
                   ",\"name\":" + detail::json_string(key.name) + ",\"hash\":\"" +
                   to_hex(hash.id) + "\",\"fingerprint\":\"" + to_hex(fingerprint(key)) + "\"}";
    }
    return "  {\n    \"name\": \"" + name + "\",\n    \"meaning\": \"" + meaning +
           "\",\n    \"resources\": [" + resources + "],\n    \"digest\": \"" +
           to_string(digest) + "\"\n  }";
  };
  return "[\n" + entry("nothing", "The digest of no resource.", 0) + ",\n" +
         entry("one", "One item of the sum.", 1) + ",\n" +
         entry("three", "A sum modulo 2^128, in any order.", 3) + "\n]\n";
}

/// File name to content, from the encoders.
std::map<std::string, std::string> expected_files() {
  std::map<std::string, std::string> entries;
  const auto add = [&](const std::string& file, const std::string& entry) {
    std::string& text = entries[file];
    text += (text.empty() ? "[\n" : ",\n") + entry;
  };
  for (const samples::Sample& sample : samples::all()) {
    PacketReader reader(sample.bytes, kAllFeatures);
    const Packet packet = **reader.next();
    add(std::string(to_string(packet.header.kind)) + ".json",
        vector_text(sample, "json", describe_json(packet, {.content = true})));
  }
  for (const samples::Sample& sample : samples::compressed()) {
    PacketReader reader(sample.bytes, kAllFeatures);
    const Packet packet = **reader.next();
    add("compressed.json",
        vector_text(sample, "json", describe_json(packet, {.content = true})));
  }
  for (const samples::Sample& sample : samples::refused()) {
    const Status status = samples::decode_message(sample.bytes);
    EXPECT_FALSE(status.has_value()) << sample.name;
    if (status) continue;
    const std::string code(to_string(status.error().code));
    add("refused.json", vector_text(sample, "error", detail::json_string(code)));
  }
  for (auto& [file, text] : entries) text += "\n]\n";
  entries["digests.json"] = digests_text();
  return entries;
}

TEST(Vectors, FilesAreWhatTheCodecDoes) {
  const std::string folder = ZONESYNC_VECTORS_DIR;
  const bool update = std::getenv("ZONESYNC_UPDATE_VECTORS") != nullptr;
  for (const auto& [file, text] : expected_files()) {
    const std::string path = folder + '/' + file;
    if (update) {
      std::ofstream(path) << text;
      continue;
    }
    std::ifstream stream(path);
    ASSERT_TRUE(stream.good()) << file << " is missing; ZONESYNC_UPDATE_VECTORS=1 writes it";
    std::stringstream stored;
    stored << stream.rdbuf();
    EXPECT_EQ(stored.str(), text) << file << " differs: the bytes on the wire changed";
  }
}

std::string bytes_of_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

/// The value of a line `    "field": value,` of a vector file, without quotes of the hex.
std::optional<std::string> value_of(const std::string& line, const std::string& field) {
  const std::string start = "    \"" + field + "\": ";
  if (!line.starts_with(start)) return std::nullopt;
  std::string value = line.substr(start.size());
  if (value.ends_with(',')) value.pop_back();
  return value;
}

// SES-03, SES-04, ZIP-08: what the version before sends is still read, with the same meaning, by a
// reader that negotiated nothing. A field that it does not send must be left out of the
// description when it has its default.
TEST(Vectors, MessagesOfThePreviousVersionAreUnderstood) {
  std::size_t read = 0;
  for (const auto& [file, text] : expected_files()) {
    std::ifstream stream(std::string(ZONESYNC_VECTORS_DIR) + "/previous/" + file);
    std::string json;
    for (std::string line; std::getline(stream, line);) {
      if (const auto value = value_of(line, "json")) json = *value;
      const auto hex = value_of(line, "hex");
      if (!hex) continue;
      const std::string bytes = bytes_of_hex(hex->substr(1, hex->size() - 2));
      PacketReader reader(bytes);
      const auto packet = reader.next();
      ASSERT_TRUE(packet && *packet) << file;
      EXPECT_EQ(describe_json(**packet, {.content = true}), json) << file;
      ++read;
    }
  }
  EXPECT_GE(read, 20u);
}

TEST(Vectors, EveryPacketKindHasAFile) {
  const auto files = expected_files();
  for (int kind = 0; kind < 64; ++kind) {
    const std::string name(to_string(static_cast<PacketKind>(kind)));
    EXPECT_TRUE(name.empty() || files.contains(name + ".json")) << name;
  }
}

}  // namespace
}  // namespace zonesync::wire

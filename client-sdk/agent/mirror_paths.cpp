#include "client-sdk/agent/mirror_paths.hpp"

#include <cstddef>

namespace zonesync::agent {
namespace {

constexpr std::size_t kComponentMaxBytes = 200;
constexpr std::size_t kKeptPrefixBytes = 160;

bool is_plain(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

void append_encoded(std::string& out, char c) {
  static constexpr char digits[] = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out += '%';
  out += digits[byte >> 4];
  out += digits[byte & 15];
}

}  // namespace

std::string encode_component(std::string_view name) {
  const bool dots = name == "." || name == "..";
  std::string out;
  std::size_t kept = 0;  // longest prefix of whole characters within kKeptPrefixBytes
  for (const char c : name) {
    if (is_plain(c) && !dots) {
      out += c;
    } else {
      append_encoded(out, c);
    }
    if (out.size() <= kKeptPrefixBytes) kept = out.size();
  }
  if (out.size() <= kComponentMaxBytes) return out;
  return out.substr(0, kept) + '~' + to_hex(hash_bytes(name).id);
}

std::string encode_mesh(std::string_view mesh) {
  if (mesh.empty()) return std::string(kGlobalMeshFolder);
  std::string out = encode_component(mesh);
  if (out == kGlobalMeshFolder || out == ".cut.json") {
    std::string first;
    append_encoded(first, out[0]);
    out.replace(0, 1, first);
  }
  return out;
}

std::string leaf_path(const ResourceKey& key) {
  return encode_mesh(key.mesh) + '/' + encode_component(key.type) + '/' +
         encode_component(key.origin);
}

std::string file_name(const ResourceKey& key) { return encode_component(key.name) + ".json"; }

}  // namespace zonesync::agent

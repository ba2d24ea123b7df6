#include "storage/sealing/master_key.hpp"

namespace zonesync::sealing {
namespace {

constexpr std::string_view kMagic = "zonesync-master-key-1 ";
constexpr std::size_t kIdDigits = 16;

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    out.push_back(kDigits[value >> 4]);
    out.push_back(kDigits[value & 15]);
  }
  return out;
}

int digit(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  return -1;
}

bool unhex(std::string_view text, std::string& bytes) {
  bytes.clear();
  bytes.reserve(text.size() / 2);  // no stale copy of a secret
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = digit(text[i]), low = digit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return text.size() % 2 == 0;
}

}  // namespace

Result<MasterKeyPtr> generate_master_key() {
  auto id = random_bytes(kIdDigits / 2);
  if (!id) return fail(std::move(id.error()));
  auto key = random_key();
  if (!key) return fail(std::move(key.error()));
  return std::make_shared<const MasterKey>(MasterKey{hex(*id), *key});
}

std::string to_text(const MasterKey& key) {
  return std::string(kMagic) + key.id + " " + hex(key.key.expose()) + "\n";
}

Result<MasterKeyPtr> parse_master_key(std::string_view text, const std::string& where) {
  const auto refuse = [&](const char* what) {
    return fail(ErrorCode::invalid_argument,
                std::string("this is not a key file of zonesync (") + what +
                    "); put the right one back from your copy. A new one, made by zonesync-hub "
                    "store new-key FILE, opens nothing that was sealed before",
                where);
  };
  if (!text.starts_with(kMagic)) return refuse("it does not begin with zonesync-master-key-1");
  text.remove_prefix(kMagic.size());
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  std::string bytes;
  const std::string id(text.substr(0, kIdDigits));
  if (text.size() != kIdDigits + 1 + 2 * Key::kBytes || text[kIdDigits] != ' ' ||
      !unhex(id, bytes)) {
    return refuse("the line has another length");
  }
  const bool good = unhex(text.substr(kIdDigits + 1), bytes) && bytes.size() == Key::kBytes;
  if (!good) return refuse("the key is not hexadecimal");
  auto key = std::make_shared<const MasterKey>(MasterKey{id, Key(bytes)});
  wipe(bytes);
  return key;
}

}  // namespace zonesync::sealing

#include "protocol/wire/flat.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "protocol/model/utf8.hpp"

namespace zonesync::wire::detail {
namespace {

std::string_view view_of(const flatbuffers::String* field) {
  return field == nullptr ? std::string_view() : std::string_view(field->c_str(), field->size());
}

}  // namespace

bool is_utf8(std::string_view text) {
  return find_invalid_utf8(text) == std::string_view::npos;
}

std::string clean_utf8(std::string_view text, std::size_t max_bytes) {
  std::string clean;
  while (!text.empty()) {
    const std::size_t length = utf8_sequence(text).length;
    const std::size_t step = length == 0 ? 1 : length;
    if (clean.size() + step > max_bytes) break;
    if (length == 0) clean.push_back('?');
    else clean.append(text.substr(0, step));
    text.remove_prefix(step);
  }
  return clean;
}

// -- FieldReader ---------------------------------------------------------------------------------

void FieldReader::record(ErrorCode code, std::string problem, std::string_view name) {
  if (error_) return;
  std::string field(message_);
  field += '.';
  field += name;
  error_ = Error{code, std::move(problem), std::move(field)};
}

void FieldReader::record(const Status& status, std::string_view name) {
  if (!status) record(ErrorCode::protocol, status.error().message, name);
}

void FieldReader::require(bool holds, std::string_view name, std::string_view problem) {
  if (!holds) record(ErrorCode::protocol, std::string(problem), name);
}

void FieldReader::limit(std::size_t actual, std::size_t maximum, std::string_view name) {
  if (actual <= maximum) return;
  record(ErrorCode::too_large,
         std::to_string(actual) + " is over the limit of " + std::to_string(maximum), name);
}

std::string FieldReader::text(const flatbuffers::String* field, std::string_view name,
                              std::size_t max_bytes) {
  const std::string_view value = view_of(field);
  limit(value.size(), max_bytes, name);
  if (!ok()) return {};
  require(is_utf8(value), name, "not valid UTF-8");
  return std::string(value);
}

std::string FieldReader::word(const flatbuffers::String* field, std::string_view name) {
  std::string value = text(field, name, limits::kWordMaxBytes);
  const bool printable = std::none_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
  require(printable, name, "control character in a word");
  return value;
}

std::vector<std::string> FieldReader::words(const FlatStrings* field, std::string_view name) {
  std::vector<std::string> values;
  if (field == nullptr) return values;
  limit(field->size(), limits::kFeaturesMax, name);
  for (flatbuffers::uoffset_t i = 0; ok() && i < field->size(); ++i) {
    values.push_back(word(field->Get(i), name));
  }
  return values;
}

std::string FieldReader::type_name(const flatbuffers::String* field, std::string_view name) {
  const std::string_view value = view_of(field);
  require(!value.empty() && value.size() <= limits::kTypeNameMaxBytes, name,
          "a type name has 1 to 63 characters");
  const bool allowed = std::all_of(value.begin(), value.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '$';
  });
  require(allowed, name, "a type name consists of letters, digits, '-' and '$'");
  return ok() ? std::string(value) : std::string();
}

std::string FieldReader::resource_name(const flatbuffers::String* field, std::string_view name) {
  const std::string_view value = view_of(field);
  record(check_resource_name(value, name), name);
  return ok() ? std::string(value) : std::string();
}

std::string FieldReader::mesh(const flatbuffers::String* field) {
  return view_of(field).empty() ? std::string() : resource_name(field, "mesh");
}

std::string FieldReader::origin(const flatbuffers::String* field) {
  const std::string_view value = view_of(field);
  if (value != kGlobalOrigin) record(check_zone_name(value), "origin");
  return ok() ? std::string(value) : std::string();
}

std::string FieldReader::zone(const flatbuffers::String* field) {
  const std::string_view value = view_of(field);
  record(check_zone_name(value), "zone");
  return ok() ? std::string(value) : std::string();
}

std::string FieldReader::bytes(const FlatBytes* field) {
  if (field == nullptr || !ok()) return {};
  return std::string(reinterpret_cast<const char*>(field->data()), field->size());
}

// -- Values --------------------------------------------------------------------------------------

fb::Id128 to_flat(const Id128& id) {
  return fb::Id128(flatbuffers::span<const std::uint8_t, 16>(id.bytes.data(), 16));
}

Id128 from_flat(const fb::Id128& id) {
  Id128 result;
  std::memcpy(result.bytes.data(), id.b()->data(), result.bytes.size());
  return result;
}

fb::Cursor to_flat(const Cursor& cursor) {
  return {to_flat(cursor.era.id), cursor.revision.value, to_flat(cursor.view.id)};
}

Cursor from_flat(const fb::Cursor& cursor) {
  return {EraId{from_flat(cursor.era())}, Revision{cursor.revision()},
          ViewId{from_flat(cursor.view())}};
}

std::optional<Cursor> from_flat(const fb::Cursor* cursor) {
  if (cursor == nullptr) return std::nullopt;
  return from_flat(*cursor);
}

std::optional<Staged> read_staged(FieldReader& reader, const fb::Staged* flat) {
  if (flat == nullptr) return std::nullopt;
  const Staged staged{from_flat(*flat->at()), flat->changes(), flat->full(),
                      Revision{flat->floor()}};
  reader.require(staged.at.era != EraId{} && staged.at.revision != Revision{}, "staged.at",
                 "a place has an era and a revision");
  reader.limit(staged.changes, std::numeric_limits<std::uint32_t>::max(), "staged.changes");
  return staged;
}

fb::Digest to_flat(const Digest& digest) { return {digest.low, digest.high, digest.count}; }

Digest from_flat(const fb::Digest& digest) {
  return {digest.low(), digest.high(), digest.count()};
}

// -- Builders ------------------------------------------------------------------------------------

flatbuffers::Offset<fb::Staged> put_staged(flatbuffers::FlatBufferBuilder& builder,
                                           const std::optional<Staged>& staged) {
  if (!staged) return 0;
  const fb::Cursor at = to_flat(staged->at);
  return fb::CreateStaged(builder, &at, staged->changes, staged->full, staged->floor.value);
}

flatbuffers::Offset<flatbuffers::String> put_text(flatbuffers::FlatBufferBuilder& builder,
                                                  std::string_view text, std::size_t max_bytes) {
  if (text.empty()) return 0;
  return put_string(builder, clean_utf8(text, max_bytes));
}

flatbuffers::Offset<flatbuffers::String> put_optional(flatbuffers::FlatBufferBuilder& builder,
                                                      std::string_view text) {
  if (text.empty()) return 0;
  return put_string(builder, text);
}

flatbuffers::Offset<flatbuffers::String> put_string(flatbuffers::FlatBufferBuilder& builder,
                                                    std::string_view text) {
  // A null pointer of an empty view must not reach memcpy.
  return builder.CreateString(text.empty() ? "" : text.data(), text.size());
}

flatbuffers::Offset<FlatStrings> put_strings(flatbuffers::FlatBufferBuilder& builder,
                                             const std::vector<std::string>& strings) {
  if (strings.empty()) return 0;
  std::vector<flatbuffers::Offset<flatbuffers::String>> offsets;
  offsets.reserve(strings.size());
  for (const std::string& text : strings) offsets.push_back(put_string(builder, text));
  return builder.CreateVector(offsets);
}

flatbuffers::Offset<FlatBytes> put_bytes(flatbuffers::FlatBufferBuilder& builder, ByteView bytes) {
  if (bytes.empty()) return 0;
  return builder.CreateVector(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace zonesync::wire::detail

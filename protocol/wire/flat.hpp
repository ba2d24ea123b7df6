// Shared by the codecs, private to protocol/wire: verified roots, checked field reading, builders.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <flatbuffers/flatbuffers.h>

#include "protocol/model/bytes.hpp"
#include "protocol/model/digest.hpp"
#include "protocol/model/ids.hpp"
#include "protocol/model/limits.hpp"
#include "protocol/model/result.hpp"
#include "protocol/schema/common_generated.h"
#include "protocol/wire/message.hpp"

namespace zonesync::wire::detail {

/// Strict UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text);
/// At most `max_bytes` of `text`, cut between characters, malformed bytes replaced by '?'.
[[nodiscard]] std::string clean_utf8(std::string_view text, std::size_t max_bytes);

/// A payload that passed verification as a `T`. Payloads that do not start 8-aligned are copied
/// first. The payload must outlive it. Movable; pointers into it stay valid.
template <class T>
class Verified {
 public:
  /// `identifier`: 4 characters the payload must carry, or nullptr. Errors: too_large, protocol.
  [[nodiscard]] static Result<Verified> open(ByteView payload, std::size_t max_bytes,
                                             const char* what, const char* identifier = nullptr) {
    if (payload.size() > max_bytes) {
      return fail(ErrorCode::too_large,
                  "payload of " + std::to_string(payload.size()) + " bytes; at most " +
                      std::to_string(max_bytes) + " are allowed",
                  what);
    }
    Verified verified;
    const auto* data = reinterpret_cast<const std::uint8_t*>(payload.data());
    if (reinterpret_cast<std::uintptr_t>(data) % 8 != 0) {
      verified.aligned_.resize((payload.size() + 7) / 8);
      payload.copy(reinterpret_cast<char*>(verified.aligned_.data()), payload.size());
      data = reinterpret_cast<const std::uint8_t*>(verified.aligned_.data());
    }
    flatbuffers::Verifier::Options options;
    options.max_depth = static_cast<flatbuffers::uoffset_t>(limits::kFlatbufferMaxDepth);
    options.max_tables = static_cast<flatbuffers::uoffset_t>(limits::kFlatbufferMaxTables);
    options.check_alignment = true;
    options.check_nested_flatbuffers = true;
    flatbuffers::Verifier verifier(data, payload.size(), options);
    if (!verifier.VerifyBuffer<T>(identifier)) {
      return fail(ErrorCode::protocol, "payload does not verify", what);
    }
    verified.root_ = flatbuffers::GetRoot<T>(data);
    return verified;
  }

  const T* operator->() const { return root_; }

 private:
  Verified() = default;
  std::vector<std::uint64_t> aligned_;  // heap storage: moving keeps root_ valid
  const T* root_ = nullptr;
};

using FlatStrings = flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>;
using FlatBytes = flatbuffers::Vector<std::uint8_t>;

/// Reads verified fields under the rules of docs/protocol.md and keeps the first violation, so that
/// a decoder reads on and asks once at its end. Absent strings and vectors read as empty.
class FieldReader {
 public:
  explicit FieldReader(std::string_view message) : message_(message) {}

  /// For people: UTF-8 of bounded size.
  std::string text(const flatbuffers::String* field, std::string_view name,
                   std::size_t max_bytes = limits::kReasonMaxBytes);
  /// Stable word: UTF-8 without control characters, at most kWordMaxBytes.
  std::string word(const flatbuffers::String* field, std::string_view name);
  std::vector<std::string> words(const FlatStrings* field, std::string_view name);
  std::string type_name(const flatbuffers::String* field, std::string_view name);
  std::string resource_name(const flatbuffers::String* field, std::string_view name);
  /// Empty or a resource name.
  std::string mesh(const flatbuffers::String* field);
  /// `global` or a zone's name.
  std::string origin(const flatbuffers::String* field);
  std::string zone(const flatbuffers::String* field);
  std::string bytes(const FlatBytes* field);

  /// Records a violation of `name` unless `holds`.
  void require(bool holds, std::string_view name, std::string_view problem);
  /// The same with too_large, for counts and sizes.
  void limit(std::size_t actual, std::size_t maximum, std::string_view name);

  [[nodiscard]] bool ok() const { return !error_; }
  /// `value`, or the first violation.
  template <class T>
  [[nodiscard]] Result<T> finish(T value) {
    if (error_) return fail(std::move(*error_));
    return value;
  }

 private:
  void record(ErrorCode code, std::string problem, std::string_view name);
  void record(const Status& status, std::string_view name);

  std::string_view message_;
  std::optional<Error> error_;
};

[[nodiscard]] fb::Id128 to_flat(const Id128& id);
[[nodiscard]] Id128 from_flat(const fb::Id128& id);
[[nodiscard]] fb::Cursor to_flat(const Cursor& cursor);
[[nodiscard]] Cursor from_flat(const fb::Cursor& cursor);
[[nodiscard]] std::optional<Cursor> from_flat(const fb::Cursor* cursor);
[[nodiscard]] flatbuffers::Offset<fb::Staged> put_staged(flatbuffers::FlatBufferBuilder& builder,
                                                         const std::optional<Staged>& staged);
/// STG-01: a place inside a revision of an era.
[[nodiscard]] std::optional<Staged> read_staged(FieldReader& reader, const fb::Staged* flat);
[[nodiscard]] fb::Digest to_flat(const Digest& digest);
[[nodiscard]] Digest from_flat(const fb::Digest& digest);

/// Texts for people: cut at the limit, malformed UTF-8 replaced, so that no peer refuses a message
/// because of them. Nothing for an empty string: absent and empty read the same.
[[nodiscard]] flatbuffers::Offset<flatbuffers::String> put_text(
    flatbuffers::FlatBufferBuilder& builder, std::string_view text,
    std::size_t max_bytes = limits::kReasonMaxBytes);
/// As it is; nothing for an empty string.
[[nodiscard]] flatbuffers::Offset<flatbuffers::String> put_optional(
    flatbuffers::FlatBufferBuilder& builder, std::string_view text);
[[nodiscard]] flatbuffers::Offset<flatbuffers::String> put_string(
    flatbuffers::FlatBufferBuilder& builder, std::string_view text);
[[nodiscard]] flatbuffers::Offset<FlatStrings> put_strings(
    flatbuffers::FlatBufferBuilder& builder, const std::vector<std::string>& strings);
[[nodiscard]] flatbuffers::Offset<FlatBytes> put_bytes(flatbuffers::FlatBufferBuilder& builder,
                                                       ByteView bytes);
[[nodiscard]] inline ByteView finished(const flatbuffers::FlatBufferBuilder& builder) {
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

}  // namespace zonesync::wire::detail
